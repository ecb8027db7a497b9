"""How Grafana chooses the step of a query, and the variables that come from it.

After ``packages/grafana-data/src/datetime/rangeutil.ts`` (`roundInterval`) and
``pkg/promlib/models/query.go`` (`calculateRateInterval`) of Grafana 11.
"""

import re
from bisect import bisect_left
from dataclasses import dataclass

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w|y)")
_SECONDS = {
    "ms": 0.001,
    "s": 1.0,
    "m": 60.0,
    "h": 3_600.0,
    "d": 86_400.0,
    "w": 604_800.0,
    "y": 31_536_000.0,
}
# Up to the first number of seconds, the second one is taken.
_ROUNDED = (
    (1.5, 1), (3.5, 2), (7.5, 5), (12.5, 10), (17.5, 15), (25, 20), (45, 30),
    (90, 60), (210, 120), (450, 300), (750, 600), (1_050, 900), (1_500, 1_200),
    (2_700, 1_800), (5_400, 3_600), (9_000, 7_200), (16_200, 10_800),
    (32_400, 21_600), (86_400, 43_200), (604_800, 86_400), (1_814_400, 604_800),
)  # fmt: skip
_MAX_POINTS = 11_000


@dataclass(frozen=True, slots=True)
class Span:
    """What a dashboard shows.

    Attributes:
        start: Seconds since the epoch.
        end: The same.
    """

    start: float
    end: float

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.end - self.start


def parse_seconds(text: str) -> float:
    """Convert a duration as Grafana writes it.

    Args:
        text: Like ``5m``, ``1h30m``, ``now-6h`` or ``>30s``, which mean the same here.

    Returns:
        Seconds; 0 for ``now``.

    Raises:
        ValueError: It is no such duration.
    """
    plain = text.strip().removeprefix("now").lstrip("->")
    found = _DURATION.findall(plain)
    if "".join(number + unit for number, unit in found) != plain:
        message = f"{text!r} is no duration"
        raise ValueError(message)
    return sum(float(number) * _SECONDS[unit] for number, unit in found)


def round_interval(seconds: float) -> float:
    """Round to one of the steps that Grafana uses."""
    limits = [limit for limit, _ in _ROUNDED]
    place = bisect_left(limits, seconds)
    return float(_ROUNDED[min(place, len(_ROUNDED) - 1)][1])


def choose_step(span: Span, points: int, at_least: float) -> float:
    """Choose the step of a range query.

    Args:
        span: What is shown.
        points: How many points at most, from the panel or its width.
        at_least: Seconds: the panel's smallest interval, or the data source's.
    """
    wanted = round_interval(span.seconds / max(points, 1))
    return max(wanted, at_least, span.seconds / _MAX_POINTS)


def choose_rate_interval(step: float, scrape: float) -> float:
    """Return ``$__rate_interval`` in seconds."""
    return max(step + scrape, 4 * scrape)


def render_seconds(seconds: float) -> str:
    """Write a duration as PromQL takes it: ``90s``, ``4m``."""
    if seconds < 1:
        return f"{round(seconds * 1000)}ms"
    whole = round(seconds)
    for unit in ("d", "h", "m"):
        if whole % int(_SECONDS[unit]) == 0:
            return f"{whole // int(_SECONDS[unit])}{unit}"
    return f"{whole}s"
