"""The columns of the table of brokers, and which of them fit."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rich.text import Text

from agent.alerting.thresholds import Thresholds
from agent.state.history import History
from agent.state.views import BrokerView, Status
from agent.watch.formats import (
    render_age,
    render_bar,
    render_bytes,
    render_number,
    render_rate,
    render_share,
    render_sparkline,
)
from parsers import SampleKey

GAP = 2
"""Blanks between two columns."""

_SPARK_WIDTH = 7
_WIDEST_SPARK = 24
_BAR_WIDTH = 6
_MISSING = "-"


STATUS_STYLE = {
    Status.REPORTING: "green",
    Status.LATE: "yellow",
    Status.STALE: "bold red",
    Status.MISSING: "bold red",
}

CURRENT = (Status.REPORTING, Status.LATE)
"""States of brokers whose values are of now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Everything that the columns draw from.

    Attributes:
        view: The broker.
        values: Its values by the name of their sample.
        age_seconds: Age of its newest sample by its own timestamp.
        history: Its last hours.
        thresholds: From where on a value is marked.
        spark_width: Characters of a sparkline.
        ascii_only: Whether the terminal has no block characters.
    """

    view: BrokerView
    values: Mapping[str, float]
    age_seconds: float
    history: History
    thresholds: Thresholds
    spark_width: int
    ascii_only: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column.

    Attributes:
        title: What stands above it.
        width: Characters; 0 for a sparkline, which takes what is left.
        priority: Columns with higher numbers are dropped first.
        left: Whether it is aligned to the left.
        draw: From a row to a cell.
    """

    title: str
    width: int
    priority: int
    draw: Callable[[Row], Text]
    left: bool = False


def choose_columns(width: int) -> tuple[list[Column], int]:
    """Take columns by priority while they fit; what is left goes to the sparklines.

    Args:
        width: Characters of a line.

    Returns:
        The columns in their order, and the characters of each sparkline.
    """
    chosen: set[int] = set()
    used = -GAP
    for column in sorted(_COLUMNS, key=lambda column: column.priority):
        used += GAP + (column.width or _SPARK_WIDTH)
        if used > width and chosen:
            used -= GAP + (column.width or _SPARK_WIDTH)
            break
        chosen.add(column.priority)
    columns = [column for column in _COLUMNS if column.priority in chosen]
    sparks = sum(not column.width for column in columns)
    spare = (width - used) // sparks if sparks else 0
    return columns, min(_SPARK_WIDTH + max(spare, 0), _WIDEST_SPARK)


def _draw_figure(
    name: str,
    render: Callable[[float], str],
    group: str | None = None,
) -> Callable[[Row], Text]:
    """Make the drawing of one gauge, coloured by the thresholds of a group."""

    def draw(row: Row) -> Text:
        value = row.values.get(name)
        if value is None:
            return Text(_MISSING, "dim")
        return Text(render(value), _style(row, value, group))

    return draw


def _style(row: Row, value: float, group: str | None = None) -> str:
    if row.view.status not in CURRENT:
        return "dim"
    if group is None:
        return ""
    number, addon = row.thresholds.number, row.view.addon
    if value < number(f"{group}.warning", addon):
        return ""
    return "yellow" if value < number(f"{group}.critical", addon) else "bold red"


def _draw_memory(row: Row) -> Text:
    share = row.values.get("memory-percentage-used")
    if share is None:
        return Text(_MISSING, "dim")
    return Text(
        render_bar(share, _BAR_WIDTH, ascii_only=row.ascii_only),
        f"{_style(row, share, 'memory') or 'cyan'} on grey23",
    )


def _draw_sparkline(key: SampleKey, top: float) -> Callable[[Row], Text]:
    def draw(row: Row) -> Text:
        style = "cyan" if row.view.status in CURRENT else "dim"
        # What did not come is left out: brokers need not write in each of the steps.
        points = row.history.series(key, row.view.last_timestamp)
        values = tuple(point for point in points if point is not None)
        return Text(
            render_sparkline(values, top, row.spark_width, ascii_only=row.ascii_only),
            style,
        )

    return draw


def _draw_iops(row: Row) -> Text:
    names = ("read-iops", "write-iops")
    if not any(name in row.values for name in names):
        return Text(_MISSING, "dim")
    read, write = (
        render_rate(row.values[name]) if name in row.values else _MISSING
        for name in names
    )
    return Text(f"{read}/{write}", _style(row, 0.0))


_COLUMNS = (
    Column(
        title="broker",
        width=6,
        priority=0,
        left=True,
        draw=lambda row: Text(
            "all" if row.view.broker is None else row.view.broker, "bold"
        ),
    ),
    Column(
        title="state",
        width=9,
        priority=1,
        left=True,
        draw=lambda row: Text(row.view.status.value, STATUS_STYLE[row.view.status]),
    ),
    Column(
        title="age",
        width=4,
        priority=2,
        draw=lambda row: Text(
            render_age(row.age_seconds) if row.view.created else _MISSING
        ),
    ),
    Column(
        title="load1",
        width=5,
        priority=3,
        draw=_draw_figure("load-avg-1m", render_number, "load"),
    ),
    Column(
        title="load5",
        width=5,
        priority=9,
        draw=_draw_figure("load-avg-5m", render_number, "load"),
    ),
    Column(
        title="load15",
        width=6,
        priority=10,
        draw=_draw_figure("load-avg-15m", render_number, "load"),
    ),
    Column(
        title="load",
        width=0,
        priority=7,
        draw=_draw_sparkline(("load-avg-1m", ""), 1.0),
    ),
    Column(
        title="memory",
        width=6,
        priority=4,
        draw=_draw_figure("memory-percentage-used", render_share, "memory"),
    ),
    Column(
        title="",
        width=_BAR_WIDTH,
        priority=8,
        left=True,
        draw=_draw_memory,
    ),
    Column(
        title="cache",
        width=8,
        priority=13,
        draw=_draw_figure("memory-cached", render_bytes),
    ),
    Column(
        title="in/s",
        width=8,
        priority=5,
        draw=_draw_figure("bytes-in-per-second", render_bytes),
    ),
    Column(
        title="in",
        width=0,
        priority=12,
        draw=_draw_sparkline(("bytes-in-per-second", ""), 1.0),
    ),
    Column(
        title="out/s",
        width=8,
        priority=6,
        draw=_draw_figure("bytes-out-per-second", render_bytes),
    ),
    Column(title="IOPS r/w", width=9, priority=11, draw=_draw_iops),
)
