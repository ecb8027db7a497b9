"""Functions and operators of PromQL, with the semantics of Prometheus 2.42.

Source: prometheus/prometheus, ``promql/functions.go`` and ``promql/quantile.go``.
"""

import math
import operator
from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise
from statistics import fmean

from agent.promql.values import Labels, Points, Vector, drop_labels

# A series is assumed to begin or end this many mean intervals beyond its samples.
_GAP = 1.1

RangeFunction = Callable[[Points, float, float], float | None]
"""From points and the window's start and end to a value; None for no result."""


def increase(points: Points, start: float, end: float) -> float | None:
    """Return how much a counter grew, extrapolated to the edges of the window."""
    times, values = points
    sampled = times[-1] - times[0]
    if len(times) < 2 or sampled <= 0:  # noqa: PLR2004 (one sample shows no growth)
        return None
    grown = values[-1] - values[0]
    grown += sum(before for before, after in pairwise(values) if after < before)
    interval = sampled / (len(times) - 1)
    to_start = times[0] - start
    if grown > 0 and values[0] >= 0:
        # A counter is not extrapolated to below zero.
        to_start = min(to_start, sampled * values[0] / grown)
    covered = sampled
    for gap in (to_start, end - times[-1]):
        covered += gap if gap < _GAP * interval else interval / 2
    return grown * covered / sampled


def rate(points: Points, start: float, end: float) -> float | None:
    """Return the growth of a counter per second."""
    grown = increase(points, start, end)
    return None if grown is None else grown / (end - start)


def predict_linear(points: Points, now: float, ahead: float) -> float | None:
    """Extrapolate a gauge by simple linear regression.

    Args:
        points: Of the window.
        now: Time of the evaluation.
        ahead: Seconds from there.
    """
    times, values = points
    if len(times) < 2:  # noqa: PLR2004 (one point is no line)
        return None
    if all(value == values[0] for value in values):
        return values[0]
    middle = fmean(times)
    mean = fmean(values)
    spread = sum((t - middle) ** 2 for t in times)
    shared = sum((t - middle) * (v - mean) for t, v in zip(times, values, strict=True))
    return mean + shared / spread * (now + ahead - middle)


def _over_time(function: Callable[[Iterable[float]], float]) -> RangeFunction:
    return lambda points, _start, _end: function(points.values)


RANGE_FUNCTIONS: Mapping[str, RangeFunction] = {
    "avg_over_time": _over_time(fmean),
    "increase": increase,
    "last_over_time": lambda points, _start, _end: points.values[-1],
    "max_over_time": _over_time(max),
    "min_over_time": _over_time(min),
    "rate": rate,
}

AGGREGATIONS: Mapping[str, Callable[[list[float]], float]] = {
    "avg": fmean,
    "count": len,
    "group": lambda _values: 1.0,
    "max": max,
    "min": min,
    "sum": math.fsum,
}


def divide(left: float, right: float) -> float:
    """Divide as IEEE 754 does, where Python raises."""
    if right:
        return left / right
    if math.isnan(left) or not left:
        return math.nan
    return math.copysign(math.inf, left) * math.copysign(1.0, right)


ARITHMETIC: Mapping[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": divide,
}

COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}


def round_half_up(value: float) -> float:
    """Round to the nearest whole number, and a half upwards."""
    return math.floor(value + 0.5) if math.isfinite(value) else value


def histogram_quantile(quantile: float, buckets: Vector) -> Vector:
    """Estimate a quantile of each histogram, linearly within a bucket.

    Args:
        quantile: Between 0 and 1.
        buckets: Cumulative counts or rates, with the label ``le``.
    """
    histograms: dict[Labels, list[tuple[float, float]]] = {}
    for labels, count in buckets.items():
        bound = float(dict(labels).get("le", "nan"))
        if not math.isnan(bound):
            rest = drop_labels(labels, frozenset({"le"}))
            histograms.setdefault(rest, []).append((bound, count))
    return {
        labels: _find_quantile(quantile, sorted(found))
        for labels, found in histograms.items()
    }


def _find_quantile(quantile: float, buckets: list[tuple[float, float]]) -> float:
    bounds, counts = zip(*buckets, strict=True)
    if bounds[-1] != math.inf or len(bounds) < 2 or not counts[-1]:  # noqa: PLR2004 (+Inf alone says nothing)
        return math.nan
    rank = quantile * counts[-1]
    index = next(i for i, count in enumerate(counts) if count >= rank)
    if index == len(bounds) - 1:
        return float(bounds[-2])
    if index == 0:
        return (
            float(bounds[0] * divide(rank, counts[0])) if bounds[0] > 0 else bounds[0]
        )
    below, inside = counts[index - 1], counts[index] - counts[index - 1]
    width = bounds[index] - bounds[index - 1]
    return float(bounds[index - 1] + width * divide(rank - below, inside))
