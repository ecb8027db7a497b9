"""The whole screen: brokers, what they said, and what became of the lines."""

import sys
from collections.abc import Sequence
from itertools import islice

from rich.console import Console, Group, RenderableType
from rich.text import Text

from agent.clock import Moment
from agent.escaping import escape_controls
from agent.kafka.categories import Category, Urgency
from agent.state.log_events import EventFilter, LogEvent
from agent.state.views import ClustersView, NodeView
from agent.watch.formats import render_clock, render_recent
from agent.watch.plain import describe_loss, describe_refusals, describe_tally
from agent.watch.session import Session
from agent.watch.table import render_clusters
from agent.watch.verdict import render_verdict
from parsers import Level

URGENCY_STYLE = {
    Urgency.CRITICAL: "bold white on red",
    Urgency.WARNING: "yellow",
    Urgency.INFO: "cyan",
    Urgency.NOISE: "dim",
}
_LEVEL_STYLE = {Level.WARN: "", Level.ERROR: "yellow", Level.FATAL: "bold red"}
_EVENT_ROWS = 2
_NARROWEST_NAME = 8
_LINES_BESIDE = 6  # title, rest of the brokers, footer
_TIME_WIDTH = 8
_URGENCY_WIDTH = max(len(urgency.value) for urgency in Urgency)
_CATEGORY_WIDTH = max(len(category.value) for category in Category)
_SHOWN_CHARACTERS = 500  # more than any terminal is wide
_SEPARATOR = " · "


def render_report(
    session: Session, now: Moment, console: Console, *, events: int, ended: bool
) -> RenderableType:
    """Draw the whole screen, with as many events as its height leaves room for.

    Args:
        session: What was read.
        now: The time shown.
        console: Where it will be shown: it decides width and height.
        events: Events at most.
        ended: Whether the input has ended; the height is no limit then.

    Returns:
        What rich can print, no line of it wider than the console.
    """
    clusters = session.engine.state.view(now)
    above: list[RenderableType] = [_render_title(session, now, ended=ended)]
    if session.engine.evaluated_at is not None and clusters.brokers:
        above += render_verdict(
            session.engine.problems, now.wall, ascii_only=console.options.ascii_only
        )
    taken = len(console.render_lines(Group(*above))) - 1
    above += render_clusters(
        session,
        clusters,
        now,
        console.width,
        lines=sys.maxsize if ended else console.height - _LINES_BESIDE - taken,
        ascii_only=console.options.ascii_only,
    ) or [_render_waiting(ended=ended)]
    below = [Text(), *_render_footer(session)]
    height = console.height - len(console.render_lines(Group(*above, *below)))
    nodes = _render_nodes(clusters, console.width)
    per_cluster = _render_nodes(_by_cluster(clusters), console.width)
    if not ended and len(nodes) + _EVENT_ROWS + 1 > height:
        nodes = per_cluster
    if ended or len(nodes) <= height:
        above += nodes
        height -= len(nodes)
    room = events if ended else min(events, (height - 1) // _EVENT_ROWS)
    newest = list(islice(session.engine.log.select(EventFilter()), max(room, 0)))
    return Group(*above, *_render_events(newest, clusters, now), *below)


def _line(text: str = "", style: str = "") -> Text:
    return Text(text, style, no_wrap=True, overflow="ellipsis")


def _render_title(session: Session, now: Moment, *, ended: bool) -> Text:
    title = _line("heroku-kafka-agent watch", "bold")
    title.append(f"{_SEPARATOR}{render_clock(now.wall)} UTC{_SEPARATOR}", "not bold")
    if ended:
        title.append("ended", "not bold dim")
    elif session.has_ended:
        title.append("the stream timed out", "bold red")
    else:
        title.append("Ctrl-C ends", "not bold dim")
    return title


def _render_waiting(*, ended: bool) -> Text:
    yet = "came" if ended else "yet"
    return Text(f"No sample of a Kafka cluster {yet}. They are app[heroku-kafka.N].")


def _render_nodes(clusters: ClustersView, width: int) -> list[RenderableType]:
    """Draw the counts; a list as long as the lines that it takes."""
    if not clusters.nodes:
        return [_line(), _line("No WARN, ERROR or FATAL line of a broker.", "dim")]
    views = sorted(clusters.nodes, key=lambda view: (view.addon, int(view.node or 0)))
    several = len({view.addon for view in views}) > 1
    names = [_name_node(view, several=several) for view in views]
    numbers = [one.value for one in (*Level, *Urgency)]
    left = width - sum(len(title) + 2 for title in numbers)
    left = max(min(left, max(map(len, names))), _NARROWEST_NAME)
    rows = [_line(), _line("  ".join(("said by".ljust(left), *numbers)), "dim")]
    for view, name in zip(views, names, strict=True):
        # The end of a name tells nodes apart.
        row = _line(name.ljust(left) if len(name) <= left else f"…{name[1 - left :]}")
        for level in Level:
            _append_count(row, view.lines[level], level.value, _LEVEL_STYLE[level])
        for urgency in Urgency:
            count = view.urgencies[urgency]
            _append_count(row, count, urgency.value, URGENCY_STYLE[urgency])
        rows.append(row)
    return list(rows)


def _append_count(row: Text, count: int, title: str, style: str) -> None:
    number = f"{count:>{len(title)}}"
    row.append("  ").append(number, style if count else "dim")


def _name_node(view: NodeView, *, several: bool) -> str:
    """Name a node as its lines do, without the add-on where that is clear."""
    addon = escape_controls(view.addon)
    if not view.node:
        return addon
    known = f" (broker {view.broker})" if view.broker else ""
    return f"{addon}.{view.node}{known}" if several else f"node {view.node}{known}"


def _by_cluster(clusters: ClustersView) -> ClustersView:
    """Add up the nodes of each cluster."""
    sums: dict[str, NodeView] = {}
    for view in clusters.nodes:
        total = sums.get(view.addon)
        if total is None:
            sums[view.addon] = view._replace(
                node="", lines=view.lines.copy(), events=view.events.copy()
            )
            continue
        for level, count in view.lines.items():
            total.lines[level] += count
        for cell, count in view.events.items():
            total.events[cell] += count
    return clusters._replace(nodes=list(sums.values()))


def _render_events(
    newest: Sequence[LogEvent], clusters: ClustersView, now: Moment
) -> list[RenderableType]:
    """Draw the events in two lines each: what it means, and what it says."""
    if not newest:
        return []
    several = len({view.addon for view in clusters.nodes}) > 1
    drawn: list[RenderableType] = [_line()]
    for event in newest:
        line, verdict = event.line, event.verdict
        time = f"{render_recent(event.time, now.wall):<{_TIME_WIDTH}}"
        meaning = _line(f"{time}  node {line.node:<2} ")
        meaning.append(verdict.urgency.value, URGENCY_STYLE[verdict.urgency])
        meaning.append(" " * (_URGENCY_WIDTH - len(verdict.urgency.value)))
        meaning.append(f"  {verdict.category.value:<{_CATEGORY_WIDTH}}  ")
        meaning.append(escape_controls(verdict.meaning))
        said = escape_controls(line.text[:_SHOWN_CHARACTERS])
        whose = f"{escape_controls(line.addon)} " if several else ""
        indent = " " * (_TIME_WIDTH + 2)
        drawn += [meaning, _line(f"{indent}{whose}{line.level.value} {said}", "dim")]
    return drawn


def _render_footer(session: Session) -> list[Text]:
    tally = session.tally
    footer = [Text(_SEPARATOR.join(describe_tally(tally)), "dim")]
    refusals = describe_refusals(tally)
    if refusals:
        footer.append(Text(_SEPARATOR.join(refusals), "yellow"))
    for code, count in sorted(tally.losses.items()):
        style = "dim" if code == "L10" else "bold red"
        footer.append(Text(describe_loss(code, count), style))
    return footer
