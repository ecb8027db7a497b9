"""The page at ``/``: what the agent knows right now, for a person with a browser.

Everything shown is escaped by the template engine, and the policy below lets nothing
run even if something were not.
"""

from datetime import UTC, datetime
from functools import cache
from itertools import islice

import jinja2

from agent.catalogue import CATALOGUE, PREFIX
from agent.clock import Moment
from agent.escaping import escape_controls
from agent.events import EventFilter, EventLog
from agent.state import BrokerView, State
from agent.telemetry import Telemetry

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)

_EVENTS = 20
_SHOWN = 300  # characters of a message
_SCALES = ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))


def render_page(state: State, telemetry: Telemetry, log: EventLog, now: Moment) -> str:
    """Render the page.

    Args:
        state: The clusters.
        telemetry: The agent's own counters.
        log: What the brokers said last.
        now: The time shown.

    Returns:
        A whole HTML document that asks no other host for anything.
    """
    snapshot = state.snapshot(now)
    return _template().render(
        columns=[row.gauge for row in CATALOGUE],
        prefix=PREFIX,
        brokers=[
            (view, _time(view.last_timestamp), _cells(view, state))
            for view in sorted(snapshot.brokers, key=_order)
        ],
        nodes=snapshot.nodes,
        events=[
            (event, _time(event.time), escape_controls(event.line.text[:_SHOWN]))
            for event in islice(log.select(EventFilter()), _EVENTS)
        ],
        telemetry=telemetry,
        last_request=_time(telemetry.last_request_timestamp),
        refused=sum(telemetry.parse_errors.values()),
        now=_time(now.wall),
    )


def _order(view: BrokerView) -> tuple[str, int]:
    return view.addon, -1 if view.broker is None else int(view.broker)


def _cells(view: BrokerView, state: State) -> list[str]:
    values = {state.gauge(key).name: value for key, value in view.values.items()}
    names = (row.gauge.name for row in CATALOGUE)
    return [
        _human(name, values[name]) if name in values else "–"  # noqa: RUF001 (a dash for "none")
        for name in names
    ]


def _human(name: str, value: float) -> str:
    if name.endswith("_ratio"):
        return f"{value:.1%}"
    if "bytes" in name:
        per_second = "/s" if name.endswith("per_second") else ""
        for size, unit in _SCALES:
            if value >= size:
                return f"{value / size:.1f} {unit}{per_second}"
        return f"{value:.0f} B{per_second}"
    return f"{value:.3g}"


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
    return environment.get_template("page.html")
