"""What expressions are made of: labels, vectors, selectors, and where series come from."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

Labels = tuple[tuple[str, str], ...]
"""Names and values in the order of the names, without the metric's name."""

Vector = dict[Labels, float]
Value = float | Vector


class Points(NamedTuple):
    """The samples of one series in a window, the oldest first.

    Attributes:
        times: Seconds since the epoch.
        values: As many.
    """

    times: Sequence[float]
    values: Sequence[float]


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on a label; a missing label is the empty string.

    Attributes:
        name: The label.
        test: Says whether a value matches.
    """

    name: str
    test: Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Selector:
    """The series of one metric.

    Attributes:
        name: The metric's.
        matchers: Conditions that all hold.
    """

    name: str
    matchers: tuple[Matcher, ...] = ()

    def matches(self, labels: Labels) -> bool:
        """Say whether a series of this name is selected."""
        if not self.matchers:
            return True
        values = dict(labels)
        return all(one.test(values.get(one.name, "")) for one in self.matchers)


class Source(Protocol):
    """Where an expression finds series."""

    def latest(self, selector: Selector) -> Vector:
        """Return the present values of the selected series."""

    def window(
        self, selector: Selector, start: float, end: float
    ) -> Iterable[tuple[Labels, Points]]:
        """Return the samples from `start` to `end`, both included, where there are any."""


def make_labels(labels: Iterable[tuple[str, str]]) -> Labels:
    """Bring labels into their order; an empty value is no label."""
    return tuple(sorted(pair for pair in labels if pair[1]))


def keep_labels(labels: Labels, names: frozenset[str]) -> Labels:
    """Return the labels with the given names."""
    return tuple(pair for pair in labels if pair[0] in names)


def drop_labels(labels: Labels, names: frozenset[str]) -> Labels:
    """Return the labels without the given names."""
    return tuple(pair for pair in labels if pair[0] not in names)


def match_equal(value: str, *, negated: bool = False) -> Callable[[str], bool]:
    """Test for one value, as ``=`` and ``!=`` do."""
    return lambda found: (found == value) is not negated


def match_regex(pattern: str, *, negated: bool = False) -> Callable[[str], bool]:
    """Test for a whole value, as ``=~`` and ``!~`` do."""
    compiled = re.compile(pattern)
    return lambda found: (compiled.fullmatch(found) is not None) is not negated
