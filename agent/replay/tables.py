"""A replay as tables for people; without lines and colours where no terminal is."""

from collections.abc import Iterator
from typing import Any

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from agent.kafka.categories import Urgency
from agent.replay.report import render_time
from agent.replay.runner import Replay
from agent.replay.summary import BrokerSummary, ClusterSummary, NodeSummary
from parsers import Level

_PLAIN_WIDTH = 120
_WHOLE = 1000


def print_tables(replay: Replay, console: Console) -> None:
    """Print a replay.

    Args:
        replay: What archives held.
        console: Where to; one that is no terminal gets plain text.
    """
    for part in _tables(replay, plain=not console.is_terminal):
        console.print(part, soft_wrap=isinstance(part, Text))


def make_console(**attributes: Any) -> Console:
    """Make a console for standard output; a pipe is as wide as the tables."""
    console = Console(highlight=False, **attributes)
    if not console.is_terminal:
        console.width = _PLAIN_WIDTH
    return console


def render_figure(value: float) -> str:
    """Write a value for a column: whole, or four digits behind a small number."""
    if value.is_integer() and abs(value) < 1e15:  # noqa: PLR2004 (all digits exact)
        return str(int(value))
    return f"{value:.1f}" if _WHOLE <= abs(value) < 1e15 else f"{value:.4g}"  # noqa: PLR2004


def _tables(replay: Replay, *, plain: bool) -> Iterator[RenderableType]:
    for cluster in replay.clusters:
        yield Text(f"{cluster.addon}", style="bold")
        yield from _cluster(cluster, plain=plain)
        yield Text()
    yield from _closing(replay)


def _cluster(cluster: ClusterSummary, *, plain: bool) -> Iterator[RenderableType]:
    for broker in cluster.brokers:
        yield Text(f"  {_title(broker)}: {_span(broker.first, broker.last)}, ").append(
            f"{broker.lines} lines, {broker.samples} samples"
        )
        yield _gauges(broker, plain=plain)
        yield from _gaps(broker)
    if cluster.nodes:
        yield _nodes(cluster.nodes, plain=plain)
        yield _events(cluster.nodes, plain=plain)


def _title(broker: BrokerSummary) -> str:
    return "whole cluster" if broker.broker is None else f"broker {broker.broker}"


def _span(first: float | None, last: float | None) -> str:
    if first is None:
        return "no time"
    return f"{render_time(first)} to {render_time(last)}"


def _table(*columns: str, words: int, plain: bool) -> Table:
    """Make a table whose first columns are words and whose others are figures."""
    table = Table(box=None if plain else box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("   ")
    for number, column in enumerate(columns):
        is_word = number < words
        table.add_column(column, justify="left" if is_word else "right", no_wrap=True)
    return table


def _gauges(broker: BrokerSummary, *, plain: bool) -> Table:
    table = _table("metric", "count", "min", "mean", "p95", "max", words=1, plain=plain)
    for name, figures in broker.gauges.items():
        values = (figures.min, figures.mean, figures.p95, figures.max)
        table.add_row("", name, str(figures.count), *map(render_figure, values))
    return table


def _gaps(broker: BrokerSummary) -> Iterator[Text]:
    if not broker.gaps:
        return
    usual = render_figure(broker.interval_seconds)
    yield Text(f"    {broker.gaps} gaps; a line usually comes every {usual} s")
    for gap in broker.longest_gaps:
        span = f"{render_time(gap.start)} to {render_time(gap.end)}"
        yield Text(f"      {span}  {render_figure(round(gap.seconds, 3))} s")
    if unlisted := broker.gaps - len(broker.longest_gaps):
        yield Text(f"      and {unlisted} shorter ones")


def _nodes(nodes: list[NodeSummary], *, plain: bool) -> Table:
    levels = [level.value for level in Level]
    table = _table("node", "first line", "last line", *levels, words=3, plain=plain)
    for node in nodes:
        times = (render_time(node.first) or "", render_time(node.last) or "")
        counts = (str(node.levels[level]) for level in Level)
        table.add_row("", node.node, *times, *counts)
    return table


def _events(nodes: list[NodeSummary], *, plain: bool) -> Table:
    """List the events of each node, the most urgent first."""
    order = {urgency: number for number, urgency in enumerate(Urgency)}
    table = _table("node", "category", "urgency", "lines", words=3, plain=plain)
    for node in nodes:
        for (category, urgency), count in sorted(
            node.events.items(), key=lambda one: (order[one[0][1]], -one[1])
        ):
            table.add_row("", node.node, category.value, urgency.value, str(count))
    return table


def _closing(replay: Replay) -> Iterator[Text]:
    """Yield the counts that belong to no cluster."""
    copies = f", {replay.repeated} copies left out" if replay.repeated else ""
    yield Text(
        f"{replay.metric_lines} metric lines and {replay.log_lines} lines of brokers"
        f"{copies}; {replay.others} lines of others"
    )
    if replay.undated:
        yield Text(f"{replay.undated} of them have no time that can be believed")
    for title, counts in (
        ("lost on the way", sorted(replay.losses.items())),
        ("refused", sorted((one.value, n) for one, n in replay.refused.items())),
        ("dropped", sorted((one.value, n) for one, n in replay.dropped.items())),
    ):
        if counts:
            listed = ", ".join(f"{name} {count}" for name, count in counts)
            yield Text(f"{title}: {listed}")
