"""Expressions: parsed by promql-parser, compiled once, evaluated at any time.

What no rule uses is refused when the expression is compiled, never when it is evaluated.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import promql_parser
from promql_parser import (
    AggModifierType,
    AggregateExpr,
    BinaryExpr,
    Call,
    LabelModifierType,
    MatchOp,
    MatrixSelector,
    NumberLiteral,
    ParenExpr,
    VectorMatchCardinality,
    VectorSelector,
)

from agent.promql.functions import (
    AGGREGATIONS,
    ARITHMETIC,
    COMPARISONS,
    RANGE_FUNCTIONS,
    histogram_quantile,
    predict_linear,
    round_half_up,
)
from agent.promql.values import (
    Labels,
    Matcher,
    Selector,
    Source,
    Value,
    Vector,
    drop_labels,
    keep_labels,
    match_equal,
    match_regex,
)

Evaluate = Callable[[Source, float], Value]
"""From a source and the time of the evaluation, in seconds since the epoch."""

LabelsOf = Callable[[Labels], Labels]


class UnsupportedError(Exception):
    """An expression uses a part of PromQL that is not implemented."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression.

    Attributes:
        evaluate: Returns its value.
        reach: Selectors, and how many seconds they look back; 0 for the present.
    """

    evaluate: Evaluate
    reach: list[tuple[Selector, float]] = field(default_factory=list)


def compile_expression(text: str) -> Expression:
    """Compile an expression.

    Raises:
        ValueError: `text` is no PromQL.
        UnsupportedError: It is, but uses something that no packaged rule does.
    """
    compiler = _Compiler()
    evaluate = compiler.compile(promql_parser.parse(text))
    return Expression(evaluate, compiler.reach)


class _Compiler:
    def __init__(self) -> None:
        self.reach: list[tuple[Selector, float]] = []

    def compile(self, node: Any) -> Evaluate:
        match node:
            case NumberLiteral():
                number = float(node.val)
                return lambda _source, _now: number
            case ParenExpr():
                return self.compile(node.expr)
            case VectorSelector():
                return self._select(node)
            case AggregateExpr():
                return self._aggregate(node)
            case Call():
                return self._call(node)
            case BinaryExpr():
                return self._binary(node)
            case _:
                raise UnsupportedError(type(node).__name__)

    def _select(self, node: VectorSelector) -> Evaluate:
        if node.offset or node.at:
            raise UnsupportedError("offset or @ of an instant vector")
        selector = _selector(node)
        self.reach.append((selector, 0.0))
        return lambda source, _now: source.latest(selector)

    def _aggregate(self, node: AggregateExpr) -> Evaluate:
        aggregate = _known(AGGREGATIONS, str(node.op))
        if node.param is not None:
            raise UnsupportedError("parameter of an aggregation")
        group = _grouping(node.modifier)
        inner = self.compile(node.expr)

        def evaluate(source: Source, now: float) -> Value:
            groups: dict[Labels, list[float]] = {}
            for labels, value in _vector(inner(source, now)).items():
                groups.setdefault(group(labels), []).append(value)
            return {labels: aggregate(values) for labels, values in groups.items()}

        return evaluate

    def _call(self, node: Call) -> Evaluate:
        name, args = node.func.name, node.args
        if name == "time":
            return lambda _source, now: now
        if name == "vector":
            number = self.compile(args[0])
            return lambda source, now: {(): _number(number(source, now))}
        if name == "round" and len(args) == 1:
            inner = self.compile(args[0])
            return lambda source, now: {
                labels: round_half_up(value)
                for labels, value in _vector(inner(source, now)).items()
            }
        if name == "histogram_quantile":
            quantile, buckets = map(self.compile, args)
            return lambda source, now: histogram_quantile(
                _number(quantile(source, now)), _vector(buckets(source, now))
            )
        return self._range_call(name, args)

    def _range_call(self, name: str, args: list[Any]) -> Evaluate:
        selector, seconds, offset = self._range(args[0])
        if name == "predict_linear":
            ahead = self.compile(args[1])
            return lambda source, now: {
                labels: value
                for labels, points in source.window(
                    selector, now - offset - seconds, now - offset
                )
                for value in [predict_linear(points, now, _number(ahead(source, now)))]
                if value is not None
            }
        function = _known(RANGE_FUNCTIONS, name)

        def evaluate(source: Source, now: float) -> Value:
            start, end = now - offset - seconds, now - offset
            return {
                labels: value
                for labels, points in source.window(selector, start, end)
                for value in [function(points, start, end)]
                if value is not None
            }

        return evaluate

    def _range(self, node: Any) -> tuple[Selector, float, float]:
        if not isinstance(node, MatrixSelector):
            raise UnsupportedError(type(node).__name__)
        inner = node.vector_selector
        if inner.at:
            raise UnsupportedError("@")
        offset = inner.offset.total_seconds() if inner.offset else 0.0
        seconds = node.range.total_seconds()
        selector = _selector(inner)
        self.reach.append((selector, seconds + offset))
        return selector, seconds, offset

    def _binary(self, node: BinaryExpr) -> Evaluate:
        left, right = self.compile(node.lhs), self.compile(node.rhs)
        key, named = _matching(node.modifier)
        combine = _combination(str(node.op), node.modifier, key, named=named)
        return lambda source, now: combine(left(source, now), right(source, now))


def _combination(
    name: str, modifier: Any, key: LabelsOf, *, named: bool
) -> Callable[[Value, Value], Value]:
    """Return what an operator makes of two values.

    Args:
        name: The operator.
        modifier: As parsed.
        key: The labels by which two series match.
        named: Whether ``on`` names them; then the result has no others.
    """
    if name in ("and", "or", "unless"):
        return lambda left, right: _set_operation(
            name, _vector(left), _vector(right), key
        )
    operate: Callable[[float, float], float | None]
    if name in ARITHMETIC:
        operate = ARITHMETIC[name]
    else:
        compare = _known(COMPARISONS, name)
        if modifier is not None and modifier.return_bool:
            operate = lambda one, other: float(compare(one, other))  # noqa: E731 (one of three)
        else:
            operate = lambda one, other: one if compare(one, other) else None  # noqa: E731 (one of three)

    def combine(left: Value, right: Value) -> Value:
        pairs = _pair(left, right, key, named=named)
        if pairs is None:
            return _number(operate(_number(left), _number(right)))
        results = ((labels, operate(one, other)) for labels, one, other in pairs)
        return {labels: value for labels, value in results if value is not None}

    return combine


def _pair(
    left: Value, right: Value, key: LabelsOf, *, named: bool
) -> Iterator[tuple[Labels, float, float]] | None:
    """Match two values series by series; None for two scalars."""
    if not isinstance(left, dict) and not isinstance(right, dict):
        return None
    if not isinstance(right, dict):
        return ((labels, value, right) for labels, value in _vector(left).items())
    if not isinstance(left, dict):
        return ((labels, left, value) for labels, value in right.items())
    others = {key(labels): value for labels, value in right.items()}
    return (
        (matched if named else labels, value, others[matched])
        for labels, value in left.items()
        for matched in [key(labels)]
        if matched in others
    )


def _set_operation(name: str, left: Vector, right: Vector, key: LabelsOf) -> Vector:
    if name == "or":
        present = {key(labels) for labels in left}
        rest = {one: value for one, value in right.items() if key(one) not in present}
        return {**left, **rest}
    present = {key(labels) for labels in right}
    wanted = name == "and"
    return {
        labels: value
        for labels, value in left.items()
        if (key(labels) in present) is wanted
    }


def _matching(modifier: Any) -> tuple[LabelsOf, bool]:
    if modifier is None:
        return (lambda labels: labels), False
    if modifier.card in (
        VectorMatchCardinality.ManyToOne,
        VectorMatchCardinality.OneToMany,
    ):
        raise UnsupportedError("group_left or group_right")
    if modifier.matching is None:
        return (lambda labels: labels), False
    names = frozenset(modifier.matching.labels)
    if modifier.matching.type is LabelModifierType.Include:
        return (lambda labels: keep_labels(labels, names)), True
    return (lambda labels: drop_labels(labels, names)), False


def _grouping(modifier: Any) -> LabelsOf:
    if modifier is None:
        return lambda _labels: ()
    names = frozenset(modifier.labels)
    if modifier.type == AggModifierType.By:
        return lambda labels: keep_labels(labels, names)
    return lambda labels: drop_labels(labels, names)


def _selector(node: VectorSelector) -> Selector:
    if node.matchers.or_matchers or node.name is None:
        raise UnsupportedError("selector without a name")
    return Selector(node.name, tuple(map(_matcher, node.matchers.matchers)))


def _matcher(node: Any) -> Matcher:
    negated = node.op in (MatchOp.NotEqual, MatchOp.NotRe)
    make = match_equal if node.op in (MatchOp.Equal, MatchOp.NotEqual) else match_regex
    return Matcher(node.name, make(node.value, negated=negated))


def _known(table: Any, name: str) -> Any:
    if name not in table:
        raise UnsupportedError(name)
    return table[name]


def _vector(value: Value) -> Vector:
    if not isinstance(value, dict):
        raise TypeError(value)  # promql-parser checks types
    return value


def _number(value: Value | None) -> float:
    if isinstance(value, dict) or value is None:
        raise TypeError(value)
    return value
