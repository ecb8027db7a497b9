"""The labels that an alert has, read from its expression."""

import re
from functools import singledispatch
from typing import Any

import promql_parser
from promql_parser import (
    AggModifierType,
    AggregateExpr,
    BinaryExpr,
    Call,
    LabelModifierType,
    MatrixSelector,
    NumberLiteral,
    ParenExpr,
    UnaryExpr,
    VectorSelector,
)

Labels = frozenset[str]

NONE: Labels = frozenset()
_LEVELS = re.compile(r"([a-z_]+):\w+:\w+")
_SET_OF_THE_LEFT = {"and", "unless"}
_WITHOUT_LABELS = {"absent", "time", "vector"}


def find_labels(expression: str) -> Labels:
    """Find the labels that the results of an expression can have.

    Raises:
        ValueError: It is no PromQL, or of a kind that our rules do not use.
    """
    return _labels(promql_parser.parse(expression))


@singledispatch
def _labels(node: Any) -> Labels:
    message = f"{type(node).__name__} is not known: add it here"
    raise ValueError(message)


@_labels.register
def _number(_node: NumberLiteral) -> Labels:
    return NONE


@_labels.register
def _inner(node: ParenExpr | UnaryExpr) -> Labels:
    return _labels(node.expr)


@_labels.register
def _range(node: MatrixSelector) -> Labels:
    return _labels(node.vector_selector)


@_labels.register
def _selector(node: VectorSelector) -> Labels:
    """Recorded series say what they keep: ``addon_broker:metric:operation``."""
    found = _LEVELS.fullmatch(node.name or "")
    if found is None:
        message = f"{node.name} is not aggregated, so its labels are not known"
        raise ValueError(message)
    return frozenset(found[1].split("_"))


@_labels.register
def _call(node: Call) -> Labels:
    if node.func.name in _WITHOUT_LABELS:
        return NONE
    if node.func.name == "histogram_quantile":
        return _labels(node.args[1]) - {"le"}
    return _labels(node.args[0])


@_labels.register
def _aggregate(node: AggregateExpr) -> Labels:
    if node.modifier is None:
        return NONE
    if node.modifier.type is not AggModifierType.By:
        message = f"{node} keeps labels that are not known"
        raise ValueError(message)
    return frozenset(node.modifier.labels)


@_labels.register
def _pair(node: BinaryExpr) -> Labels:
    operator = str(node.op)
    if isinstance(node.lhs, NumberLiteral) or isinstance(node.rhs, NumberLiteral):
        return _labels(node.lhs) | _labels(node.rhs)
    if operator in _SET_OF_THE_LEFT:
        return _labels(node.lhs)
    if operator == "or" or _is_scalar(node.lhs) or _is_scalar(node.rhs):
        return _labels(node.lhs) | _labels(node.rhs)
    matching = node.modifier and node.modifier.matching
    if matching and matching.type is LabelModifierType.Include:
        # One to one: a comparison keeps the left side, arithmetic what was matched on.
        if operator in {"<", "<=", ">", ">=", "==", "!="}:
            return _labels(node.lhs)
        return frozenset(matching.labels)
    return _labels(node.lhs)


def _is_scalar(node: Any) -> bool:
    return isinstance(node, Call) and node.func.name == "time"
