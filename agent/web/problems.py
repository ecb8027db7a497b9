"""``GET /api/problems``: what is wrong right now, as JSON."""

from collections.abc import Iterable
from datetime import UTC, datetime

from agent.problems.problem import Problem, visible_problems
from agent.settings import Credentials
from agent.web import schema


def render_problems(
    problems: Iterable[Problem], evaluated_at: float | None, reader: Credentials
) -> bytes:
    """Render the problems, the worst first.

    Args:
        problems: What the last evaluation found, in its order.
        evaluated_at: When that was, in seconds since the epoch; None before the first.
        reader: Whose add-ons are shown, besides the agent's own problems.

    Returns:
        JSON of `schema.Problems`.
    """
    shown = [_describe(one) for one in visible_problems(problems, reader)]
    return schema.encode(schema.Problems(_maybe_write_time(evaluated_at), shown))


def _describe(problem: Problem) -> schema.Problem:
    return schema.Problem(
        alert=problem.alert,
        severity=problem.severity,
        cluster=problem.addon or None,
        broker=problem.broker or None,
        node=problem.node or None,
        details=problem.details,
        since=_write_time(problem.since),
        ended=_maybe_write_time(problem.ended),
        value=problem.value,
        value_text=problem.value_text or None,
        limit=problem.limit,
        limit_text=problem.limit_text or None,
        summary=problem.summary,
        description=problem.description,
        consequence=problem.consequence,
        first_step=problem.first_step,
        runbook=f"alerts/runbooks/{problem.alert}.md",
    )


def _write_time(timestamp: float) -> str:
    return datetime.fromtimestamp(timestamp, UTC).isoformat(timespec="seconds")


def _maybe_write_time(timestamp: float | None) -> str | None:
    return None if timestamp is None else _write_time(timestamp)
