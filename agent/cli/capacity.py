"""``capacity``: a report from the text of ``heroku kafka:info`` and its kin."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO
from urllib.parse import urlsplit, urlunsplit

import click
import httpx2
from rich.console import Console

from agent.capacity.assessment import Assessment, assess
from agent.capacity.report import print_report, show_assessment
from agent.cli.options import (
    PlanOf,
    Share,
    option,
    read_thresholds,
    threshold_options,
)
from agent.clock import read_clock
from agent.engine import Engine
from agent.kafka.plans import DEFAULT_RETENTION_SECONDS
from agent.settings import Settings
from parsers import ClusterUse, TextProblem, parse_kafka_info

_ROUTE = "/api/capacity"
_POST_SECONDS = 15.0


@click.command()
@click.argument("text", type=click.File("r", errors="replace"), metavar="FILE|-")
@option(
    "--plan",
    "plans",
    multiple=True,
    type=PlanOf(),
    metavar="ADDON=PLAN",
    help="The plan of an add-on, where the text does not say.",
)
@threshold_options
@option(
    "--fail-over",
    type=Share(),
    metavar="PERCENT",
    help="Exit with 1 where more of a limit is used, like 90%.",
)
@option(
    "--post",
    metavar="URL",
    help="Give the text to a running agent, like https://user:password@host.",
)
@option(
    "--format",
    "shape",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="What is printed.",
)
def capacity(  # noqa: PLR0913 (click hands each option over by name)
    *,
    text: TextIO,
    plans: tuple[tuple[str, str], ...],
    thresholds: Path | None,
    settings: tuple[str, ...],
    fail_over: float | None,
    post: str | None,
    shape: str,
) -> int:
    """Say how full a cluster is, from what `heroku kafka:info` prints.

    \b
    heroku kafka:info -a example-app | heroku-kafka-agent capacity -
    """  # noqa: D301 (\b is click's)
    numbers = read_thresholds(thresholds, settings)
    written = text.read()
    uses, problems = _understand(written)
    now = read_clock()
    engine = Engine(Settings(plans=dict(plans)))
    for use in uses:
        engine.learn(use, now)
    today = datetime.fromtimestamp(now.wall, UTC).date()
    found = [
        assess(one, None, DEFAULT_RETENTION_SECONDS, today, numbers)
        for one in engine.snapshot(now).plans
        if one.observed is not None
    ]
    if shape == "json":
        click.echo(json.dumps([show_assessment(one) for one in found], indent=2))
    else:
        print_report(Console(highlight=False), found, today)
    for problem in problems:
        click.echo(f"line {problem.line}: {problem.reason}", err=True)
    if post is not None:
        _post(post, written)
    return int(fail_over is not None and _is_over(found, fail_over))


def _understand(written: str) -> tuple[list[ClusterUse], list[TextProblem]]:
    read = parse_kafka_info(written)
    uses = [one for one in read if isinstance(one, ClusterUse)]
    if not uses:
        raise click.UsageError(
            "there is no cluster in this text; run: heroku kafka:info -a YOUR-APP | "
            "heroku-kafka-agent capacity -"
        )
    return uses, [one for one in read if isinstance(one, TextProblem)]


def _is_over(found: list[Assessment], share: float) -> bool:
    """Say, on standard error, which limits are passed."""
    over = False
    for one in found:
        for meter in one.meters:
            if meter.share > share:
                over = True
                click.echo(
                    f"{one.plan.addon}: {meter.name} at {meter.share:.1%}, over "
                    f"{share:.1%}",
                    err=True,
                )
    return over


def _post(url: str, written: str) -> None:
    """Give the text to an agent; a failure is a sentence without the password."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise click.UsageError("--post must be an http:// or https:// URL")
    route = parts.path if parts.path.strip("/") else _ROUTE
    target = urlunsplit(parts._replace(path=route))
    where = f"{parts.scheme}://{parts.hostname}"
    try:
        answer = httpx2.post(
            target,
            content=written.encode(),
            headers={"content-type": "text/plain; charset=utf-8"},
            timeout=_POST_SECONDS,
            follow_redirects=False,
        )
    except httpx2.HTTPError as error:
        message = f"{where} cannot be reached: {type(error).__name__}"
        raise click.ClickException(message) from None
    if not answer.is_success:
        message = f"{where} answered {answer.status_code} to the capacity text"
        raise click.ClickException(message)
    sys.stderr.write(f"{where} has taken it over\n")
