"""``GET /api/events`` and ``GET /api/clusters``: what the page shows, as JSON.

Texts are as the brokers wrote them. JSON escapes what a terminal would obey; a page must
escape them for HTML.
"""

import contextlib
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from enum import Enum
from itertools import islice
from typing import NamedTuple, TypeVar

from agent.clock import Moment, parse_duration
from agent.kafka.categories import Category, Urgency
from agent.metrics.specs import SAMPLES
from agent.settings import Credentials
from agent.state.clusters import State
from agent.state.history import SHOWN, STEP_SECONDS
from agent.state.log_events import EventFilter, EventLog, LogEvent
from agent.state.views import BrokerView, NodeView
from agent.web.schema import (
    Broker,
    Cluster,
    Clusters,
    Context,
    Event,
    Events,
    Node,
    Partition,
    encode,
)
from parsers import Level

MAX_EVENTS = 1_000_000
_EPOCH = re.compile(r"[0-9]{1,12}(?:\.[0-9]+)?")

Closed = TypeVar("Closed", bound=Enum)


class Query(NamedTuple):
    """What is asked for.

    Attributes:
        wanted: Which events.
        limit: How many of them at most.
    """

    wanted: EventFilter
    limit: int


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
    given: dict[str, list[str]] = {}
    for name, value in items:
        if name not in _PARAMETERS:
            message = f"{name} is not known; there are {', '.join(_PARAMETERS)}"
            raise ValueError(message)
        given.setdefault(name, []).extend(value.split(","))
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
        _parse_limit(last.get("limit", str(MAX_EVENTS))),
    )


_PARAMETERS = (
    "cluster", "node", "level", "category", "urgency", "topic", "since", "limit",
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


def render_events(log: EventLog, query: Query, reader: Credentials) -> bytes:
    """Render the events that are asked for, the newest first.

    Args:
        log: What is remembered.
        query: Which of it.
        reader: Whose add-ons are shown.

    Returns:
        JSON of `Events`.
    """
    visible = replace(query.wanted, addons=reader.addons)
    wanted = islice(log.select(visible), query.limit)
    remembered = len(log)
    if reader.addons:
        remembered = sum(1 for _ in log.select(EventFilter(addons=reader.addons)))
    return encode(Events([_describe_event(event) for event in wanted], remembered))


def render_clusters(state: State, now: Moment, reader: Credentials) -> bytes:
    """Render the clusters, each broker with its newest values and its last hours.

    Args:
        state: The clusters.
        now: The present; the last value of each history is of the step that holds it.
        reader: Whose add-ons are shown.

    Returns:
        JSON of `Clusters`.
    """
    found = state.view(now).visible_to(reader)
    brokers: dict[str, list[Broker]] = {}
    nodes: dict[str, list[Node]] = {}
    for view in sorted(found.brokers, key=lambda view: view.addon):
        brokers.setdefault(view.addon, []).append(_describe_broker(view, state, now))
    for node in found.nodes:
        nodes.setdefault(node.addon, []).append(_describe_node(node))
    clusters = [
        Cluster(addon, brokers.get(addon, []), nodes.get(addon, []))
        for addon in dict.fromkeys((*brokers, *nodes))
    ]
    return encode(Clusters(now.wall, STEP_SECONDS, clusters))


def _describe_broker(view: BrokerView, state: State, now: Moment) -> Broker:
    history = state.history(view.addon, view.broker)
    return Broker(
        broker=view.broker,
        status=view.status,
        last_sample=view.last_timestamp,
        values={
            state.admission.specs(key).name: value for key, value in view.values.items()
        },
        history={SAMPLES[key].name: history.series(key, now.wall) for key in SHOWN},
    )


def _describe_node(view: NodeView) -> Node:
    # msgspec encodes members of an enum as keys from 0.22 on only.
    return Node(
        node=view.node,
        broker=view.broker,
        lines={level.value: count for level, count in view.lines.items()},
        urgencies={one.value: count for one, count in view.urgencies.items()},
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


def _parse_limit(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= MAX_EVENTS:
        message = f"limit={text!r} is no number from 1 to {MAX_EVENTS}"
        raise ValueError(message)
    return int(text)
