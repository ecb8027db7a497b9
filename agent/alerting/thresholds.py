"""Thresholds: the numbers of the alert rules and dashboards, and the user's own.

The packaged ones stand in ``alerts/thresholds.yaml``, with unit and reason. A user's file
has the same shape and names what differs; ``clusters`` holds what differs for one add-on.
"""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from agent.clock import parse_duration
from agent.errors import SettingsError
from agent.marked_yaml import Marked, MarkedYamlError, read_marked
from agent.packaged import find_packaged
from agent.suggestions import suggest

CLUSTERS = "clusters"

_ADDON = re.compile(r"[a-z0-9][a-z0-9-]{0,99}", re.IGNORECASE)
_NUMBER = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?)(%?)")
_DURATION_UNITS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000))


def _parse_number(text: str) -> float:
    match = _NUMBER.fullmatch(text)
    if match is None:
        message = f"{text!r} is no positive number"
        raise ValueError(message)
    return float(match[1]) / (100 if match[2] else 1)


def _parse_ratio(text: str) -> float:
    value = _parse_number(text)
    if not value < 1:
        message = f"{text} is not between 0 and 1"
        raise ValueError(message)
    return value


def _parse_count(text: str) -> float:
    value = _parse_number(text)
    if value != int(value):
        message = f"{text} is no whole number"
        raise ValueError(message)
    return value


_PARSERS: dict[str, Callable[[str], float]] = {
    "bytes_per_second": _parse_number,
    "count": _parse_count,
    "duration": parse_duration,
    "factor": _parse_number,
    "iops": _parse_number,
    "per_cpu": _parse_number,
    "per_minute": _parse_number,
    "ratio": _parse_ratio,
}
"""The closed set of units."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """One number.

    Attributes:
        name: Group and name, like ``load.warning``.
        value: In the unit; seconds for a duration.
        unit: One of the units at the head of ``alerts/thresholds.yaml``.
        reason: Why it is what it is.
        below: Name of the threshold that it must be smaller than.
    """

    name: str
    value: float
    unit: str
    reason: str
    below: str | None = None

    def __str__(self) -> str:
        """Write it as PromQL does: ``0.8``, ``15m``."""
        if self.unit == "duration":
            return render_duration(self.value)
        return f"{self.value:.9g}"


Values = Mapping[str, Threshold]


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """All numbers.

    Attributes:
        values: By name, for every cluster that has none of its own.
        clusters: By add-on, then by name: only what differs there.
    """

    values: Values
    clusters: Mapping[str, Values] = field(default_factory=dict)

    def number(self, name: str, addon: str | None = None) -> float:
        """Return one number, seconds for a duration.

        Args:
            name: Group and name, like ``load.warning``.
            addon: The cluster that it is for; None for what holds for all clusters.
        """
        own = self.clusters.get(addon, {}) if addon is not None else {}
        return own.get(name, self.values[name]).value

    def values_of(self, addon: str) -> Values:
        """Return the numbers of one cluster."""
        return {**self.values, **self.clusters.get(addon, {})}


def render_duration(seconds: float) -> str:
    """Write a duration as Prometheus does, in its largest whole unit.

    Args:
        seconds: At least a millisecond.

    Returns:
        ``15m``, ``90s``, ``3750ms``.
    """
    milliseconds = max(1, round(seconds * 1_000))
    for unit, size in _DURATION_UNITS:
        if milliseconds % size == 0:
            return f"{milliseconds // size}{unit}"
    return f"{milliseconds}ms"


@cache
def packaged_thresholds() -> Thresholds:
    """Read the thresholds that come with the agent."""
    # Most commands read this file at their start, and libyaml is ten times as fast.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = find_packaged("alerts", "thresholds.yaml").read_text("utf-8")
    groups = yaml.load(text, loader)  # noqa: S506 (both are safe loaders)
    values: dict[str, Threshold] = {}
    for group, leaves in groups.items():
        for name, leaf in leaves.items():
            below = leaf.get("below")
            if below is not None and "." not in below:
                below = f"{group}.{below}"
            values[f"{group}.{name}"] = Threshold(
                name=f"{group}.{name}",
                value=_PARSERS[leaf["unit"]](str(leaf["value"])),
                unit=leaf["unit"],
                reason=leaf["reason"].strip(),
                below=below,
            )
    return Thresholds(values=values)


def choose_thresholds(path: Path | None, settings: Iterable[str]) -> Thresholds:
    """Put a user's thresholds over the packaged ones: a file first, then ``--set``.

    Args:
        path: A YAML file, None for none.
        settings: ``load.warning=0.7``, or ``ADDON:load.warning=0.7`` for one cluster.

    Returns:
        All numbers; not yet checked for contradictions.

    Raises:
        SettingsError: One sentence for each problem of both.
    """
    thresholds, problems = collect_thresholds(path, settings)
    if problems:
        raise SettingsError(*problems)
    return thresholds


def collect_thresholds(
    path: Path | None, settings: Iterable[str]
) -> tuple[Thresholds, list[str]]:
    """Put a user's thresholds over the packaged ones, as far as they can be read.

    Args:
        path: A YAML file, None for none.
        settings: See `choose_thresholds`.

    Returns:
        All numbers, not yet checked for contradictions, and one sentence for each
        problem of both, with line or option.
    """
    problems: list[str] = []
    thresholds = packaged_thresholds()
    if path is not None:
        thresholds, problems = _read(path, thresholds)
    thresholds, others = _set(settings, thresholds)
    return thresholds, [*problems, *others]


def find_contradictions(thresholds: Thresholds) -> list[str]:
    """List the thresholds that are not smaller than the one they must be smaller than.

    Returns:
        One sentence for each, with both names and the cluster where it is about one.
    """
    problems = _contradictions(thresholds.values, "")
    for addon in thresholds.clusters:
        found = _contradictions(thresholds.values_of(addon), f"{addon}: ")
        problems += [
            one for one in found if one.removeprefix(f"{addon}: ") not in problems
        ]
    return problems


def _contradictions(values: Values, prefix: str) -> list[str]:
    return [
        f"{prefix}{one.name} ({one}) must be below {other.name} ({other})"
        for one in values.values()
        if one.below and not one.value < (other := values[one.below]).value
    ]


class _Given(NamedTuple):
    """One number of the user's.

    Attributes:
        where: File and line, or option.
        addon: None for all clusters.
        name: As given.
        value: As given.
    """

    where: str
    addon: str | None
    name: str
    value: object


def _read(path: Path, base: Thresholds) -> tuple[Thresholds, list[str]]:
    try:
        tree = read_marked(path.read_text("utf-8"))
    except OSError as error:
        return base, [f"cannot read {path}: {error.strerror}"]
    except UnicodeDecodeError:
        return base, [f"{path} is no YAML: it is not written in UTF-8"]
    except MarkedYamlError as error:
        where = path if error.line is None else f"{path}:{error.line}"
        return base, [f"{where} is no YAML: {error}"]
    if tree is None:
        return base, []
    if not isinstance(tree, Marked):
        return base, [f"{path} must hold groups like 'load: {{warning: 0.7}}'"]
    given, problems = _flatten(path, tree)
    thresholds, others = _merge(base, given)
    return thresholds, [*problems, *others]


def _set(settings: Iterable[str], base: Thresholds) -> tuple[Thresholds, list[str]]:
    given = []
    problems = []
    for setting in settings:
        left, equals, value = setting.partition("=")
        addon, colon, name = left.strip().rpartition(":")
        if not equals or (colon and not addon):
            problems.append(f"--set: {setting!r} must be written load.warning=0.7")
        else:
            given.append(_Given("--set", addon or None, name.strip(), value.strip()))
    thresholds, others = _merge(base, given)
    return thresholds, [*problems, *others]


def _flatten(path: Path, tree: Marked) -> tuple[list[_Given], list[str]]:
    """List the numbers of a file, and what is in the place of groups."""
    given = [
        _Given(f"{path}:{line}", None, name, value)
        for name, value, line in _walk(tree)
        if name != CLUSTERS and not name.startswith(f"{CLUSTERS}.")
    ]
    problems: list[str] = []
    clusters = tree.get(CLUSTERS)
    if clusters is None:
        return given, problems
    if not isinstance(clusters, Marked):
        where = f"{path}:{tree.lines[CLUSTERS]}"
        return given, [
            f"{where}: {CLUSTERS} must hold add-ons, each with groups of its own"
        ]
    for addon, groups in clusters.items():
        if isinstance(groups, Marked):
            given += [
                _Given(f"{path}:{line}", str(addon), name, value)
                for name, value, line in _walk(groups)
            ]
        else:
            where = f"{path}:{clusters.lines.get(addon, clusters.line)}"
            problems.append(
                f"{where}: {CLUSTERS}.{addon} must hold groups of thresholds"
            )
    return given, problems


def _walk(tree: Marked, prefix: str = "") -> Iterator[tuple[str, Any, int]]:
    """Yield the leaves with their lines: what is no mapping, or one with a value."""
    for name, value in tree.items():
        if isinstance(value, Marked) and "value" not in value:
            yield from _walk(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value, tree.lines.get(name, tree.line)


def _merge(base: Thresholds, given: Iterable[_Given]) -> tuple[Thresholds, list[str]]:
    values = dict(base.values)
    clusters = {addon: dict(own) for addon, own in base.clusters.items()}
    problems: list[str] = []
    for where, addon, name, value in given:
        full = f"{addon}: {name}" if addon else name
        known = base.values.get(name)
        if addon is not None and not _ADDON.fullmatch(addon):
            problems.append(f"{where}: {addon!r} is no name of an add-on")
        elif known is None:
            hint = suggest(name, base.values)
            problems.append(f"{where}: unknown threshold {full}{hint}")
        else:
            try:
                changed = replace(known, value=_parse(known, value))
            except ValueError as error:
                problems.append(f"{where}: {full}: {error}")
            else:
                target = values if addon is None else clusters.setdefault(addon, {})
                target[name] = changed
    return Thresholds(values=values, clusters=clusters), problems


def _parse(known: Threshold, value: object) -> float:
    if isinstance(value, dict):
        unit = value.get("unit", known.unit)
        if unit != known.unit:
            message = f"its unit is {known.unit}, not {unit}"
            raise ValueError(message)
        value = value["value"]
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        message = "a duration like 15m is needed"
        if known.unit != "duration":
            message = "a number is needed"
        raise ValueError(message)  # noqa: TRY004 (what the user wrote, no caller's type)
    # A bare number is no duration: 15 could be meant in minutes.
    if known.unit == "duration" and _NUMBER.fullmatch(str(value)):
        message = f"{value} needs a unit, like 15m"
        raise ValueError(message)
    parsed = _PARSERS[known.unit](str(value))
    if not (math.isfinite(parsed) and parsed > 0):
        message = f"{value} is not greater than 0"
        raise ValueError(message)
    return parsed
