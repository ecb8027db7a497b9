"""From a broker's line to what it means, by the table in `agent.kafka.message_rules`."""

import re
from functools import cache, lru_cache
from typing import NamedTuple

from agent.kafka.categories import (
    CATEGORY_FIRST_STEP,
    CATEGORY_MEANING,
    Category,
    Urgency,
)
from agent.kafka.message_rules import CLASSES, RULES, THREADS, Rule
from parsers import BrokerLog, Level

_BY_LEVEL = {
    Level.WARN: Urgency.INFO,
    Level.ERROR: Urgency.WARNING,
    Level.FATAL: Urgency.CRITICAL,
}


class Verdict(NamedTuple):
    """What a line means.

    Attributes:
        category: What it is about.
        urgency: What it asks for.
        meaning: One sentence.
        first_step: What to look at first.
    """

    category: Category
    urgency: Urgency
    meaning: str
    first_step: str


def classify(line: BrokerLog) -> Verdict:
    """Judge a line by its class and what it says.

    Only where no rule knows the message does the level decide the urgency, for want of
    anything better; the category is then that of the class or the thread.

    Args:
        line: The line, with the trace that belongs to it.

    Returns:
        The verdict; `Category.UNKNOWN` where nothing is known.
    """
    rule = maybe_find_rule(line)
    if rule is not None:
        return Verdict(rule.category, rule.urgency, rule.meaning, rule.first_step)
    category = _category_of_class(_outer_class(line)) or _category_of_thread(
        line.thread
    )
    return _verdict_by_level(category, line.level)


def maybe_find_rule(line: BrokerLog) -> Rule | None:
    """Find the first row of the table that fits a line, or None."""
    said = f"{line.text}\n{line.trace}" if line.trace else line.text
    for texts, rule in _rules_of(_outer_class(line)):
        if _holds(said, texts):
            return rule
    return None


@cache
def possible_cells() -> tuple[tuple[Category, Urgency], ...]:
    """List each category with each urgency that it can come with, in their order."""
    by_rule = {(rule.category, rule.urgency) for rule in RULES}
    by_level = {(one, urgency) for one in Category for urgency in _BY_LEVEL.values()}
    return tuple(
        (category, urgency)
        for category in Category
        for urgency in Urgency
        if (category, urgency) in by_rule | by_level
    )


def _outer_class(line: BrokerLog) -> str:
    return line.logger.partition("$")[0]


Texts = tuple[tuple[str, ...], ...]
"""Alternatives; each is a sequence of texts with anything between them."""


class _Names(NamedTuple):
    """Names of classes; ``*`` in front or behind them has been taken off."""

    whole: frozenset[str]
    starts: tuple[str, ...]
    ends: tuple[str, ...]

    def hold(self, logger: str) -> bool:
        return (
            logger in self.whole
            or logger.startswith(self.starts)
            or logger.endswith(self.ends)
        )


def _names(written: str) -> _Names:
    names = written.split()
    return _Names(
        frozenset(name for name in names if "*" not in name),
        tuple(name[:-1] for name in names if name.endswith("*")),
        tuple(name[1:] for name in names if name.startswith("*")),
    )


_ROWS: tuple[tuple[_Names, Texts, Rule], ...] = tuple(
    (
        _names(rule.classes or "*"),
        tuple(tuple(one.split(" … ")) for one in rule.text.split("|")),
        rule,
    )
    for rule in RULES
)
_CLASSES = tuple((category, _names(names)) for category, names in CLASSES)


def _holds(said: str, texts: Texts) -> bool:
    """Say whether `said` holds one of the alternatives."""
    for first, *others in texts:
        at = said.find(first)
        for text in others:
            at = said.find(text, at + 1) if at >= 0 else at
        if at >= 0:
            return True
    return False


# Class names are the line's own text: whoever invents them must not fill our memory.
@lru_cache(maxsize=256)
def _rules_of(logger: str) -> tuple[tuple[Texts, Rule], ...]:
    """Select the rows that can fit a class, in their order."""
    return tuple((texts, rule) for names, texts, rule in _ROWS if names.hold(logger))


@lru_cache(maxsize=256)
def _category_of_class(logger: str) -> Category | None:
    return next((one for one, names in _CLASSES if names.hold(logger)), None)


@lru_cache(maxsize=256)
def _category_of_thread(thread: str) -> Category:
    for category, pattern in THREADS:
        if re.search(pattern, thread):
            return category
    return Category.UNKNOWN


@cache
def _verdict_by_level(category: Category, level: Level) -> Verdict:
    if category is Category.UNKNOWN:
        meaning = "Neither the class nor the message is known to this version."
    else:
        meaning = (
            f"A message that this version does not know, about "
            f"{CATEGORY_MEANING[category]}."
        )
    return Verdict(category, _BY_LEVEL[level], meaning, CATEGORY_FIRST_STEP[category])
