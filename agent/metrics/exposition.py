"""The text of the clusters' series, written directly because there can be many.

The client library takes about 4.5 µs for a sample, most of it for labels that it has
never seen; a thousand brokers have 14,000 samples, and while they are rendered every
drain waits for the interpreter. Here a broker's label text is made once, which is about
five times as fast. Headers still come from the library, in whichever format was asked
for, and a test holds that the text is, byte for byte, what the library writes.

Label values need no escaping: `parsers` lets only letters, digits and ``.``, ``_``,
``-`` through in the names of add-ons, and only digits in those of brokers.
"""

from collections.abc import Callable

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from agent.kafka.gauges import CATALOGUE, CLUSTER_PREFIX, PREFIX, Gauge
from agent.state.clusters import BrokerView, NodeView
from parsers import SampleKey

Encode = Callable[[CollectorRegistry], bytes]

# From here on Go, and so Prometheus, writes an exponent where Python does not.
_PLAIN_BELOW = 1e6


class Families(Collector):
    """Hands families to the client library.

    Args:
        families: What a scrape shows.
    """

    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> list[Metric]:
        """Return the families."""
        return self._families


def encode_families(families: list[Metric], encode: Encode) -> bytes:
    """Let the library write `families`, without the end mark of OpenMetrics."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Families(families))
    return encode(registry).removesuffix(b"# EOF\n")


class _Text:
    """Families, and the lines of their samples."""

    def __init__(self) -> None:
        self._families: dict[str, Metric] = {}
        self._lines: dict[str, list[str]] = {}

    def add(self, family: Metric) -> tuple[str, list[str]]:
        """Add a family; return the name of its samples and the list of their lines."""
        name = f"{family.name}_total" if family.type == "counter" else family.name
        if name not in self._families:
            self._families[name] = family
            self._lines[name] = []
        return name, self._lines[name]

    def render(self, encode: Encode) -> bytes:
        """Write each family's header and its lines."""
        return b"".join(
            encode_families([family], encode) + "".join(self._lines[name]).encode()
            for name, family in self._families.items()
        )


class _SamplesText(_Text):
    """The families of one kind of sender of samples: brokers, or clusters."""

    def __init__(self, prefix: str, subject: str, reporting: str) -> None:
        super().__init__()
        self._prefix = prefix
        for row in CATALOGUE:
            self.gauge(row.gauge)
        self.last = self.add(
            GaugeMetricFamily(
                f"{prefix}last_sample_timestamp_seconds",
                f"Timestamp of the newest sample of the {subject}.",
            )
        )
        self.count = self.add(
            CounterMetricFamily(
                f"{prefix}samples",
                f"Samples received of the {subject}, each counted once.",
            )
        )
        self.reporting = self.add(
            GaugeMetricFamily(
                f"{prefix}{reporting}",
                f"Whether samples of the {subject} are coming in (1), or are stale (0).",
            )
        )

    def gauge(self, gauge: Gauge) -> tuple[str, list[str]]:
        """Return the name of a gauge and the lines of its family."""
        return self.add(GaugeMetricFamily(f"{self._prefix}{gauge.name}", gauge.help))


class _LogText(_Text):
    """The families of what brokers log."""

    def __init__(self) -> None:
        super().__init__()
        self.lines = self.add(
            CounterMetricFamily(
                f"{PREFIX}log_lines",
                "Lines that a node of the cluster logged, by level.",
            )
        )
        self.last = self.add(
            GaugeMetricFamily(
                f"{PREFIX}log_last_timestamp_seconds",
                "Timestamp of the newest line that a node logged, by level.",
            )
        )
        self.events = self.add(
            CounterMetricFamily(
                f"{PREFIX}log_events",
                "Lines that a node logged, by what they are about and what they ask for.",
            )
        )
        self.info = self.add(
            GaugeMetricFamily(
                f"{PREFIX}node_info",
                "Which broker a node is, as its own lines say; 1 where none contradicts.",
            )
        )
        self.conflicts = self.add(
            CounterMetricFamily(
                f"{PREFIX}node_conflicts",
                "Lines that named another broker as their writer than earlier ones.",
            )
        )


def render_brokers(
    views: list[BrokerView], gauge_of: Callable[[SampleKey], Gauge], encode: Encode
) -> bytes:
    """Write the series of brokers and clusters.

    Args:
        views: A snapshot of the state.
        gauge_of: The gauge of a sample.
        encode: The library's writer of the wanted format.

    Returns:
        The exposition, without the end mark of OpenMetrics.
    """
    brokers = _SamplesText(PREFIX, "broker", "broker_reporting")
    clusters = _SamplesText(CLUSTER_PREFIX, "cluster", "reporting")
    known: dict[tuple[bool, SampleKey], tuple[str, list[str]]] = {}
    for view in views:
        is_broker = view.broker is not None
        text = brokers if is_broker else clusters
        labels = f'{{addon="{view.addon}"' + (
            f',broker="{view.broker}"}} ' if is_broker else "} "
        )
        _write(text.last, labels, view.last_timestamp)
        _write(text.count, labels, view.samples)
        _write(text.reporting, labels, view.reporting)
        for key, value in view.values.items():
            place = known.get((is_broker, key))
            if place is None:
                place = known[is_broker, key] = text.gauge(gauge_of(key))
            name, lines = place
            lines.append(f"{name}{labels}{_number(value)}\n")
    return brokers.render(encode) + clusters.render(encode)


def render_nodes(views: list[NodeView], encode: Encode) -> bytes:
    """Write the series of what the nodes logged.

    Args:
        views: A snapshot of the state.
        encode: The library's writer of the wanted format.

    Returns:
        The exposition, without the end mark of OpenMetrics.
    """
    text = _LogText()
    for view in views:
        addon, node = f'{{addon="{view.addon}"', f'node="{view.node}"'
        for level, count in view.lines.items():
            labels = f'{addon},level="{level.value}",{node}}} '
            _write(text.lines, labels, count)
            if level in view.last_timestamps:
                _write(text.last, labels, view.last_timestamps[level])
        for (category, urgency), count in view.events.items():
            labels = (
                f'{addon},category="{category.value}",{node},'
                f'urgency="{urgency.value}"}} '
            )
            _write(text.events, labels, count)
        if view.broker is not None:
            _write(text.info, f'{addon},broker="{view.broker}",{node}}} ', 1)
        _write(text.conflicts, f"{addon},{node}}} ", view.conflicts)
    return text.render(encode)


def _write(place: tuple[str, list[str]], labels: str, value: float) -> None:
    name, lines = place
    lines.append(f"{name}{labels}{_number(float(value))}\n")


def _number(value: float) -> str:
    if value < _PLAIN_BELOW:
        return repr(value)
    return str(floatToGoString(value))  # type: ignore[no-untyped-call] # prometheus-client's
