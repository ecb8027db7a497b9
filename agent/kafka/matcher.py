"""Matches of rules against messages, by class and by the message's first word.

Every test is a search for literal text from left to right, so the time is linear in the
message for each rule that is tried, and few are tried: those of the class whose text
begins with the message's first word, and those that may begin anywhere.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from agent.kafka.rule import Rule

MAX_EXCEPTIONS = 10
"""Exceptions of one message that are looked at; Kafka nests two or three."""

LONGEST_NAME = 200
"""Characters of the name of an exception."""

_FULL_NAME = r"(?:[a-z_][a-z0-9_]*\.)+[A-Z][A-Za-z0-9_$]*"
_NAME = re.compile(_FULL_NAME)
_TRACE = re.compile(
    rf"^(?:Caused by: |\tSuppressed: )?({_FULL_NAME}(?:Exception|Error))(?:: (.*))?$",
    re.MULTILINE,
)
_NUMBER = re.compile(r"[0-9]{1,10}")


class Names(NamedTuple):
    """Names of classes; ``*`` in front or behind them is removed."""

    whole: frozenset[str]
    starts: tuple[str, ...]
    ends: tuple[str, ...]

    def hold(self, name: str) -> bool:
        """Return whether `name` is one of them."""
        return (
            name in self.whole
            or name.startswith(self.starts)
            or name.endswith(self.ends)
        )


def parse_names(written: str) -> Names:
    """Read the names of a rule; no name means any."""
    names = written.split() or ["*"]
    return Names(
        frozenset(name for name in names if "*" not in name),
        tuple(name[:-1] for name in names if name.endswith("*")),
        tuple(name[1:] for name in names if name.startswith("*") and name != "*"),
    )


class Pattern(NamedTuple):
    """One alternative of a rule's text.

    Attributes:
        word: The whole first word of the message; empty where that is not known.
        start: Literals at the start of the message with numbers between them; empty
            where the message may begin with anything.
        rest: Literals that follow in this order, with any text between them.
    """

    word: str
    start: tuple[str, ...]
    rest: tuple[str, ...]

    @property
    def words(self) -> tuple[str, ...]:
        """The literals, for people."""
        return tuple(filter(None, ("#".join(self.start), *self.rest)))

    def match(self, message: str) -> int:
        """Return where the last literal ends in `message`, or -1."""
        at = 0
        for number, literal in enumerate(self.start):
            if number:
                digits = _NUMBER.match(message, at)
                if digits is None:
                    return -1
                at = digits.end()
            if not message.startswith(literal, at):
                return -1
            at += len(literal)
        for literal in self.rest:
            at = message.find(literal, at)
            if at < 0:
                return -1
            at += len(literal)
        return at


def parse_patterns(text: str) -> tuple[Pattern, ...]:
    """Read the alternatives of a rule's text; see `agent.kafka.rule.Rule`."""
    return tuple(map(_parse_pattern, text.split("|")))


def _parse_pattern(alternative: str) -> Pattern:
    first, *rest = alternative.split("… ")
    word, blank, _ = first.partition(" ")
    return Pattern(
        word=word if blank else "",
        start=tuple(first.rstrip(" ").split("#")) if first else (),
        rest=tuple(literal.rstrip(" ") for literal in rest),
    )


class Match(NamedTuple):
    """A rule that fits a message.

    Attributes:
        rule: The rule.
        words: The literal texts that were found.
        end: Where the last of them ends in the message.
    """

    rule: Rule
    words: tuple[str, ...]
    end: int


Row = tuple[Pattern, Rule]

Index = tuple[dict[str, tuple[Row, ...]], tuple[Row, ...]]
"""Rows by the first word of a message, and those for messages with any other one."""


class RuleSet:
    """Rules of one table, indexed by class and by the first word of the message.

    Args:
        rules: The table; the first rule that fits decides.
    """

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rows: list[Row] = []
        self._of_name: dict[str, list[int]] = {}
        self._of_wildcard: list[tuple[Names, list[int]]] = []
        for rule in rules:
            self._add(rule)
        # Names of classes are the line's own text, so the caches are bounded. Classes
        # that only rules for any class fit share one index.
        self._of_class = lru_cache(maxsize=256)(self._find_index)
        self._index_of = lru_cache(maxsize=256)(self._index)

    def maybe_match(self, logger: str, message: str) -> Match | None:
        """Find the first rule that fits the class and the message."""
        by_word, others = self._of_class(logger)
        word = message.partition(" ")[0]
        for pattern, rule in by_word.get(word, others):
            end = pattern.match(message)
            if end >= 0:
                return Match(rule, pattern.words, end)
        return None

    def _add(self, rule: Rule) -> None:
        names = parse_names(rule.classes)
        first = len(self._rows)
        self._rows += [(pattern, rule) for pattern in parse_patterns(rule.text)]
        numbers = [*range(first, len(self._rows))]
        for name in names.whole:
            self._of_name.setdefault(name, []).extend(numbers)
        if names.starts or names.ends:
            self._of_wildcard.append((names, numbers))

    def _find_index(self, logger: str) -> Index:
        numbers = {*self._of_name.get(logger, ())}
        for names, wild in self._of_wildcard:
            if names.hold(logger):
                numbers.update(wild)
        return self._index_of(tuple(sorted(numbers)))

    def _index(self, numbers: tuple[int, ...]) -> Index:
        rows = [self._rows[number] for number in numbers]
        by_word = {
            word: tuple(row for row in rows if row[0].word in ("", word))
            for word in {pattern.word for pattern, _ in rows}
        }
        return by_word, tuple(row for row in rows if not row[0].word)


class Raised(NamedTuple):
    """One exception behind a message.

    Attributes:
        name: Its class, with the package.
        message: Its own message; empty without one.
    """

    name: str
    message: str


def find_raised(text: str) -> Iterator[Raised]:
    """Find the exceptions that follow a message, causes included.

    In the message's own line only the last name of an exception with a colon behind it
    counts: what stands before it can be a client's text. In the lines of a stack trace
    an exception begins the line.

    Args:
        text: What follows the words of the statement.

    Yields:
        The exceptions in their order, at most `MAX_EXCEPTIONS`.
    """
    line, _, trace = text.partition("\n")
    last = _maybe_find_last(line)
    if last is not None:
        yield last
    for found in islice(_TRACE.finditer(trace), MAX_EXCEPTIONS - 1):
        yield Raised(found[1], found[2] or "")


def _maybe_find_last(line: str) -> Raised | None:
    end = len(line)
    for _ in range(MAX_EXCEPTIONS):
        end = max(line.rfind(one, 0, end) for one in ("Exception: ", "Error: "))
        if end < 0:
            return None
        colon = line.index(":", end)
        start = line.rfind(" ", max(0, colon - LONGEST_NAME), colon) + 1
        if _NAME.fullmatch(line, start, colon):
            return Raised(line[start:colon], line[colon + 2 :])
    return None
