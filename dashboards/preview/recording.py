"""Runs the agent on the histories of clusters and records what Prometheus would scrape.

The agent takes the time as an argument, so eight days pass within seconds.
"""

import heapq
from array import array
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from prometheus_client import generate_latest

from agent.change import Origin
from agent.clock import Moment
from agent.engine import Engine
from agent.heroku_api.poller import Endpoint, Outcome
from agent.metrics.exposition import render_labels
from agent.settings import Settings
from agent.simulator import Line, frame_line
from agent.state.zero_first import ZeroFirst
from dashboards.preview.scenarios import (
    DAY,
    MINUTE,
    History,
    generate_lines,
    measure_use,
)
from parsers import DrainDecoder

JOB, INSTANCE = "heroku-kafka-agent", "kafka-metrics.example.com:443"
SCRAPE_SECONDS = 60
_RECENT, _OLD_SCRAPE_SECONDS = 2 * DAY, 240
"""Older points are further apart, still closer than Prometheus looks back."""
_POLL_SECONDS = 10 * MINUTE
_DAMAGED = (
    b"<134>1 2026-01-01T00:00:00+00:00 host app heroku-kafka.0 - source=KAFKA "
    b"addon=kafka-animated-39618 sample#load-avg-1m=0.1.2"
)


@dataclass(slots=True)
class Points:
    """Times and values by the series as text, ``name{labels}``."""

    series: "dict[str, tuple[array[float], array[float]]]" = field(default_factory=dict)

    def add(self, series: str, at: float, value: float) -> None:
        """Add a point; those of a series come in the order of time."""
        times, values = self.series.setdefault(series, (array("d"), array("d")))
        times.append(at)
        values.append(value)

    def write(self, out: Path) -> None:
        """Write OpenMetrics text for ``promtool tsdb create-blocks-from``."""
        with out.open("w", encoding="utf-8") as file:
            for series, (times, values) in sorted(self.series.items()):
                file.writelines(
                    f"{series} {value!r} {at:.0f}\n"
                    for at, value in zip(times, values, strict=True)
                )
            file.write("# EOF\n")


class _Agent:
    """An agent between two restarts; nothing else here knows how one is composed."""

    def __init__(self, plans: dict[str, str], started: int) -> None:
        self._engine = Engine(Settings(plans=plans, topic_metrics=10))
        self._started = started
        self.telemetry = self._engine.telemetry
        self._zero_first = ZeroFirst()

    def receive(self, frames: list[bytes], now: float, request_id: str) -> None:
        """Accept a request of a drain."""
        body = b"".join(frames)
        self.telemetry.requests["/logs", 204] += 1
        self.telemetry.received_bytes += len(body)
        self.telemetry.last_request_timestamp = now
        origin = Origin(b"d.preview", request_id.encode(), b"%d" % len(frames))
        batch = DrainDecoder().decode(body)
        self._engine.commit(self._engine.prepare(batch, origin, Moment(now, now)))

    def learn(self, histories: list[History], now: int, end: int) -> None:
        """Accept what Heroku's API reports of the clusters."""
        for history in histories:
            self._engine.learn(measure_use(history, now, end), Moment(now, now))
            for endpoint in (Endpoint.CLUSTER, Endpoint.TOPICS):
                self.telemetry.poller.requests[endpoint, Outcome.OK] += 1

    def scrape(self, now: int, points: Points) -> None:
        """Record all series."""
        moment = Moment(now, now)
        self._engine.forget(moment)
        self.telemetry.requests["/metrics", 200] += 1
        snapshot = self._engine.snapshot(moment)
        nodes = self._zero_first.present(snapshot.nodes, moment, 10.0)
        for one in snapshot._replace(nodes=nodes).series():
            series = f"{one.spec.name}{render_labels(one.spec, one.labels)}"
            points.add(_target(series), now, one.value)
        for line in generate_latest().decode().splitlines():
            if not line.startswith("#"):
                series, _, value = line.rpartition(" ")
                is_start = series == "process_start_time_seconds"
                number = self._started if is_start else float(value)
                points.add(_target(series), now, number)


@cache
def _target(series: str) -> str:
    """Add the labels of the target, as a scrape does."""
    name, _, labels = series.removesuffix("}").partition("{")
    own = f"{labels}," if labels else ""
    return f'{name}{{{own}instance="{INSTANCE}",job="{JOB}"}}'


def record(histories: tuple[History, ...], end: int) -> Points:
    """Run the agent on the lines of some clusters.

    Args:
        histories: The clusters.
        end: Seconds since the epoch.

    Returns:
        All points that Prometheus would have scraped, those of ``up`` included.
    """
    points = Points()
    begin = end - max(one.known for one in histories)
    lines = heapq.merge(
        *(generate_lines(one, end) for one in histories), key=lambda one: one[0]
    )
    second, waiting = next(lines)
    for started in range(begin, end, DAY):  # a dyno restarts once a day
        stopped = min(started + DAY, end + 1)
        plans = {one.addon: one.plan for one in histories if end - one.known < stopped}
        agent = _Agent(plans, started)
        step = SCRAPE_SECONDS if end - started < _RECENT else _OLD_SCRAPE_SECONDS
        for now in range(started, stopped, step):
            while second < now:
                _deliver(agent, second, waiting, end)
                second, waiting = next(lines, (end + 1, []))
            if (now - started) % _POLL_SECONDS < step:
                known = [one for one in histories if now >= end - one.known]
                agent.learn(known, now, end)
            agent.scrape(now, points)
            points.add(_target("up"), now, 1.0)
    return points


def _deliver(agent: _Agent, second: int, lines: list[Line], end: int) -> None:
    """Send lines as a drain does: at times duplicated, malformed or unauthorized."""
    ago = end - second
    now = second + 0.4 + (second % 7) / 4
    frames = [frame_line(line) for line in lines]
    if 205 * MINUTE < ago < 209 * MINUTE:
        frames.append(b"%d %s" % (len(_DAMAGED), _DAMAGED))
    request_id = f"{second:x}-{agent.telemetry.requests['/logs', 204]:x}"
    for _ in range(1 if second % 997 else 2):
        agent.receive(frames, now, request_id)
    if 128 * MINUTE < ago < 134 * MINUTE:
        text = (
            "<172>1 2026-01-01T00:00:00+00:00 host heroku logplex - Error L10 (output "
            f"buffer overflow): {1 + second % 9} messages dropped since "
            "2026-01-01T00:00:00+00:00."
        )
        agent.receive([f"{len(text)} {text}".encode()], now, f"{request_id}-l10")
    if 70 * MINUTE < ago < 76 * MINUTE:
        agent.telemetry.auth_failures += 1
        agent.telemetry.requests["/logs", 401] += 1
