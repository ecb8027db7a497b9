"""Selectors of PromQL expressions, read with promql-parser (GreptimeTeam's, in Rust)."""

import re
from typing import Any, NamedTuple

import promql_parser
from promql_parser import VectorSelector

_OPERATORS = {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}
_MAX_NESTING = 100
"""Levels of brackets and operators.

The parser recurses once per level and ends the process when the stack overflows: above
100 levels on a stack of 128 KiB (musl's threads), above 1,000 on 2 MiB. Its time grows
with the cube of the depth as well.
"""
_TOKEN = re.compile(
    r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|`[^`]*`|#[^\n]*'
    r"|(?P<open>[(\[{])|(?P<close>[)\]}])"
    r"|(?P<operator>[=!]=|[<>]=?|[-+*/%^]|\b(?:and|or|unless|atan2)\b)",
    re.IGNORECASE,
)


class Selector(NamedTuple):
    """A selector of series.

    Attributes:
        name: Name of the metric; None unless it is one exact name.
        matchers: Label, operator and value, without the matcher of the name.
    """

    name: str | None
    matchers: tuple[tuple[str, str, str], ...]


def find_selectors(expression: str) -> list[Selector]:
    """Find the selectors of an expression, from left to right.

    Raises:
        ValueError: The expression is not PromQL, or is nested too deeply.
    """
    if _nesting(expression) > _MAX_NESTING:
        message = (
            f"it nests more than {_MAX_NESTING} brackets and operators: "
            "move parts of it to recording rules"
        )
        raise ValueError(message)
    found: list[Selector] = []

    def visit(node: Any) -> None:
        if isinstance(node, VectorSelector):
            found.append(_read_selector(node))

    promql_parser.walk(promql_parser.parse(expression), pre_visit=visit)
    return found


def _nesting(expression: str) -> int:
    """Return an upper bound of the depth of an expression's syntax tree.

    Operators of one bracket may all be nested in one another, as in ``a or b or c``.
    """
    levels = [
        [0, 0]
    ]  # of each open bracket: operators, depth of the deepest bracket in it

    def close() -> None:
        operators, deepest = levels.pop()
        levels[-1][1] = max(levels[-1][1], operators + deepest + 1)

    for token in _TOKEN.finditer(expression):
        if token["open"]:
            levels.append([0, 0])
        elif token["close"] and len(levels) > 1:
            close()
        elif token["operator"]:
            levels[-1][0] += 1
    while len(levels) > 1:
        close()
    return sum(levels[0])


def _read_selector(node: VectorSelector) -> Selector:
    name = node.name
    matchers = []
    for one in node.matchers.matchers:
        operator = _OPERATORS[str(one.op).rpartition(".")[2]]
        if one.name == "__name__":
            name = one.value if operator == "=" else None
        else:
            matchers.append((one.name, operator, one.value))
    return Selector(name, tuple(matchers))
