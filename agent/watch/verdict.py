"""The verdict: the worst problem of the clusters, in a few lines."""

from collections import Counter
from collections.abc import Sequence

from rich.text import Text

from agent.escaping import escape_controls
from agent.problems.problem import SEVERITIES, Problem
from agent.watch.formats import render_recent

_SHAPES = {"critical": ("■", "!!"), "warning": ("▲", "!"), "info": ("◆", "i")}
_STYLES = {"critical": "bold white on red", "warning": "bold yellow", "info": "cyan"}


def render_verdict(
    problems: Sequence[Problem], now: float, *, ascii_only: bool
) -> list[Text]:
    """Draw the worst problem and count the others; long texts wrap.

    Args:
        problems: The worst first.
        now: Seconds since the epoch.
        ascii_only: Whether the terminal has no symbols.
    """
    if not problems:
        return [Text(f"{'ok' if ascii_only else '●'} ALL CLEAR", "green")]
    worst = problems[0]
    shape = _SHAPES[worst.severity][ascii_only]
    head = Text(f"{shape} {worst.severity.upper()}", _STYLES[worst.severity])
    since = render_recent(worst.since, now)
    head.append(f"  {_name_subject(worst)} since {since} UTC", "not bold default")
    limit = f" (limit {worst.limit_text})" if worst.limit_text else ""
    value = f" {worst.value_text}{limit}" if worst.value_text else ""
    drawn = [
        head,
        Text(f"  {worst.summary}{value}"),
        Text(f"  First: {escape_controls(worst.first_step)}"),
    ]
    others = Counter(one.severity for one in problems[1:])
    if others:
        counts = ", ".join(f"{others[one]} {one}" for one in SEVERITIES if others[one])
        drawn.append(Text(f"  Also: {counts}", "dim"))
    return drawn


def _name_subject(problem: Problem) -> str:
    addon = escape_controls(problem.addon)
    if problem.broker:
        return f"broker {problem.broker} of {addon}"
    return f"node {problem.node} of {addon}" if problem.node else addon
