"""The text of the brokers' series, written directly because there can be many.

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

from agent.catalogue import CATALOGUE, CLUSTER_PREFIX, PREFIX, Gauge
from agent.state import BrokerView
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
    """The families of one kind of sender, and the lines of their samples."""

    def __init__(self, prefix: str, subject: str, reporting: str) -> None:
        self._prefix = prefix
        self._families: dict[str, Metric] = {}
        self._lines: dict[str, list[str]] = {}
        for row in CATALOGUE:
            self.gauge(row.gauge)
        self.last = self._add(
            GaugeMetricFamily(
                f"{prefix}last_sample_timestamp_seconds",
                f"Timestamp of the newest sample of the {subject}.",
            )
        )
        self.count = self._add(
            CounterMetricFamily(
                f"{prefix}samples",
                f"Samples received of the {subject}, each counted once.",
            )
        )
        self.reporting = self._add(
            GaugeMetricFamily(
                f"{prefix}{reporting}",
                f"Whether samples of the {subject} are coming in (1), or are stale (0).",
            )
        )

    def gauge(self, gauge: Gauge) -> tuple[str, list[str]]:
        """Return the name of a gauge and the lines of its family."""
        name = f"{self._prefix}{gauge.name}"
        lines = self._lines.get(name)
        if lines is None:
            return self._add(GaugeMetricFamily(name, gauge.help))
        return name, lines

    def _add(self, family: Metric) -> tuple[str, list[str]]:
        name = f"{family.name}_total" if family.type == "counter" else family.name
        self._families[name] = family
        return name, self._lines.setdefault(name, [])

    def render(self, encode: Encode) -> bytes:
        """Write each family's header and its lines."""
        return b"".join(
            encode_families([family], encode) + "".join(self._lines[name]).encode()
            for name, family in self._families.items()
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
    brokers = _Text(PREFIX, "broker", "broker_reporting")
    clusters = _Text(CLUSTER_PREFIX, "cluster", "reporting")
    known: dict[tuple[bool, SampleKey], tuple[str, list[str]]] = {}
    for view in views:
        is_broker = view.broker is not None
        text = brokers if is_broker else clusters
        labels = f'{{addon="{view.addon}"' + (
            f',broker="{view.broker}"}} ' if is_broker else "} "
        )
        for (name, lines), value in (
            (text.last, view.last_timestamp),
            (text.count, float(view.samples)),
            (text.reporting, float(view.reporting)),
        ):
            lines.append(f"{name}{labels}{_number(value)}\n")
        for key, value in view.values.items():
            place = known.get((is_broker, key))
            if place is None:
                place = known[is_broker, key] = text.gauge(gauge_of(key))
            name, lines = place
            lines.append(f"{name}{labels}{_number(value)}\n")
    return brokers.render(encode) + clusters.render(encode)


def _number(value: float) -> str:
    if value < _PLAIN_BELOW:
        return repr(value)
    return str(floatToGoString(value))  # type: ignore[no-untyped-call] # prometheus-client's
