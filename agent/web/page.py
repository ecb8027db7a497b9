"""The page at ``/``: what the agent knows right now, for a person with a browser.

Everything shown is rendered here and escaped by the template engine; the script in the
browser only fetches the page again, takes over its parts, and draws the charts. The
policy below lets nothing else run and nothing be loaded from elsewhere.
"""

import itertools
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import NamedTuple

import jinja2

from agent.amounts import write_amount
from agent.capacity.assessment import Assessment, assess
from agent.capacity.estimate import bytes_in_per_second
from agent.clock import Moment
from agent.drain_command import write_drain_command
from agent.engine import Engine
from agent.escaping import escape_controls
from agent.kafka.categories import Urgency
from agent.metrics.spec import PREFIX
from agent.metrics.specs import SAMPLE_ROWS, SampleRow
from agent.settings import Credentials, Settings
from agent.state.log_events import EventFilter, LogEvent
from agent.state.views import BrokerView, ClustersView, NodeView

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

_GROUPS = 15
_SHOWN = 300  # characters of a message
_COLUMNS = (
    "load-avg-1m",
    "load-avg-5m",
    "load-avg-15m",
    "memory-percentage-used",
    "bytes-in-per-second",
    "bytes-out-per-second",
    "read-iops",
    "write-iops",
    "memory-cached",
    "memory-free",
    "memory-total",
)
"""Samples of the table, the ones that page people first."""
_ROWS = {row.sample: row for row in SAMPLE_ROWS}


class _Row(NamedTuple):
    """One broker of the table."""

    view: BrokerView
    age: str
    cells: list[str]


class _Cluster(NamedTuple):
    """One cluster of the page."""

    name: str
    rows: list[_Row]
    nodes: list[NodeView]
    assessment: Assessment | None
    reporting: int


class _Group(NamedTuple):
    """What brokers of a cluster said again and again: the newest line stands for it."""

    newest: LogEvent
    times: int
    nodes: list[str]
    first: str
    last: str
    text: str


class Page:
    """Renders the page.

    Args:
        engine: What is shown.
        settings: Address, drain credentials, retention and thresholds.
    """

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._engine = engine
        self._settings = settings

    def render(self, base_url: str, now: Moment, reader: Credentials) -> str:
        """Render the page.

        Args:
            base_url: Where the reader has found us, for the drain's address.
            now: The time shown.
            reader: Whose add-ons are shown.

        Returns:
            A whole HTML document that asks no other host for anything.
        """
        engine = self._engine
        clusters = engine.state.view(now).visible_to(reader)
        telemetry = engine.telemetry
        return _template().render(
            columns=[_ROWS[sample] for sample in _COLUMNS],
            prefix=PREFIX,
            clusters=self._clusters(clusters, now, reader),
            statuses=_count_statuses(clusters),
            groups=_group(engine.log.select(EventFilter(addons=reader.addons))),
            urgencies=list(Urgency),
            telemetry=telemetry,
            frames={kind.value: count for kind, count in telemetry.frames.items()},
            refused={
                reason.value: count
                for reason, count in telemetry.parse_errors.items()
                if count
            },
            last_request=_time(telemetry.last_request_timestamp),
            drain_command=self._drain_command(base_url, reader),
            now=_time(now.wall),
        )

    def _drain_command(self, base_url: str, reader: Credentials) -> str:
        """Write the command that adds the drain; never with its secret."""
        settings = replace(
            self._settings,
            public_url=self._settings.public_url or base_url,
            show_secrets=False,
            drain_credentials=tuple(
                one
                for one in self._settings.drain_credentials
                if not reader.addons or (one.addons and one.addons <= reader.addons)
            ),
        )
        return write_drain_command(settings)

    def _clusters(
        self, found: ClustersView, now: Moment, reader: Credentials
    ) -> list[_Cluster]:
        """Put brokers and nodes under their clusters, in the order of their numbers."""
        assessments = self._assess(found, now, reader)
        names = {view.addon for view in found.brokers}
        names |= {view.addon for view in found.nodes} | assessments.keys()
        clusters = []
        for name in sorted(names):
            views = sorted(
                (view for view in found.brokers if view.addon == name), key=_number
            )
            nodes = [view for view in found.nodes if view.addon == name]
            clusters.append(
                _Cluster(
                    name=name,
                    rows=[
                        _Row(view, _age(view.last_timestamp, now), _cells(view))
                        for view in views
                    ],
                    nodes=sorted(nodes, key=lambda view: int(view.node)),
                    assessment=assessments.get(name),
                    reporting=sum(view.reporting for view in views if view.broker),
                )
            )
        return clusters

    def _assess(
        self, found: ClustersView, now: Moment, reader: Credentials
    ) -> dict[str, Assessment]:
        rates = bytes_in_per_second(self._engine.state, found.brokers, now)
        today = datetime.fromtimestamp(now.wall, UTC).date()
        retention = self._settings.retention_seconds
        thresholds = self._settings.thresholds
        return {
            one.addon: assess(one, rates.get(one.addon), retention, today, thresholds)
            for one in self._engine.ledger.plans(found)
            if reader.cover(one.addon)
        }


def _cells(view: BrokerView) -> list[str]:
    values = {sample: value for (sample, _unit), value in view.values.items()}
    return [_human(_ROWS[sample], values.get(sample)) for sample in _COLUMNS]


def _group(found: Iterable[LogEvent]) -> list[_Group]:
    """Group the events that mean the same in one cluster, the newest group first."""
    groups: dict[tuple[str, str], list[LogEvent]] = {}
    for event in found:
        groups.setdefault((event.line.addon, event.verdict.meaning), []).append(event)
    return [
        _Group(
            newest=events[0],
            times=len(events),
            nodes=sorted({event.line.node for event in events}, key=int),
            first=_time(min(event.time for event in events)),
            last=_time(events[0].time),
            text=_said(events[0]),
        )
        for events in itertools.islice(groups.values(), _GROUPS)
    ]


def _count_statuses(clusters: ClustersView) -> dict[str, int]:
    counts: dict[str, int] = {}
    for view in clusters.brokers:
        counts[view.status.value] = counts.get(view.status.value, 0) + 1
    return counts


def _said(event: LogEvent) -> str:
    text = event.line.text
    more = " …" if len(text) > _SHOWN else ""
    return escape_controls(text[:_SHOWN]) + more


def _number(view: BrokerView) -> int:
    return -1 if view.broker is None else int(view.broker)


def _human(gauge: SampleRow, value: float | None) -> str:
    if value is None:
        return "–"  # noqa: RUF001 (a dash for "none")
    if gauge.unit == "ratio":
        return f"{value:.1%}"
    if gauge.unit == "bytes":
        per_second = "/s" if gauge.name.endswith("per_second") else ""
        return write_amount(value, is_bytes=True) + per_second
    return f"{value:.3g}"


def _age(timestamp: float, now: Moment) -> str:
    """Write how long ago something was."""
    if timestamp <= 0:
        return "never"
    seconds = max(now.wall - timestamp, 0.0)
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit} ago"
    return f"{seconds:.0f} s ago"


def _time(timestamp: float) -> str:
    if timestamp <= 0:
        return "never"
    return f"{datetime.fromtimestamp(timestamp, tz=UTC):%Y-%m-%d %H:%M:%S} UTC"


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("agent.web"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["write_amount"] = write_amount
    return environment.get_template("page.html")
