"""The table of brokers: one block for each cluster."""

from itertools import groupby

from rich.table import Table
from rich.text import Text

from agent.clock import Moment
from agent.escaping import escape_controls
from agent.state.views import BrokerView, ClustersView, Status
from agent.watch.columns import (
    GAP,
    STATUS_STYLE,
    Column,
    Row,
    choose_columns,
)
from agent.watch.session import Session


def render_clusters(
    session: Session,
    clusters: ClustersView,
    now: Moment,
    width: int,
    *,
    lines: int,
    ascii_only: bool,
) -> list[Text | Table]:
    """Draw every cluster.

    Args:
        session: What was read.
        clusters: Its state.
        now: The time shown.
        width: Characters of a line.
        lines: Lines that may be taken; one more says what found no room.
        ascii_only: Whether the terminal has no block characters.

    Returns:
        For each cluster a heading and a table.
    """
    columns, spark_width = choose_columns(width)
    drawn: list[Text | Table] = []
    left_out = 0
    views = sorted(clusters.brokers, key=_order)
    for addon, group in groupby(views, key=lambda view: view.addon):
        brokers = list(group)
        room = max(lines - 2, 0 if drawn else 1)
        lines -= 2 + len(brokers[:room])
        left_out += len(brokers[room:])
        if not room:
            continue
        rows = [
            Row(
                view=view,
                values={
                    sample: value for (sample, _unit), value in view.values.items()
                },
                age_seconds=now.wall - view.last_timestamp,
                history=session.engine.state.history(addon, view.broker),
                thresholds=session.settings.thresholds,
                spark_width=spark_width,
                ascii_only=ascii_only,
            )
            for view in brokers[:room]
        ]
        statuses = [view.status for view in brokers if view.broker]
        drawn += [_render_heading(addon, statuses), _render_table(rows, columns)]
    if left_out:
        drawn.append(Text(f"… {left_out} more; the terminal is too low", "yellow"))
    return drawn


def _order(view: BrokerView) -> tuple[str, int]:
    return view.addon, -1 if view.broker is None else int(view.broker)


def _render_heading(addon: str, statuses: list[Status]) -> Text:
    heading = Text(escape_controls(addon), "bold", no_wrap=True, overflow="ellipsis")
    for status, style in STATUS_STYLE.items():
        if status in statuses:
            heading.append(f"   {statuses.count(status)} {status.value}", style)
    return heading


def _render_table(rows: list[Row], columns: list[Column]) -> Table:
    table = Table(
        box=None,
        pad_edge=False,
        padding=(0, GAP, 0, 0),
        header_style="dim",
        collapse_padding=True,
    )
    for column in columns:
        width = column.width or rows[0].spark_width
        table.add_column(
            Text(column.title),
            width=width,
            no_wrap=True,
            justify="left" if column.left or not column.width else "right",
        )
    for row in rows:
        table.add_row(*(column.draw(row) for column in columns))
    return table
