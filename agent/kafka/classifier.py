"""Verdicts on brokers' log lines, by the tables in `agent.kafka.message_rules`."""

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from itertools import product
from types import MappingProxyType
from typing import NamedTuple

from agent.kafka.categories import (
    CATEGORY_FIRST_STEP,
    CATEGORY_MEANING,
    Category,
    Urgency,
)
from agent.kafka.matcher import (
    Match,
    Names,
    Pattern,
    RuleSet,
    find_raised,
    parse_names,
    parse_patterns,
)
from agent.kafka.message_rules import CLASSES, EXCEPTIONS, OPENINGS, RULES, THREADS
from agent.kafka.rule import Rule
from parsers import BrokerLog

Overrides = Mapping[str, str]
"""Value of an `Urgency` by id of a rule, as the user sets it."""

NO_OVERRIDES: Overrides = MappingProxyType({})


class Verdict(NamedTuple):
    """What a line means.

    Attributes:
        category: What it is about.
        urgency: What it asks for.
        meaning: One sentence.
        first_step: What to check first.
        rule: Id of the rule that decided; None where only the class or thread did.
    """

    category: Category
    urgency: Urgency
    meaning: str
    first_step: str
    rule: str | None


def classify(line: BrokerLog, overrides: Overrides = NO_OVERRIDES) -> Verdict:
    """Judge a line by its class, its own words and its exceptions; never by its level.

    Args:
        line: The line, with the trace that belongs to it.
        overrides: Urgencies that go before those of the rules.

    Returns:
        The verdict; `Category.UNKNOWN` where neither class nor thread is known.
    """
    match = maybe_match(line)
    if match is None:
        return _judge_opening(_fallback(_outer_class(line), line.thread), line.text)
    verdict = _verdict_of(match.rule)
    urgency = overrides.get(match.rule.id)
    return verdict if urgency is None else verdict._replace(urgency=Urgency(urgency))


def maybe_match(line: BrokerLog) -> Match | None:
    """Find the rule that fits a line, with the words that matched, or None."""
    logger = _outer_class(line)
    message = f"{line.text}\n{line.trace}" if line.trace else line.text
    statement = _STATEMENTS.maybe_match(logger, message)
    final = statement is not None and statement.rule.final
    if not final and (line.trace or "Exception: " in message or "Error: " in message):
        raised = _match_exception(logger, message, statement.end if statement else 0)
        if raised is not None:
            return raised
    return statement


def maybe_find_rule(line: BrokerLog) -> Rule | None:
    """Find the rule that fits a line, or None."""
    match = maybe_match(line)
    return None if match is None else match.rule


@cache
def possible_cells() -> tuple[tuple[Category, Urgency], ...]:
    """List each category with each urgency that it can have, in their order.

    An override can give any urgency to a rule; no rule is ``unknown``.
    """
    known = (one for one in Category if one is not Category.UNKNOWN)
    return (*product(known, Urgency), (Category.UNKNOWN, Urgency.INFO))


_STATEMENTS = RuleSet(RULES)
_GRAVEST_FIRST = (*Urgency,)


class _ExceptionRow(NamedTuple):
    classes: Names
    text: tuple[Pattern, ...]
    exceptions: Names
    details: tuple[str, ...]
    rule: Rule


_EXCEPTION_ROWS = tuple(
    _ExceptionRow(
        parse_names(rule.classes),
        parse_patterns(rule.text),
        parse_names(rule.exception),
        tuple(rule.detail.split("|")),
        rule,
    )
    for rule in EXCEPTIONS
)
_OPENINGS = tuple((urgency, tuple(words.split("|"))) for urgency, words in OPENINGS)
_CLASSES = tuple((one, parse_names(one.classes)) for one in CLASSES)


def _match_exception(logger: str, message: str, end: int) -> Match | None:
    """Find the first rule for the exceptions that stand behind the statement's words."""
    raised = tuple(find_raised(message[end:]))
    for row in _EXCEPTION_ROWS if raised else ():
        if not row.classes.hold(logger):
            continue
        for one in raised:
            detail = next((text for text in row.details if text in one.message), None)
            if detail is None or not row.exceptions.hold(one.name):
                continue
            pattern = next((p for p in row.text if p.match(message) >= 0), None)
            if pattern is not None:
                words = (*pattern.words, one.name, *([detail] if detail else []))
                return Match(row.rule, words, end)
    return None


def _outer_class(line: BrokerLog) -> str:
    return line.logger.partition("$")[0]


@cache
def _verdict_of(rule: Rule) -> Verdict:
    return Verdict(rule.category, rule.urgency, rule.meaning, rule.first_step, rule.id)


# Names of classes and threads are the line's own text, so the cache is bounded.
@lru_cache(maxsize=256)
def _fallback(logger: str, thread: str) -> Verdict:
    """Judge by the class, or by the thread where the class is not known either."""
    for default, names in _CLASSES:
        if names.hold(logger):
            return _unruled(default.category, default.urgency)
    for category, pattern in THREADS:
        if re.search(pattern, thread):
            return _unruled(category, Urgency.INFO)
    return _unruled(Category.UNKNOWN, Urgency.INFO)


def _judge_opening(verdict: Verdict, text: str) -> Verdict:
    """Raise or lower the default of a known class by the first words of the message."""
    if verdict.category is Category.UNKNOWN:
        return verdict
    for urgency, words in _OPENINGS:
        if text.startswith(words):
            choose = min if urgency is Urgency.WARNING else max
            both = (urgency, verdict.urgency)
            return verdict._replace(urgency=choose(both, key=_GRAVEST_FIRST.index))
    return verdict


@cache
def _unruled(category: Category, urgency: Urgency) -> Verdict:
    if category is Category.UNKNOWN:
        meaning = "This version knows neither the class nor the message."
    else:
        meaning = f"A message without a rule, about {CATEGORY_MEANING[category]}."
    return Verdict(category, urgency, meaning, CATEGORY_FIRST_STEP[category], None)
