"""Series as text: Prometheus' text format, or OpenMetrics.

Lines are written here because there can be many. The client library takes about 4.5 µs
for a sample, most of it for labels that it has not seen before; a thousand brokers have
14,000 samples, and while they are rendered every drain waits for the interpreter. Here
a broker's label text is made once, which is about five times as fast. Headers come from
the library, in whichever format was negotiated, and a test holds that the text is what
the library writes, byte for byte.
"""

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from agent.metrics.series import Series
from agent.metrics.spec import Spec
from agent.metrics.specs import SPECS

Encode = Callable[[CollectorRegistry], bytes]
"""Writes a registry in one format: what the library's `choose_encoder` returns."""

# From here on Go, and so Prometheus, writes an exponent where Python does not.
_PLAIN_BELOW = 1e6
_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})


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


def render(
    series: Iterable[Series], encode: Encode, *, with_created: bool = False
) -> bytes:
    """Write series by family, each family with its header even where it is empty.

    Args:
        series: In any order.
        encode: The library's writer of the negotiated format.
        with_created: Write the creation times of counters, which is OpenMetrics alone.

    Returns:
        The exposition, without the end mark of OpenMetrics.
    """
    lines: dict[Spec, list[str]] = {spec: [] for spec in SPECS}
    texts: dict[tuple[str, ...], dict[tuple[str, ...], str]] = {}
    for spec, labels, value, _timestamp, created in series:
        of_names = texts.setdefault(spec.labels, {})
        text = of_names.get(labels)
        if text is None:
            text = of_names[labels] = render_labels(spec, labels)
        place = lines.get(spec)
        if place is None:
            place = lines[spec] = []
        place.append(f"{spec.name}{text} {render_number(value)}\n")
        if with_created and created:
            place.append(f"{spec.family}_created{text} {render_number(created)}\n")
    families: dict[str, list[Spec]] = {}
    for spec in lines:
        families.setdefault(spec.family, []).append(spec)
    return b"".join(
        _render_header(specs[0], encode)
        + "".join(line for spec in specs for line in lines[spec]).encode()
        for specs in families.values()
    )


def render_labels(spec: Spec, labels: tuple[str, ...]) -> str:
    """Write the labels of one series: ``{addon="kafka-a",broker="0"}``."""
    if not labels:
        return ""
    pairs = zip(spec.labels, labels, strict=True)
    return "{" + ",".join(f'{k}="{v.translate(_ESCAPES)}"' for k, v in pairs) + "}"


def render_number(value: float) -> str:
    """Write a value as Prometheus does."""
    value = float(value)
    if value < _PLAIN_BELOW:
        return repr(value)
    return str(floatToGoString(value))  # type: ignore[no-untyped-call] # prometheus-client's


def _render_header(spec: Spec, encode: Encode) -> bytes:
    return encode_families([Metric(spec.family, spec.help, spec.kind)], encode)
