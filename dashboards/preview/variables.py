"""Dashboard variables, as Grafana's documentation describes them.

Supported is what the dashboards use: a data source, and queries with ``label_values``.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashboards.preview.prometheus import Prometheus

ALL = "$__all"
_REFERENCE = re.compile(r"\$(?:(\w+)|\{(\w+)(?::(\w+))?\})")
_LABEL_VALUES = re.compile(r"label_values\((?:(?P<selector>.+),\s*)?(?P<label>\w+)\)")
_NATURAL = 7


@dataclass(frozen=True, slots=True)
class Span:
    """A time range, in seconds since the epoch."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.end - self.start


class VariableError(Exception):
    """A variable, or a reference to one, is not supported or does not exist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The current value of a variable."""

    name: str
    values: tuple[str, ...]
    all_value: str | None = None
    is_list: bool = False
    title: str = ""
    options: tuple[str, ...] = ()

    def as_promql(self) -> str:
        """Return the text for the value of a matcher.

        A single value is escaped as a string, several become a regular expression.
        """
        if self.all_value is not None:
            return self.all_value
        if not self.is_list:
            return "".join(map(_escape, self.values))
        pattern = "|".join(map(re.escape, self.values))
        return _escape(f"({pattern})" if len(self.values) > 1 else pattern)


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def interpolate(
    text: str, choices: Mapping[str, Choice], builtin: Mapping[str, str]
) -> str:
    """Replace references to variables.

    Raises:
        VariableError: A variable does not exist, or its format is not supported.
    """

    def replace(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        if name in builtin:
            return builtin[name]
        if name not in choices or match[3]:
            message = f"{match[0]} is not a variable of the dashboard, or its format is not supported"
            raise VariableError(message)
        return choices[name].as_promql()

    return _REFERENCE.sub(replace, text)


def resolve_variables(
    dashboard: Mapping[str, Any],
    server: Prometheus,
    span: Span,
    chosen: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Choice]:
    """Resolve a dashboard's variables in their order.

    Raises:
        VariableError: A variable or its query is not supported.
        QueryError: Prometheus rejects a query.
    """
    choices: dict[str, Choice] = {}
    for variable in dashboard.get("templating", {}).get("list", []):
        options = _find_options(variable, choices, server, span)
        wanted = (chosen or {}).get(variable["name"], _stored(variable))
        choices[variable["name"]] = _choose(variable, options, wanted)
    return choices


def _find_options(
    variable: Mapping[str, Any],
    choices: Mapping[str, Choice],
    server: Prometheus,
    span: Span,
) -> tuple[str, ...]:
    if variable["type"] == "datasource":
        return ("Prometheus",)
    query = variable["query"]["query"] if variable["type"] == "query" else ""
    match = _LABEL_VALUES.fullmatch(interpolate(query, choices, {}))
    order = variable.get("sort", 0)
    if match is None or variable.get("regex") or order not in (0, _NATURAL):
        message = f"variable {variable['name']}: its type, query, regex or order is not supported"
        raise VariableError(message)
    parameters = {"start": str(span.start), "end": str(span.end)}
    if match["selector"]:
        parameters["match[]"] = match["selector"]
    found = server.ask(f"label/{match['label']}/values", **parameters)
    return tuple(sorted(found, key=_natural_key) if order else found)


def _natural_key(text: str) -> list[tuple[int, int | str]]:
    """Sort numbers within texts by their size."""
    parts = re.split(r"(\d+)", text)
    return [(0, int(one)) if one.isdigit() else (1, one) for one in parts]


def _choose(
    variable: Mapping[str, Any], options: tuple[str, ...], wanted: Sequence[str]
) -> Choice:
    has_all = bool(variable.get("includeAll"))
    is_all = has_all and list(wanted) == [ALL]
    kept = tuple(value for value in wanted if value in options) or options[:1]
    return Choice(
        name=variable["name"],
        values=options if is_all else kept,
        all_value=variable.get("allValue") or None if is_all else None,
        is_list=has_all or bool(variable.get("multi")),
        title="All" if is_all else " + ".join(kept),
        options=options,
    )


def _stored(variable: Mapping[str, Any]) -> Sequence[str]:
    default = [ALL] if variable.get("includeAll") else []
    current = variable.get("current", {}).get("value") or default
    return [current] if isinstance(current, str) else current
