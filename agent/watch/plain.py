"""One line of text for each line of a cluster, for pipes and files."""

from agent.clock import Moment
from agent.escaping import escape_controls
from agent.metrics.specs import SAMPLES
from agent.state.log_events import LogEvent
from agent.watch.formats import (
    render_bytes,
    render_clock,
    render_number,
    render_rate,
    render_share,
)
from agent.watch.session import Shown, Tally
from parsers import DrainLoss, MetricLine

_FIGURES = (
    ("load-avg-1m", "load", render_number),
    ("memory-percentage-used", "memory", render_share),
    ("bytes-in-per-second", "in", lambda value: f"{render_bytes(value)}/s"),
    ("bytes-out-per-second", "out", lambda value: f"{render_bytes(value)}/s"),
    ("read-iops", "reads", lambda value: f"{render_rate(value)}/s"),
    ("write-iops", "writes", lambda value: f"{render_rate(value)}/s"),
    ("memory-cached", "cache", render_bytes),
)


def render_plain(shown: Shown, now: Moment) -> str:
    """Render what a line turned out to be.

    Args:
        shown: A metric line, an event or a loss.
        now: When it was read: the time of what has none of its own.

    Returns:
        One line without its newline, harmless to terminals.
    """
    return escape_controls(_render(shown, now))


def describe_loss(code: str, count: int) -> str:
    """Say in words how many lines were lost, and whose loss that was."""
    if code == "L10":
        return f"a drain lost {count:,} lines (L10), this stream did not"
    return f"{count:,} lines lost before they came here ({code})"


def describe_tally(tally: Tally) -> list[str]:
    """Say in words what became of the lines, without refusals and losses.

    Args:
        tally: The counts.

    Returns:
        Phrases; counts that are 0 have none.
    """
    counts = (
        (tally.kafka, "of Kafka"),
        (tally.other, "of others"),
        (tally.repeated, "repeated"),
        (tally.chatter, "no log lines"),
        (tally.too_long, "too long"),
    )
    read = f"{tally.lines + tally.too_long:,} lines read"
    return [read, *(f"{count:,} {what}" for count, what in counts if count)]


def describe_refusals(tally: Tally) -> list[str]:
    """Say what was refused and what found no place, by reason."""
    phrases = []
    for what, counts in (("refused", tally.refused), ("not shown", tally.dropped)):
        if counts:
            reasons = ", ".join(
                f"{reason.value} {count:,}" for reason, count in counts.most_common()
            )
            phrases.append(f"{what}: {reasons}")
    return phrases


def _render(shown: Shown, now: Moment) -> str:
    match shown:
        case MetricLine():
            return _render_metrics(shown, now)
        case LogEvent():
            return _render_event(shown)
        case DrainLoss():
            lost = describe_loss(shown.code, shown.count)
            return f"{render_clock(now.wall)} {lost}"


def _render_metrics(line: MetricLine, now: Moment) -> str:
    values = {
        sample: value
        for (sample, unit), value in line.samples.items()
        if (sample, unit) in SAMPLES
    }
    time = now.wall if line.timestamp is None else line.timestamp
    whose = "cluster" if line.broker is None else f"broker {line.broker}"
    figures = [
        f"{word} {render(values[name])}"
        for name, word, render in _FIGURES
        if name in values
    ]
    if not figures:
        figures = [f"{len(line.samples)} other samples"]
    return " ".join((render_clock(time), line.addon, whose, *figures))


def _render_event(event: LogEvent) -> str:
    line, verdict = event.line, event.verdict
    return (
        f"{render_clock(event.time)} {line.addon} node {line.node} {line.level.value} "
        f"{verdict.category.value} {verdict.urgency.value} {verdict.meaning} | "
        f"{line.text}"
    )
