"""The capacity report for a terminal: what is used, of how much, and what to do."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from rich.console import Console
from rich.text import Text

from agent.amounts import write_amount
from agent.capacity.assessment import Assessment, Meter
from agent.escaping import escape_controls
from agent.kafka.versions import judge_version

_CELLS = 20


def print_report(
    console: Console, assessments: Iterable[Assessment], today: date
) -> None:
    """Print what is to be said of some clusters.

    Args:
        console: Where to.
        assessments: The clusters.
        today: What versions are judged by.
    """
    for one in assessments:
        console.print(_heading(one, today))
        for meter in one.meters:
            console.print(_row(meter))
        if one.projected is not None:
            console.print(_row(one.projected))
        if one.retention_hours is not None:
            console.print(
                Text(f"  The plan holds {one.retention_hours:,.0f} h at this rate.")
            )
        if not one.meters:
            console.print(Text("  Nothing is known of what is used.", style="yellow"))
        for sentence in one.advice:
            console.print(Text(f"  → {sentence}", style="bold"))
        console.print(_path(one))
        console.print()


def show_assessment(one: Assessment) -> dict[str, Any]:
    """Show an assessment as JSON can write it; bytes, shares and hours."""
    plan = one.plan
    use = plan.observed.use if plan.observed else None
    meters = [*one.meters, *([one.projected] if one.projected else [])]
    return {
        "cluster": plan.addon,
        "plan": plan.plan_name or None,
        "source": plan.source.value if plan.source else None,
        "status": use.status if use else None,
        "versions": list(use.versions) if use else [],
        "brokers": plan.brokers,
        "meters": [
            {
                "name": meter.name,
                "used": meter.used,
                "limit": meter.limit,
                "share": meter.share,
            }
            for meter in meters
        ],
        "retention_hours": one.retention_hours,
        "next_plan": one.next_plan.name if one.next_plan else None,
        "next_capacity_bytes": one.next_plan.capacity_bytes if one.next_plan else None,
        "advice": list(one.advice),
    }


def _heading(one: Assessment, today: date) -> Text:
    plan = one.plan
    use = plan.observed.use if plan.observed else None
    parts = [plan.plan_name or "plan not known"]
    if plan.source is not None:
        parts[0] += f" ({plan.source.value})"
    if use is not None:
        if use.status:
            parts.append(use.status)
        parts += [
            f"Kafka {version} ({judge_version(version, today).value})"
            for version in use.versions
        ]
    text = Text(escape_controls(plan.addon), style="bold")
    return text.append(f"  {escape_controls(' · '.join(parts))}", style="not bold")


def _row(meter: Meter) -> Text:
    filled = min(_CELLS, int(meter.share * _CELLS))
    used = write_amount(meter.used, is_bytes=meter.is_bytes)
    limit = write_amount(meter.limit, is_bytes=meter.is_bytes)
    return (
        Text(f"  {meter.name:<20}")
        .append("█" * filled, style=_style(meter))
        .append("·" * (_CELLS - filled), style="dim")
        .append(f"  {meter.share:>6.1%}  {used} of {limit}")
    )


def _style(meter: Meter) -> str:
    if meter.share >= meter.levels.act:
        return "red"
    return "yellow" if meter.share >= meter.levels.watch else "green"


def _path(one: Assessment) -> Text:
    if one.next_plan is None:
        return Text("  Next plan up: none that is known.", style="dim")
    capacity = write_amount(one.next_plan.capacity_bytes or 0, is_bytes=True)
    return Text(f"  Next plan up: {one.next_plan.name}, {capacity}.", style="dim")
