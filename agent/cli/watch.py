"""``watch``: a cluster in the terminal, without an agent."""

import os
import sys
from io import TextIOWrapper
from pathlib import Path

import click
from rich.console import Console

from agent.cli.options import (
    addon_option,
    option,
    read_thresholds,
    rule_override_option,
    stale_after_option,
    threshold_options,
)
from agent.settings import FORGET_AFTER_SECONDS, Settings
from agent.watch import LiveView, PlainView, Session, View, run_watch

_MOST_EVENTS = 1000


@click.command()
@stale_after_option
@addon_option
@threshold_options
@rule_override_option
@option(
    "--events",
    type=click.IntRange(0, _MOST_EVENTS),
    default=8,
    show_default=True,
    help="The newest lines of brokers that are shown.",
)
def watch(
    *,
    stale_after: float,
    addons: tuple[str, ...],
    thresholds: Path | None,
    settings: tuple[str, ...],
    rule_overrides: tuple[tuple[str, str], ...],
    events: int,
) -> None:
    """Show the cluster that `heroku logs --tail` speaks of, as a live table.

    \b
    heroku logs --tail -p kafka-animated-39618 -a example-app | heroku-kafka-agent watch
    """  # noqa: D301 (\b is click's)
    if sys.stdin is None or sys.stdin.isatty():
        raise click.UsageError(
            "nothing is piped in; run: heroku logs --tail -p YOUR-KAFKA-ADD-ON "
            "-a YOUR-APP | heroku-kafka-agent watch"
        )
    session = Session(
        Settings(
            stale_after_seconds=stale_after,
            forget_after_seconds=max(stale_after, FORGET_AFTER_SECONDS),
            addons=frozenset(addons),
            thresholds=read_thresholds(thresholds, settings),
            rule_overrides=dict(rule_overrides),
        )
    )
    try:
        run_watch(session, sys.stdin.buffer, _choose_view(session, events))
    except KeyboardInterrupt:
        pass  # the second Ctrl-C, while the first one could not be obeyed
    except BrokenPipeError:
        # The interpreter flushes once more at exit, where nobody catches it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _choose_view(session: Session, events: int) -> View:
    if isinstance(sys.stdout, TextIOWrapper):
        # A block character in a Latin-1 terminal is no reason to end.
        sys.stdout.reconfigure(errors="replace")
    console = Console(highlight=False)
    # Not console.is_terminal: FORCE_COLOR makes a terminal of every pipe.
    if sys.stdout.isatty() and not console.is_dumb_terminal:
        return LiveView(session, console, events)
    return PlainView(session)
