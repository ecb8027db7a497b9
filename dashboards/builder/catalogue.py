"""The series that the agent exports, and those that a query asks for."""

import re
from functools import cache
from typing import Any

import promql_parser
from promql_parser import VectorSelector

from agent.checks import exported_metrics
from dashboards.builder.errors import BuildError

PROMETHEUS = frozenset({"ALERTS", "up"})
"""What Prometheus itself adds."""

_NAME = re.compile(r'__name__=~"heroku_kafka_\(([a-z0-9_|]+)\)"')
_VARIABLE = re.compile(r"\$\{?(\w+)(?::\w+)?\}?")
_DURATIONS = {"__interval", "__rate_interval", "__range"}


@cache
def find_metrics() -> frozenset[str]:
    """Find the names of all series that can be asked for."""
    return PROMETHEUS | exported_metrics().keys()


def fill_variables(expression: str) -> str:
    """Put something for each variable, so that PromQL can be parsed."""
    return _VARIABLE.sub(
        lambda found: "5m" if found[1] in _DURATIONS else "x", expression
    )


def parse_expression(expression: str) -> Any:
    """Parse PromQL with variables.

    Raises:
        BuildError: It is none.
    """
    try:
        return promql_parser.parse(fill_variables(expression))
    except ValueError as error:
        message = f"no PromQL: {error} in {expression!r}"
        raise BuildError(message) from None


def find_selectors(expression: str) -> list[VectorSelector]:
    """Find the selectors of PromQL.

    Raises:
        BuildError: It is no PromQL.
    """
    found: list[VectorSelector] = []

    def visit(node: Any) -> None:
        if isinstance(node, VectorSelector):
            found.append(node)

    promql_parser.walk(parse_expression(expression), pre_visit=visit)
    return found


def find_names(expression: str) -> set[str]:
    """Find the names of the series that PromQL asks for.

    Raises:
        BuildError: It is no PromQL, or a selector has no name.
    """
    names: set[str] = set()
    for selector in find_selectors(expression):
        name = selector.name
        if name is None:
            # A pattern of names, as the variable of the clusters has it.
            match = _NAME.search(expression)
            if match is None:
                message = f"a selector without a name in {expression!r}"
                raise BuildError(message)
            names.update(f"heroku_kafka_{one}" for one in match[1].split("|"))
        else:
            names.add(name)
    return names


def check_names(expression: str) -> None:
    """Check that the agent exports what PromQL asks for.

    Raises:
        BuildError: It does not.
    """
    unknown = find_names(expression) - find_metrics()
    if unknown:
        message = f"unknown metric {', '.join(sorted(unknown))}"
        raise BuildError(message)
