"""Walks through PromQL, as promql-parser (GreptimeTeam's, in Rust) reads it."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import promql_parser

_COUNTING = frozenset({"rate", "irate", "increase", "resets"})


class Selector(NamedTuple):
    """One selector of series.

    Attributes:
        name: Of the metric; None where it has none.
        matchers: Label, operator and value.
        function: The function that is applied to its range; None for none.
        ranged: Whether it asks for a range.
    """

    name: str | None
    matchers: tuple[tuple[str, str, str], ...]
    function: str | None
    ranged: bool

    @property
    def counts(self) -> bool:
        """Whether a function for counters is applied."""
        return self.function in _COUNTING


def parse_promql(expression: str) -> Any:
    """Parse an expression.

    Raises:
        ValueError: It is no PromQL; the message says why.
    """
    return promql_parser.parse(expression)


def find_selectors(expression: str) -> list[Selector]:
    """Find the selectors of an expression.

    Raises:
        ValueError: It is no PromQL.
    """
    return list(_walk(parse_promql(expression), None))


def compares(expression: str) -> bool:
    """Say whether there is a comparison in an expression, or an absence.

    Raises:
        ValueError: It is no PromQL.
    """
    return _compares(parse_promql(expression))


def _walk(
    node: Any, function: str | None, *, ranged: bool = False
) -> Iterator[Selector]:
    kind = type(node).__name__
    if kind == "VectorSelector":
        matchers = tuple(
            (one.name, _operator(one.op), one.value) for one in node.matchers.matchers
        )
        yield Selector(node.name, matchers, function, ranged)
    elif kind == "MatrixSelector":
        yield from _walk(node.vector_selector, function, ranged=True)
    elif kind == "Call":
        for argument in node.args:
            yield from _walk(argument, node.func.name)
    else:
        for inner in _inner(node):
            yield from _walk(inner, None if kind == "AggregateExpr" else function)


def _compares(node: Any) -> bool:
    kind = type(node).__name__
    if kind == "BinaryExpr" and str(node.op) in _COMPARISONS:
        return True
    if kind == "Call":
        return node.func.name.startswith("absent") or any(map(_compares, node.args))
    return any(map(_compares, _inner(node)))


def _inner(node: Any) -> Iterator[Any]:
    for name in ("expr", "param", "lhs", "rhs"):
        inner = getattr(node, name, None)
        if inner is not None:
            yield inner


_OPERATORS = {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}
_COMPARISONS = frozenset({"==", "!=", ">", "<", ">=", "<="})


def _operator(operator: Any) -> str:
    return _OPERATORS.get(str(operator).rpartition(".")[2], str(operator))
