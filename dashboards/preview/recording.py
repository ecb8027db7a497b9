"""Plays a story to the agent, and records what Prometheus would scrape.

The agent's own engine runs. It takes the time as an argument, so eight days pass within
seconds. Only what HTTP would add is counted here by hand.
"""

import heapq
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.exposition import generate_latest

from agent.change import Origin
from agent.clock import Moment
from agent.engine import Engine
from agent.heroku_api.poller import Endpoint, Outcome
from agent.metrics.exposition import render
from agent.settings import Settings
from agent.simulator import Line
from agent.web.zero_first import ZeroFirst
from dashboards.preview.story import DAY, HOUR, MINUTE, Tale, frame, look_at, tell
from parsers import DrainDecoder

JOB = "heroku-kafka-agent"
INSTANCE = "kafka-metrics.example.com:443"
SCRAPE_SECONDS = 60
OLD_SCRAPE_SECONDS = 240
"""Longer ago, points are further apart; still nearer than Prometheus looks back."""
LOOK_SECONDS = 10 * MINUTE
RESTARTS = (3 * DAY + 2 * HOUR, 2 * DAY + HOUR, 25 * HOUR, 3 * HOUR + 11 * MINUTE)
"""When the agent was restarted, in seconds before the end: a dyno is, once a day."""
_OLD = 26 * HOUR
_TOPIC_METRICS = 10
_PAGE_VISITS = 3
_RETRIED = 997


@dataclass(slots=True)
class Points:
    """The points of all series.

    Attributes:
        series: Times and values by the series as text, ``name{labels}``.
    """

    series: "dict[str, tuple[array[float], array[float]]]" = field(default_factory=dict)

    def add(self, series: str, at: float, value: float) -> None:
        """Add a point; those of a series come in the order of time."""
        times, values = self.series.setdefault(series, (array("d"), array("d")))
        times.append(at)
        values.append(value)

    def add_exposition(self, text: str, at: float) -> None:
        """Add what one scrape has brought."""
        for line in text.splitlines():
            if line.startswith("#"):
                continue
            place, _, value = line.rpartition(" ")
            self.add(_target(place), at, float(value))

    def write(self, out: Path) -> None:
        """Write OpenMetrics text for ``promtool tsdb create-blocks-from``."""
        with out.open("w", encoding="utf-8") as file:
            for series, (times, values) in sorted(self.series.items()):
                file.writelines(
                    f"{series} {value!r} {at:.0f}\n"
                    for at, value in zip(times, values, strict=True)
                )
            file.write("# EOF\n")


@cache
def _target(place: str) -> str:
    """Give a series the labels of its target, as a scrape does."""
    labels = f'instance="{INSTANCE}",job="{JOB}"}}'
    if place.endswith("}"):
        return f"{place[:-1]},{labels}"
    return f"{place}{{{labels}"


class _Agent:
    """One life of the agent, between two restarts."""

    def __init__(self, tales: tuple[Tale, ...], born: int) -> None:
        settings = Settings(
            plans={tale.addon: tale.plan for tale in tales},
            topic_metrics=_TOPIC_METRICS,
        )
        self.born = born
        self.engine = Engine(settings)
        self.telemetry = self.engine.telemetry
        self._decoder = DrainDecoder()
        self._zero_first = ZeroFirst()
        self._process = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self._process)

    def receive(self, body: bytes, now: float, count: int, frame_id: str) -> None:
        """Take a drain's request."""
        self.telemetry.requests["/logs", 204] += 1
        self.telemetry.received_bytes += len(body)
        self.telemetry.last_request_timestamp = now
        origin = Origin(
            drain_token=b"d.preview",
            request_id=frame_id.encode(),
            announced=b"%d" % count,
        )
        batch = self._decoder.decode(body)
        self.engine.commit(self.engine.prepare(batch, origin, Moment(now, now)))

    def look(self, tale: Tale, now: int, end: int) -> None:
        """Learn the use of a cluster."""
        self.engine.learn(look_at(tale, now, end), Moment(now, now))
        for endpoint in (Endpoint.CLUSTER, Endpoint.TOPICS):
            self.telemetry.poller.requests[endpoint, Outcome.OK] += 1

    def scrape(self, now: int) -> str:
        """Answer Prometheus."""
        moment = Moment(now, now)
        self.engine.forget(moment)
        self.telemetry.requests["/metrics", 200] += 1
        snapshot = self.engine.snapshot(moment)
        nodes = self._zero_first.present("prometheus", snapshot.nodes, moment)
        series = snapshot._replace(nodes=nodes).series()
        written = render(series, generate_latest) + generate_latest(self._process)
        return "".join(
            f"process_start_time_seconds {self.born}\n"
            if line.startswith("process_start_time_seconds ")
            else line
            for line in written.decode().splitlines(keepends=True)
        )


def record(tales: tuple[Tale, ...], end: int) -> Points:
    """Let the agent live through the lives of some clusters.

    Args:
        tales: The clusters.
        end: When the story ends, in seconds since the epoch.

    Returns:
        All points that Prometheus would have scraped, and its own series ``up``.
    """
    points = Points()
    begin = end - max(tale.known for tale in tales)
    births = [begin, *(end - restart for restart in RESTARTS if end - restart > begin)]
    agent = _Agent(_known(tales, end, births), begin)
    lines = _merge(tales, end)
    moment, waiting = next(lines)
    for now in _scrapes(begin, end):
        if len(births) > 1 and now >= births[1]:
            del births[0]
            agent = _Agent(_known(tales, end, births), births[0])
            _look_around(agent, tales, now, end)
        while moment < now:
            _deliver(agent, moment, waiting, end)
            moment, waiting = next(lines, (end + 1, []))
        if now % LOOK_SECONDS < SCRAPE_SECONDS or now == begin or now < end - _OLD:
            _look_around(agent, tales, now, end)
        points.add_exposition(agent.scrape(now), now)
        points.add(_target("up"), now, 1.0)
        points.add(_target("scrape_duration_seconds"), now, 0.012)
    return points


def _known(tales: tuple[Tale, ...], end: int, births: list[int]) -> tuple[Tale, ...]:
    """Choose the clusters that exist before the agent is restarted next."""
    until = births[1] if len(births) > 1 else end
    return tuple(tale for tale in tales if end - tale.known < until)


def _scrapes(begin: int, end: int) -> Iterator[int]:
    recent = max(begin, end - _OLD)
    yield from range(begin, recent, OLD_SCRAPE_SECONDS)
    yield from range(recent, end + 1, SCRAPE_SECONDS)


def _merge(tales: tuple[Tale, ...], end: int) -> Iterator[tuple[int, list[Line]]]:
    """Put the lines of all clusters in the order of time."""
    told = [tell(tale, end) for tale in tales]
    return heapq.merge(*told, key=lambda one: one[0])


def _look_around(agent: _Agent, tales: tuple[Tale, ...], now: int, end: int) -> None:
    for tale in tales:
        if now >= end - tale.known:
            agent.look(tale, now, end)


def _deliver(agent: _Agent, second: int, lines: list[Line], end: int) -> None:
    """Send lines as a drain does, at times late, twice, damaged or by a stranger."""
    ago = end - second
    late = 14.0 if 95 * MINUTE < ago < 108 * MINUTE else 0.0
    now = second + 0.4 + late + (second % 7) / 4
    frames = [frame(lines)]
    if 205 * MINUTE < ago < 209 * MINUTE:
        frames.append(_damaged())
    frame_id = f"{second:x}-{agent.telemetry.requests['/logs', 204]:x}"
    count = len(lines) + len(frames) - 1
    for _ in range(2 if second % _RETRIED == 0 else 1):
        agent.receive(b"".join(frames), now, count, frame_id)
    if 128 * MINUTE < ago < 134 * MINUTE:
        agent.receive(_l10(second), now, 1, f"{frame_id}-l10")
    if 70 * MINUTE < ago < 76 * MINUTE:
        agent.telemetry.auth_failures += 1
        agent.telemetry.requests["/logs", 401] += 1
    if second % HOUR < _PAGE_VISITS:
        agent.telemetry.requests["/", 200] += 1


def _l10(second: int) -> bytes:
    text = (
        "<172>1 2026-01-01T00:00:00+00:00 host heroku logplex - Error L10 (output "
        f"buffer overflow): {1 + second % 9} messages dropped since "
        "2026-01-01T00:00:00+00:00."
    )
    return f"{len(text)} {text}".encode()


def _damaged() -> bytes:
    """Write a metric line with a value that is none."""
    text = (
        b"<134>1 2026-01-01T00:00:00+00:00 host app heroku-kafka.0 - source=KAFKA "
        b"addon=kafka-animated-39618 sample#load-avg-1m=0.1.2"
    )
    return b"%d %s" % (len(text), text)
