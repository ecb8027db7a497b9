"""``GET /api/events`` and ``GET /api/clusters``: what the page shows, as JSON.

Texts are as the brokers wrote them. All but ASCII is escaped, so that nothing in them
reaches a terminal; whoever puts them into a page escapes them for that page.
"""

import contextlib
import json
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from enum import Enum
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from agent.clock import Moment, parse_duration
from agent.kafka.categories import Category, Urgency
from agent.kafka.gauges import GAUGE_BY_KEY
from agent.state.clusters import BrokerView, NodeView, State
from agent.state.history import SHOWN, STEP_SECONDS
from agent.state.log_events import EventFilter, EventLog, LogEvent
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


def render_events(log: EventLog, query: Query) -> bytes:
    """Render the events that are asked for, the newest first.

    Args:
        log: What is remembered.
        query: Which of it.

    Returns:
        JSON: ``events``, and ``remembered``: how many there were to choose from.
    """
    wanted = islice(log.select(query.wanted), query.limit)
    shown = {"events": [_show(event) for event in wanted], "remembered": len(log)}
    return json.dumps(shown, ensure_ascii=True).encode()


def render_clusters(state: State, now: Moment) -> bytes:
    """Render the clusters, each broker with its newest values and its last hours.

    Args:
        state: The clusters.
        now: The present.

    Returns:
        JSON: ``now``, ``step`` (seconds between two points) and ``clusters``. Points
        end with the step that holds `now`; null stands where nothing came.
    """
    snapshot = state.snapshot(now)
    clusters: dict[str, dict[str, Any]] = {}

    def cluster(addon: str) -> dict[str, Any]:
        return clusters.setdefault(
            addon, {"cluster": addon, "brokers": [], "nodes": []}
        )

    for view in sorted(snapshot.brokers, key=lambda view: view.addon):
        cluster(view.addon)["brokers"].append(_show_broker(view, state, now))
    for node in snapshot.nodes:
        cluster(node.addon)["nodes"].append(_show_node(node))
    shown = {"now": now.wall, "step": STEP_SECONDS, "clusters": list(clusters.values())}
    return json.dumps(shown, ensure_ascii=True, allow_nan=False).encode()


def _show_broker(view: BrokerView, state: State, now: Moment) -> dict[str, Any]:
    history = state.history(view.addon, view.broker)
    return {
        "broker": view.broker,
        "status": view.status.value,
        "last_sample": view.last_timestamp,
        "values": {state.gauge(key).name: value for key, value in view.values.items()},
        "history": {
            GAUGE_BY_KEY[key].name: history.series(key, now.wall) for key in SHOWN
        },
    }


def _show_node(view: NodeView) -> dict[str, Any]:
    return {
        "node": view.node,
        "broker": view.broker,
        "lines": {level.value: count for level, count in view.lines.items()},
        "urgencies": {one.value: count for one, count in view.urgencies.items()},
    }


def _show(event: LogEvent) -> dict[str, Any]:
    line, verdict = event.line, event.verdict
    return {
        "time": datetime.fromtimestamp(event.time, UTC).isoformat(),
        "cluster": line.addon,
        "node": line.node,
        "level": line.level.value,
        "category": verdict.category.value,
        "urgency": verdict.urgency.value,
        "rule": verdict.rule,
        "class": line.logger,
        "thread": line.thread,
        "context": [
            {"name": context.name, "fields": dict(context.fields)}
            for context in line.contexts
        ],
        "message": line.text,
        "trace": line.trace or None,
        "topic": line.topic or None,
        "partition": line.partition,
        "partitions": [one._asdict() for one in line.partitions],
        "broker": line.broker or None,
        "peer": line.peer or None,
        "exception": line.exception or None,
        "meaning": verdict.meaning,
        "first_step": verdict.first_step,
    }


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
