"""``GET /api/events``: the newest events, as JSON.

Texts are as the brokers wrote them. JSON escapes what a terminal would obey; a page must
escape them for HTML.
"""

import contextlib
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import UTC, datetime
from enum import Enum
from itertools import islice
from typing import NamedTuple, TypeVar

import msgspec

from agent.clock import Moment, parse_duration
from agent.kafka.categories import Category, Urgency
from agent.state.log_events import EventFilter, LogEvent
from agent.web.parameters import parse_count, read_parameters
from agent.web.schema import Context, Event, Events, Partition, encode
from parsers import Level

MAX_EVENTS = 1_000_000
_CURSOR = re.compile(r"([0-9a-f]{8})-([0-9]{1,15})")
_EPOCH = re.compile(r"[0-9]{1,12}(?:\.[0-9]+)?")

Closed = TypeVar("Closed", bound=Enum)


class EventCursor(NamedTuple):
    """Where a response was cut.

    Attributes:
        token: Of the scope's `Revisions`.
        number: The oldest event in the response, see `EventLog.enumerate`.
    """

    token: str
    number: int

    def __str__(self) -> str:
        return f"{self.token}-{self.number}"


class Query(NamedTuple):
    """What is asked for.

    Attributes:
        wanted: Which events.
        limit: How many of them at most.
        after: Where the last response was cut; None for the newest events.
    """

    wanted: EventFilter
    limit: int
    after: EventCursor | None


def parse_query(items: Iterable[tuple[str, str]], now: Moment) -> Query:
    """Read the parameters of the query.

    Args:
        items: Names and values. Values of one name add up, whether it is repeated or
            they stand behind it with commas between; different names narrow down.
        now: What a duration in ``since`` is counted back from.

    Returns:
        What is asked for.

    Raises:
        ValueError: One sentence that says what is wrong and what would be right.
    """
    given = read_parameters(items, _PARAMETERS)
    last = {name: values[-1] for name, values in given.items()}
    return Query(
        EventFilter(
            clusters=given.get("cluster", ()),
            nodes=given.get("node", ()),
            levels=_closed(Level, "level", given, str.upper),
            categories=_closed(Category, "category", given, str.lower),
            urgencies=_closed(Urgency, "urgency", given, str.lower),
            topics=given.get("topic", ()),
            since=parse_since(last["since"], now) if "since" in last else None,
        ),
        parse_count("limit", last.get("limit", str(MAX_EVENTS)), 1, MAX_EVENTS),
        _parse_cursor(last["after"]) if last.get("after") else None,
    )


_PARAMETERS = (
    "cluster", "node", "level", "category", "urgency", "topic", "since", "limit",
    "after",
)  # fmt: skip


def parse_since(text: str, now: Moment) -> float:
    """Read a point in time.

    Args:
        text: RFC 3339, seconds since the epoch, or a duration before now: ``15m``.
        now: The present.

    Returns:
        Seconds since the epoch.

    Raises:
        ValueError: It is none of these.
    """
    if _EPOCH.fullmatch(text):
        return float(text)
    with contextlib.suppress(ValueError):
        return now.wall - parse_duration(text)
    try:
        # An unescaped "+" of an offset arrives as a blank.
        time = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        message = (
            f"since={text!r} is no time like 2026-06-07T22:46:31Z, no seconds since "
            "1970 and no duration like 15m"
        )
        raise ValueError(message) from None
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()


def render_events(
    events: Sequence[tuple[int, LogEvent]],
    query: Query,
    addons: Collection[str],
    token: str,
) -> bytes:
    """Render the events that are asked for, the newest first.

    Args:
        events: All that are remembered, as `EventLog.enumerate` returns them.
        query: Which of them; a cursor with another token asks for the newest.
        addons: The only add-ons that are shown; empty for all.
        token: Of this scope's cursors.

    Returns:
        JSON of `Events`.
    """
    visible = EventFilter(addons=addons)
    found = [one for one in events if visible.wants(one[1])]
    cursor = query.after if query.after and query.after.token == token else None
    wanted = (
        (number, event)
        for number, event in reversed(found)
        if (cursor is None or number < cursor.number) and query.wanted.wants(event)
    )
    page = list(islice(wanted, query.limit))
    is_cut = next(wanted, None) is not None
    return encode(
        Events(
            events=[msgspec.Raw(encode(_describe_event(event))) for _, event in page],
            remembered=len(found),
            after=str(EventCursor(token, page[-1][0])) if is_cut else None,
        )
    )


def _describe_event(event: LogEvent) -> Event:
    line, verdict = event.line, event.verdict
    return Event(
        time=datetime.fromtimestamp(event.time, UTC).isoformat(),
        cluster=line.addon,
        node=line.node,
        level=line.level,
        category=verdict.category,
        urgency=verdict.urgency,
        rule=verdict.rule,
        logger=line.logger,
        thread=line.thread,
        context=[
            Context(context.name, dict(context.fields)) for context in line.contexts
        ],
        message=line.text,
        trace=line.trace or None,
        topic=line.topic or None,
        partition=line.partition,
        partitions=[Partition(*one) for one in line.partitions],
        broker=line.broker or None,
        peer=line.peer or None,
        exception=line.exception or None,
        meaning=verdict.meaning,
        first_step=verdict.first_step,
    )


def _parse_cursor(text: str) -> EventCursor:
    found = _CURSOR.fullmatch(text)
    if found is None:
        message = f"after={text!r} is not the value of after in an earlier response"
        raise ValueError(message)
    return EventCursor(found[1], int(found[2]))


def _closed(
    kind: type[Closed],
    name: str,
    given: dict[str, list[str]],
    spell: Callable[[str], str],
) -> list[Closed]:
    known = {member.value: member for member in kind}
    found = []
    for text in given.get(name, ()):
        member = known.get(spell(text))
        if member is None:
            message = f"{name}={text!r} is none of {', '.join(known)}"
            raise ValueError(message)
        found.append(member)
    return found
