"""What Prometheus sees: the state and the counters, turned into families at scrape.

Nothing is kept here between scrapes, so what is gone from the state is gone from the
next scrape. The snapshot is taken on the event loop, where the state changes, and is
cheap; turning it into text, which takes tens of milliseconds for a thousand brokers,
may then run in a thread.
"""

import platform
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.samples import Sample

from agent import __version__
from agent.capacity.ledger import CapacityLedger, Holding
from agent.clock import Moment
from agent.heroku_api.poller import CollectorTelemetry
from agent.kafka.gauges import PREFIX
from agent.metrics.capacity import capacity_families
from agent.metrics.exposition import encode_families, render_brokers, render_nodes
from agent.metrics.telemetry import DELAY_BUCKETS_SECONDS, Telemetry
from agent.metrics.zero_first import Scrapers
from agent.settings import Settings
from agent.state.clusters import State

AGENT = f"{PREFIX}agent_"

Labels = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exporter:
    """Renders ``/metrics``.

    Attributes:
        settings: The configured retention, and how many topics are shown.
        state: The clusters.
        ledger: Their plans and use.
        collected: What became of the collector's requests.
        telemetry: The agent's own counters.
        process: Registry of the process's own metrics.
        scrapers: What each Prometheus has been shown.
    """

    settings: Settings
    state: State
    ledger: CapacityLedger
    telemetry: Telemetry
    process: CollectorRegistry
    collected: CollectorTelemetry = field(default_factory=CollectorTelemetry)
    scrapers: Scrapers = field(default_factory=Scrapers)

    def prepare(
        self, accept: str, now: Moment, scraper: str | None = None
    ) -> tuple[str, Callable[[], bytes]]:
        """Take a snapshot; call it where the state changes.

        Args:
            accept: The request's ``Accept`` header: OpenMetrics where it asks for it.
            now: The time of the scrape.
            scraper: Which Prometheus asks; None for anybody else, who is shown the
                counters as they stand.

        Returns:
            The content type, and the function that renders the snapshot, which may
            run in any thread.
        """
        snapshot = self.state.snapshot(now)
        nodes = snapshot.nodes
        if scraper is not None:
            nodes = self.scrapers.present(scraper, nodes, now)
        own = [
            *_agent_families(self.telemetry),
            _collector_family(self.collected),
        ]
        holdings = self.ledger.holdings(snapshot)
        unseen = sorted(self.collected.unseen)
        today = datetime.fromtimestamp(now.wall, UTC).date()
        encode, content_type = choose_encoder(accept)

        def render() -> bytes:
            return (
                render_brokers(snapshot.brokers, self.state.gauge, encode)
                + render_nodes(nodes, encode)
                + encode_families(
                    [*self._capacity(holdings, today, unseen), *own], encode
                )
                + encode(self.process)
            )

        return content_type, render

    def _capacity(
        self, holdings: list[Holding], today: date, unseen: list[str]
    ) -> Iterator[Metric]:
        settings = self.settings
        return capacity_families(
            holdings, settings.retention_seconds, settings.topic_metrics, today, unseen
        )


def _collector_family(collected: CollectorTelemetry) -> Metric:
    """Build the counter of the collector's requests."""
    family = CounterMetricFamily(
        f"{AGENT}collector_requests",
        "Requests to Heroku's APIs, by what became of them.",
    )
    for (endpoint, outcome), count in collected.requests.items():
        labels = {"endpoint": endpoint.value, "outcome": outcome.value}
        _add(family, f"{family.name}_total", labels, count)
    return family


def _agent_families(telemetry: Telemetry) -> Iterator[Metric]:
    """Yield the agent's own counters."""
    info = GaugeMetricFamily(f"{AGENT}build_info", "The running version, always 1.")
    version = {"version": __version__, "python_version": platform.python_version()}
    _add(info, info.name, version, 1)
    yield info
    last = GaugeMetricFamily(
        f"{AGENT}last_request_timestamp_seconds",
        "When a drain request was last accepted; 0 for never.",
    )
    _add(last, last.name, {}, telemetry.last_request_timestamp)
    yield last
    for name, text, value in _plain_counters(telemetry):
        family = CounterMetricFamily(f"{AGENT}{name}", text)
        _add(family, f"{family.name}_total", {}, value)
        yield family
    for name, text, labels, values in _labelled_counters(telemetry):
        family = CounterMetricFamily(f"{AGENT}{name}", text)
        for key, value in values:
            pairs = dict(zip(labels, key, strict=True))
            _add(family, f"{family.name}_total", pairs, value)
        yield family
    yield _delay_family(telemetry)


def _plain_counters(telemetry: Telemetry) -> Iterator[tuple[str, str, int]]:
    yield (
        "received_bytes",
        "Bytes of accepted drain requests, as sent.",
        telemetry.received_bytes,
    )
    yield (
        "duplicate_requests",
        "Drain requests that had been applied before.",
        telemetry.duplicate_requests,
    )
    yield (
        "late_samples",
        "Samples older than the newest one of their series; not applied.",
        telemetry.late_samples,
    )
    yield (
        "future_samples",
        "Samples from the future that lost to honest ones; not applied.",
        telemetry.future_samples,
    )
    yield (
        "auth_failures",
        "Requests without the right credentials.",
        telemetry.auth_failures,
    )
    yield (
        "frame_count_mismatch",
        "Drain requests that hold another number of frames than they announce.",
        telemetry.frame_count_mismatches,
    )
    yield (
        "undecodable_bodies",
        "Compressed drain requests that end early or are damaged.",
        telemetry.undecodable_bodies,
    )
    yield (
        "connections_refused",
        "Connections closed because too many were open.",
        telemetry.connections_refused,
    )
    yield (
        "connections_timed_out",
        "Connections closed because a request came in too slowly.",
        telemetry.connections_timed_out,
    )
    yield (
        "internal_errors",
        "Exceptions that should not have happened; see the log.",
        telemetry.internal_errors,
    )


_Labelled = tuple[str, str, tuple[str, ...], Iterable[tuple[tuple[str, ...], int]]]


def _labelled_counters(telemetry: Telemetry) -> Iterator[_Labelled]:
    yield (
        "requests",
        "HTTP requests answered.",
        ("route", "code"),
        (((route, str(code)), n) for (route, code), n in telemetry.requests.items()),
    )
    yield (
        "frames",
        "Frames of the drains by what they are; retries are not counted again.",
        ("kind",),
        (((kind,), n) for kind, n in telemetry.frames.items()),
    )
    yield (
        "parse_errors",
        "Frames, lines and values that were refused, by reason.",
        ("reason",),
        (((reason.value,), n) for reason, n in telemetry.parse_errors.items()),
    )
    yield (
        "drain_dropped_messages",
        "Log lines that were lost before they came here, by Heroku's error code.",
        ("code",),
        (((code,), n) for code, n in telemetry.dropped.items()),
    )
    yield (
        "elsewhere_dropped_messages",
        "Losses reported in this stream that another drain or a tail session had.",
        ("code",),
        (((code,), n) for code, n in telemetry.dropped_elsewhere.items()),
    )
    yield (
        "series_dropped",
        "Samples and lines for which no series was made, by reason.",
        ("reason",),
        (((drop.value,), n) for drop, n in telemetry.series_dropped.items()),
    )


def _delay_family(telemetry: Telemetry) -> Metric:
    """Build the histogram of how old Kafka lines are when they come."""
    buckets: list[tuple[str, float]] = []
    total = 0
    bounds = [*map(float, DELAY_BUCKETS_SECONDS), float("inf")]
    for bound, count in zip(bounds, telemetry.delay_buckets, strict=True):
        total += count
        buckets.append(("+Inf" if bound == float("inf") else str(bound), total))
    return HistogramMetricFamily(
        f"{AGENT}line_delay_seconds",
        "Age of Kafka lines when they came, by their own timestamps.",
        buckets=buckets,
        sum_value=telemetry.delay_sum,
    )


def _add(family: Metric, name: str, labels: Labels, value: float) -> None:
    """Append a sample; the label dict may be shared, which spares building it."""
    family.samples.append(Sample(name, labels, value))
