"""The labels that the results of an expression can have, and matchings that cannot be.

A scraped series of ours has the labels of its metric, and any others that its target has,
like ``job``. Of a series that is not ours nothing is known. What is not certain is not
said, so every finding holds.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import promql_parser
from promql_parser import (
    AggModifierType,
    AggregateExpr,
    BinaryExpr,
    Call,
    LabelModifierType,
    MatrixSelector,
    ParenExpr,
    StringLiteral,
    SubqueryExpr,
    UnaryExpr,
    VectorMatchCardinality,
    VectorSelector,
)

from agent.checks.exported import LABELS
from agent.checks.promql import parse_promql, read_selector

_OURS = LABELS | {"le"}
_SETS = frozenset({"and", "or", "unless"})
_CHOOSES = frozenset({"topk", "bottomk", "limitk", "limit_ratio"})
_WITHOUT_LABELS = frozenset({"time", "vector", "scalar", "pi"})


@dataclass(frozen=True, slots=True)
class Labels:
    """The labels that a series can have.

    Attributes:
        known: Those that it can have of those that are listed anywhere.
        is_open: Whether it can have any other one that is not one of ours.
        is_certain: Whether it has all of `known`.
    """

    known: frozenset[str] = frozenset()
    is_open: bool = False
    is_certain: bool = True

    def may_have(self, label: str) -> bool:
        """Say whether a series can have the label."""
        return label in self.known or (self.is_open and label not in _OURS)

    def keeping(self, labels: Iterable[str]) -> "Labels":
        """Leave only these."""
        kept = frozenset(label for label in labels if self.may_have(label))
        return Labels(kept, is_open=False, is_certain=self.is_certain)

    def dropping(self, labels: Iterable[str]) -> "Labels":
        """Leave all but these."""
        return replace(self, known=self.known - frozenset(labels))

    def with_(self, labels: Iterable[str]) -> "Labels":
        """Add some."""
        return replace(self, known=self.known | frozenset(labels))

    def __or__(self, other: "Labels") -> "Labels":
        same = self.known == other.known
        return Labels(
            self.known | other.known,
            is_open=self.is_open or other.is_open,
            is_certain=self.is_certain and other.is_certain and same,
        )


ANY = Labels(_OURS, is_open=True, is_certain=False)
"""Of a series about which nothing is known."""

LabelsOf = Callable[[str], Labels]


@dataclass(slots=True)
class Derivation:
    """What follows from an expression.

    Attributes:
        labels: Of its results.
        faults: Sentences about labels that are matched or kept and cannot be there.
    """

    labels: Labels = field(default_factory=Labels)
    faults: list[str] = field(default_factory=list)


def derive_labels(expression: str, labels_of: LabelsOf) -> Derivation:
    """Derive the labels of an expression's results.

    Args:
        expression: PromQL.
        labels_of: What is known of the series of a name.

    Raises:
        ValueError: It is no PromQL.
    """
    walk = _Walk(labels_of)
    labels = walk.labels(parse_promql(expression))
    return Derivation(labels, list(dict.fromkeys(walk.faults)))


class _Walk:
    """One walk through an expression, which collects faults on its way."""

    def __init__(self, labels_of: LabelsOf) -> None:
        self._labels_of = labels_of
        self.faults: list[str] = []

    def labels(self, node: Any) -> Labels:
        """Derive the labels of one part, and note its faults."""
        match node:
            case VectorSelector():
                name = read_selector(node).name
                return ANY if name is None else self._labels_of(name)
            case MatrixSelector():
                return self.labels(node.vector_selector)
            case Call():
                return self._called(node)
            case AggregateExpr():
                return self._aggregated(node)
            case BinaryExpr():
                return self._combined(node)
            case _:
                inner = isinstance(node, ParenExpr | UnaryExpr | SubqueryExpr)
                return self.labels(node.expr) if inner else Labels()

    def _called(self, node: Call) -> Labels:
        name = node.func.name
        arguments = [self.labels(argument) for argument in node.args]
        if name in _WITHOUT_LABELS:
            return Labels()
        if name in ("absent", "absent_over_time"):
            return _of_absence(node.args[0])
        if name == "histogram_quantile":
            return arguments[1].dropping({"le"})
        if name in ("label_replace", "label_join"):
            target = node.args[1]
            named = [target.val] if isinstance(target, StringLiteral) else []
            return replace(arguments[0].with_(named), is_certain=False)
        if name == "info":
            return ANY
        labels = Labels()
        for argument, node_of in zip(arguments, node.args, strict=True):
            labels = labels if is_scalar(node_of) else argument
        return labels

    def _aggregated(self, node: AggregateExpr) -> Labels:
        inner, operation = self.labels(node.expr), str(node.op)
        modifier = node.modifier
        named = list(modifier.labels) if modifier else []
        is_by = modifier is None or modifier.type is AggModifierType.By
        if is_by:
            self._note(inner, named, f"{operation} by", "what it aggregates")
        if operation in _CHOOSES:
            return inner
        labels = inner.keeping(named) if is_by else inner.dropping(named)
        if operation == "count_values":
            target = node.param
            named = [target.val] if isinstance(target, StringLiteral) else []
            return labels.with_(named)
        return labels

    def _combined(self, node: BinaryExpr) -> Labels:
        left, right = self.labels(node.lhs), self.labels(node.rhs)
        operation = str(node.op)
        if is_scalar(node.lhs) or is_scalar(node.rhs):
            return right if is_scalar(node.lhs) else left
        named, is_on = _read_matching(node)
        if is_on:
            for side, which in ((left, "left"), (right, "right")):
                self._note(side, named, f"{operation} on", f"the {which} side")
        elif operation != "or":
            self._note_mismatch(left, right, named, operation)
        if operation in _SETS:
            return left | right if operation == "or" else left
        return self._paired(node, left, right)

    def _paired(self, node: BinaryExpr, left: Labels, right: Labels) -> Labels:
        """Derive the labels of arithmetic and comparisons."""
        named, is_on = _read_matching(node)
        modifier = node.modifier
        card = modifier.card if modifier else None
        copied = (modifier.group_labels if modifier else None) or []
        if card == VectorMatchCardinality.ManyToOne:
            self._note(right, copied, "group_left", "the right side")
            return left.with_(label for label in copied if right.may_have(label))
        if card == VectorMatchCardinality.OneToMany:
            self._note(left, copied, "group_right", "the left side")
            return right.with_(label for label in copied if left.may_have(label))
        # One to one: comparisons, too, keep only what was matched on.
        return left.keeping(named) if is_on else left.dropping(named)

    def _note(self, labels: Labels, named: Iterable[str], by: str, of: str) -> None:
        for label in named:
            if not labels.may_have(label):
                self.faults.append(f"{by} ({label}): {of} has no label {label}")

    def _note_mismatch(
        self, left: Labels, right: Labels, ignored: list[str], operation: str
    ) -> None:
        """Note sides that never match, since one surely has a label more."""
        if any(side.is_open or not side.is_certain for side in (left, right)):
            return
        only = (left.known ^ right.known) - set(ignored)
        if only:
            which = "left" if only & left.known else "right"
            names = ", ".join(sorted(only))
            self.faults.append(
                f"{operation} never matches: only the {which} side has {names}; say "
                f"on (…) or ignoring ({names})"
            )


def _read_matching(node: BinaryExpr) -> tuple[list[str], bool]:
    """Read the labels of ``on`` or ``ignoring``, and whether it is ``on``."""
    matching = node.modifier.matching if node.modifier else None
    if matching is None:
        return [], False
    return list(matching.labels), matching.type is LabelModifierType.Include


def _of_absence(node: Any) -> Labels:
    """Read the labels of ``absent()``: those that are matched with ``=``."""
    while isinstance(node, ParenExpr):
        node = node.expr
    if isinstance(node, MatrixSelector):
        node = node.vector_selector
    if not isinstance(node, VectorSelector):
        return Labels()
    matchers = read_selector(node).matchers
    return Labels(frozenset(label for label, how, _value in matchers if how == "="))


def is_scalar(node: Any) -> bool:
    """Say whether a part of an expression is a number, or a text, without labels."""
    match node:
        case promql_parser.NumberLiteral() | StringLiteral():
            return True
        case Call():
            return node.func.name in ("time", "scalar", "pi")
        case ParenExpr() | UnaryExpr():
            return is_scalar(node.expr)
        case BinaryExpr():
            return is_scalar(node.lhs) and is_scalar(node.rhs)
        case _:
            return False
