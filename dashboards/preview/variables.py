"""Dashboard variables, and text in which they stand, as Grafana resolves them.

After ``packages/grafana-prometheus`` (``metric_find_query.ts``, ``datasource.tsx``) and
``public/app/features/templating/template_srv.ts`` of Grafana 11.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from dashboards.preview.intervals import Span
from dashboards.preview.prometheus import Prometheus

ALL = "$__all"
_PLACE = re.compile(
    r"\$(?P<plain>\w+)"
    r"|\[\[(?P<old>\w+?)(?::(?P<oldformat>\w+))?\]\]"
    r"|\$\{(?P<braced>\w+)(?::(?P<format>[^}]+))?\}"
)
_LABEL_VALUES = re.compile(r"label_values\((?:(?P<selector>.+),\s*)?(?P<label>\w+)\)")
_QUERY_RESULT = re.compile(r"query_result\((?P<expr>.+)\)", re.DOTALL)
_METRICS = re.compile(r"metrics\((?P<pattern>.*)\)")
_SPECIAL = re.compile(r"[\\^$.*+?()\[\]{}|]")
_DIGITS = re.compile(r"\d+")
_NATURAL = {7, 8}
_NUMERIC = {3, 4}
_DESCENDING = {2, 4, 6, 8}
_IGNORING_CASE = {5, 6}


class VariableError(Exception):
    """A dashboard's variable, or its place in a text, is not as it must be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What a variable stands for.

    Attributes:
        name: Of the variable.
        values: The chosen values.
        all_value: What stands for all of them, raw; None where they are listed.
        listed: Whether a list of values may be meant: multi, or with an "All".
        title: What the reader sees.
        options: All values that could be chosen.
    """

    name: str
    values: tuple[str, ...]
    all_value: str | None = None
    listed: bool = False
    title: str = ""
    options: tuple[str, ...] = ()


Choices = Mapping[str, Choice]


def interpolate(text: str, choices: Choices, builtin: Mapping[str, str]) -> str:
    """Put in the values of variables.

    Args:
        text: A query, a title, a link.
        choices: The dashboard's variables.
        builtin: Grafana's own, without the dollar sign.

    Raises:
        VariableError: A format is not known, or a variable is not.
    """

    def replace(match: re.Match[str]) -> str:
        name = match["plain"] or match["old"] or match["braced"]
        if name in builtin:
            return builtin[name]
        if name not in choices:
            message = f"${name} is no variable of the dashboard"
            raise VariableError(message)
        return _format(choices[name], match["format"] or match["oldformat"])

    return _PLACE.sub(replace, text)


def _format(choice: Choice, name: str | None) -> str:
    if choice.all_value is not None and name != "text":
        return choice.all_value
    if name is None:
        return _as_promql(choice)
    try:
        render = _FORMATS[name]
    except KeyError:
        message = f"the format {name!r} of ${choice.name} is not known"
        raise VariableError(message) from None
    return render(choice)


def _as_promql(choice: Choice) -> str:
    """Escape once for a string, and once more for a pattern where several may come."""
    if not choice.listed:
        (value,) = choice.values or ("",)
        return value.replace("\\", "\\\\").replace('"', '\\"')
    return _as_pattern(choice).replace("\\", "\\\\")


def _as_pattern(choice: Choice) -> str:
    escaped = [_SPECIAL.sub(lambda found: "\\" + found[0], v) for v in choice.values]
    return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"


_FORMATS: dict[str, Callable[[Choice], str]] = {
    "raw": lambda one: ",".join(one.values),
    "csv": lambda one: ",".join(one.values),
    "text": lambda one: one.title,
    "pipe": lambda one: "|".join(one.values),
    "regex": _as_pattern,
    "json": lambda one: json.dumps(list(one.values)),
    "doublequote": lambda one: ",".join(f'"{value}"' for value in one.values),
    "percentencode": lambda one: quote(",".join(one.values), safe=""),
    "queryparam": lambda one: "&".join(
        f"var-{one.name}={quote(value, safe='')}" for value in one.values
    ),
}


def resolve_variables(
    dashboard: Mapping[str, Any],
    server: Prometheus,
    span: Span,
    chosen: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Choice]:
    """Resolve a dashboard's variables in their order.

    Args:
        dashboard: Its JSON.
        server: Whom to ask.
        span: What is shown.
        chosen: What the reader has chosen, by the name of the variable; else the
            dashboard's own choice, else the first.

    Raises:
        VariableError: A variable or its query is not one that is known here.
        QueryError: Prometheus refuses a query.
    """
    choices: dict[str, Choice] = {}
    for variable in dashboard.get("templating", {}).get("list", []):
        name = variable["name"]
        options = find_options(variable, choices, server, span)
        wanted = (chosen or {}).get(name)
        choices[name] = _choose(variable, options, wanted)
    return choices


def find_options(
    variable: Mapping[str, Any], choices: Choices, server: Prometheus, span: Span
) -> list[str]:
    """Find the values that a variable may have; see `resolve_variables`."""
    match variable["type"]:
        case "datasource":
            return [server.url]
        case "custom" | "interval":
            return [part.strip() for part in variable["query"].split(",")]
        case "constant" | "textbox":
            return [variable["query"]]
        case "query":
            query = variable["query"]
            text = query["query"] if isinstance(query, Mapping) else query
            builtin = {"__range": f"{round(span.seconds)}s"}
            found = _find(interpolate(text, choices, builtin), server, span)
            return _sort(_filter(found, variable.get("regex", "")), variable)
        case other:
            message = f"variable {variable['name']}: type {other!r} is not known"
            raise VariableError(message)


def _find(query: str, server: Prometheus, span: Span) -> list[str]:
    times = {"start": str(span.start), "end": str(span.end)}
    if match := _LABEL_VALUES.fullmatch(query):
        path = f"label/{match['label']}/values"
        if match["selector"]:
            times["match"] = match["selector"]
        return list(server.ask(path, **times))
    if match := _QUERY_RESULT.fullmatch(query):
        data = server.ask("query", query=match["expr"], time=str(span.end))
        return [_write_result(one) for one in data["result"]]
    if match := _METRICS.fullmatch(query):
        names = server.ask("label/__name__/values", **times)
        return [name for name in names if re.search(match["pattern"], name)]
    message = f"the variable's query {query!r} is not known"
    raise VariableError(message)


def _write_result(one: Mapping[str, Any]) -> str:
    labels = dict(one["metric"])
    name = labels.pop("__name__", "")
    pairs = ",".join(f'{key}="{value}"' for key, value in labels.items())
    at, value = one["value"]
    return f"{name}{{{pairs}}} {value} {round(at * 1000)}"


def _filter(found: list[str], pattern: str) -> list[str]:
    if not pattern:
        return found
    compiled = re.compile(pattern.strip("/").replace("(?<", "(?P<"))
    values = []
    for text in found:
        if match := compiled.search(text):
            named = match.groupdict().get("value")
            values.append(named or (match[1] if match.groups() else match[0]))
    return list(dict.fromkeys(values))


def _sort(values: list[str], variable: Mapping[str, Any]) -> list[str]:
    order = variable.get("sort", 0)
    if not order:
        return values

    def key(text: str) -> Any:
        if order in _NATURAL:
            parts = re.split(r"(\d+)", text)
            return [int(part) if part.isdigit() else part for part in parts]
        if order in _NUMERIC:
            number = _DIGITS.search(text)
            return int(number[0]) if number else -1
        return text.lower() if order in _IGNORING_CASE else text

    return sorted(values, key=key, reverse=order in _DESCENDING)


def _choose(
    variable: Mapping[str, Any], options: list[str], wanted: Sequence[str] | None
) -> Choice:
    listed = bool(variable.get("multi") or variable.get("includeAll"))
    name = variable["name"]
    if wanted is None:
        wanted = _stored(variable)
    if list(wanted) == [ALL] and variable.get("includeAll"):
        every = variable.get("allValue") or None
        return Choice(
            name=name,
            values=tuple(options),
            all_value=every,
            listed=True,
            title="All",
            options=tuple(options),
        )
    kept = tuple(value for value in wanted if value in options) or tuple(options[:1])
    title = "Prometheus" if variable["type"] == "datasource" else " + ".join(kept)
    return Choice(
        name=name, values=kept, listed=listed, title=title, options=tuple(options)
    )


def _stored(variable: Mapping[str, Any]) -> list[str]:
    current = (variable.get("current") or {}).get("value")
    if not current:
        return [ALL] if variable.get("includeAll") else []
    return [current] if isinstance(current, str) else list(current)
