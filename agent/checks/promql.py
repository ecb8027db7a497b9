"""Walks through PromQL, as promql-parser (GreptimeTeam's, in Rust) reads it."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import promql_parser
from promql_parser import (
    AggregateExpr,
    BinaryExpr,
    Call,
    MatrixSelector,
    ParenExpr,
    SubqueryExpr,
    UnaryExpr,
    VectorSelector,
)

_COUNTING = frozenset({"rate", "irate", "increase", "resets"})
_COMPARISONS = frozenset({"==", "!=", ">", "<", ">=", "<="})
_EXISTENCE = frozenset({"and", "unless"})
_COUNTS_SERIES = frozenset({"count", "group", "count_values"})
_OPERATORS = {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}

# The parser recurses; an expression of 20,000 operators ends the process.
_LONGEST = 5_000
_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|`[^`]*`')


class Selector(NamedTuple):
    """One selector of series.

    Attributes:
        name: Of the metric; None where it has none, or not exactly one.
        matchers: Label, operator and value, without that of the name.
        function: What is done with it: the function around it, ``count`` and its like,
            ``and`` or ``unless`` where only its being there matters; None for nothing.
        range_seconds: The range that it asks for; None for none.
    """

    name: str | None
    matchers: tuple[tuple[str, str, str], ...]
    function: str | None
    range_seconds: float | None

    @property
    def counts(self) -> bool:
        """Whether a function for counters is applied."""
        return self.function in _COUNTING


def parse_promql(expression: str) -> Any:
    """Parse an expression.

    Raises:
        ValueError: It is no PromQL, or too long to be parsed; the message says why.
    """
    if len(_TEXT.sub("", expression)) > _LONGEST:
        message = f"it is longer than {_LONGEST} characters"
        raise ValueError(message)
    return promql_parser.parse(expression)


def find_selectors(expression: str) -> list[Selector]:
    """Find the selectors of an expression.

    Raises:
        ValueError: It is no PromQL.
    """
    return list(_walk(parse_promql(expression), None))


def compares(expression: str) -> bool:
    """Say whether an expression can come to nothing by a condition.

    That is a comparison without ``bool``, ``unless``, or an absence.

    Raises:
        ValueError: It is no PromQL.
    """
    return _compares(parse_promql(expression))


def read_selector(node: VectorSelector) -> Selector:
    """Read a selector, without what is around it."""
    name = node.name
    matchers = []
    for one in node.matchers.matchers:
        operator = _OPERATORS[str(one.op).rpartition(".")[2]]
        if one.name == "__name__":
            name = one.value if operator == "=" else None
        else:
            matchers.append((one.name, operator, one.value))
    return Selector(name, tuple(matchers), None, None)


def _walk(node: Any, function: str | None) -> Iterator[Selector]:
    match node:
        case VectorSelector():
            yield read_selector(node)._replace(function=function)
        case MatrixSelector():
            seconds = node.range.total_seconds()
            yield read_selector(node.vector_selector)._replace(
                function=function, range_seconds=seconds
            )
        case Call():
            for argument in node.args:
                yield from _walk(argument, node.func.name)
        case AggregateExpr():
            operation = str(node.op)
            around = operation if operation in _COUNTS_SERIES else None
            yield from _walk(node.expr, around)
            yield from _walk(node.param, operation)
        case BinaryExpr():
            operation = str(node.op)
            yield from _walk(node.lhs, function)
            around = operation if operation in _EXISTENCE else function
            yield from _walk(node.rhs, around)
        case ParenExpr() | UnaryExpr() | SubqueryExpr():
            yield from _walk(node.expr, function)
        case _:
            return


def _compares(node: Any) -> bool:
    match node:
        case BinaryExpr():
            return _pair_compares(node)
        case Call():
            return node.func.name.startswith("absent") or any(map(_compares, node.args))
        case AggregateExpr() | ParenExpr() | UnaryExpr() | SubqueryExpr():
            return _compares(node.expr)
        case _:
            return False


def _pair_compares(node: BinaryExpr) -> bool:
    operation = str(node.op)
    if operation in _COMPARISONS:
        return not (node.modifier and node.modifier.return_bool)
    sides = (_compares(node.lhs), _compares(node.rhs))
    return operation == "unless" or (all(sides) if operation == "or" else any(sides))
