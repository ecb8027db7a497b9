"""``simulate``: a synthetic cluster, to a drain or to standard output."""

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import urlsplit

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from agent.cli.options import Duration, option
from agent.simulator import (
    SCENARIOS,
    Cluster,
    Delivery,
    DrainUnreachableError,
    Line,
    Logplex,
    tail_line,
)
from agent.simulator.player import Play, play_as_text, play_to_drain

BROKERS = {"standard": 3, "extended": 8}
_PAST_SECONDS = 10_800


class DrainUrl(click.ParamType[str]):
    """The address of a drain."""

    name = "url"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """Refuse what is no http or https URL; do not repeat it, it may hold a secret."""
        parts = urlsplit(str(value))
        if parts.scheme not in ("http", "https") or not parts.hostname:
            self.fail("that is no http:// or https:// URL", param, ctx)
        return str(value)


class Speed(click.ParamType[float]):
    """A factor of real time, or ``max``, which becomes infinite."""

    name = "factor"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Convert ``60`` to 60.0 and ``max`` to infinity."""
        factor = 0.0
        with contextlib.suppress(ValueError):
            factor = float("inf") if value == "max" else float(str(value))
        if not factor > 0:
            self.fail(f"{value!r} is no factor like 1 or 60, nor 'max'", param, ctx)
        return factor


_STORIES = "\n".join(f"  {name:<17}{one.about}" for name, one in SCENARIOS.items())


@click.command(
    epilog="\b\nScenarios:\n" + _STORIES,
)
@option(
    "--drain",
    type=DrainUrl(),
    metavar="URL",
    help="Drain to send to, like https://user:password@host/logs.  [default: print the "
    "lines as `heroku logs` does]",
)
@option(
    "--scenario",
    type=click.Choice(list(SCENARIOS)),
    default="steady",
    show_default=True,
    help="What happens to the cluster.",
)
@option(
    "--plan",
    type=click.Choice(list(BROKERS)),
    default="standard",
    show_default=True,
    help="Three brokers, or eight.",
)
@option(
    "--cluster",
    metavar="NAME",
    default="kafka-simulated-10001",
    show_default=True,
    help="Name of the add-on.",
)
@option("--seed", type=int, default=0, show_default=True, help="Chance comes from it.")
@option(
    "--speed",
    type=Speed(),
    default="1",
    show_default=True,
    help="Factor of real time, or max.",
)
@option(
    "--time-lapse",
    is_flag=True,
    help="Stamp the lines with the present time: at --speed 60 a minute of the story takes "
    "a second.",
)
@option(
    "--duration",
    type=Duration(),
    help="Simulated time.  [default: endless]",
)
@option(
    "--start",
    type=click.DateTime(["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S"]),
    help="First second.  [default: now, or so far back that a faster run ends now]",
)
@option(
    "--others",
    type=click.FloatRange(0, 0.999),
    default=0.95,
    show_default=True,
    help="Part of the lines that the app's router and dynos write.",
)
@option(
    "--interval",
    type=click.IntRange(1, 3600),
    default=20,
    show_default=True,
    help="Seconds between two metric lines of a broker.",
)
def simulate(  # noqa: PLR0913 (click hands each option over by name)
    *,
    drain: str | None,
    scenario: str,
    plan: str,
    cluster: str,
    seed: int,
    speed: float,
    time_lapse: bool,
    duration: float | None,
    start: datetime | None,
    others: float,
    interval: int,
) -> None:
    """Write what a synthetic cluster writes; nothing of it is real.

    Never ahead of the clock: a run faster than real time begins in the past and goes on
    in real time once it has caught up. With --time-lapse it begins now and stays fast.
    """
    if time_lapse and (speed == float("inf") or start is not None):
        message = "--time-lapse needs a --speed like 60, and no --start"
        raise click.UsageError(message)
    begin = _begin(start, 1 if time_lapse else speed, duration)
    played = Play(
        clusters=(
            Cluster(
                addon=cluster,
                scenario=SCENARIOS[scenario],
                brokers=BROKERS[plan],
                interval=interval,
                seed=seed,
                start=begin,
            ),
        ),
        start=begin,
        seconds=None if duration is None else int(duration),
        speed=None if speed == float("inf") else speed,
        others=others,
        seed=seed,
        time_lapse=time_lapse,
    )
    if drain is None:
        _print(played)
    else:
        _send(played, drain, seed)


def _begin(start: datetime | None, speed: float, duration: float | None) -> int:
    if start is not None:
        return int((start if start.tzinfo else start.replace(tzinfo=UTC)).timestamp())
    back = 0.0
    if speed != 1:
        back = _PAST_SECONDS if duration is None else duration
    return int(time.time() - back)


def _print(played: Play) -> None:
    """Print the lines until the end, Ctrl-C, or until nobody reads any more."""

    def write(line: Line) -> None:
        sys.stdout.write(f"{tail_line(line)}\n")

    def flush(_second: int) -> None:
        sys.stdout.flush()

    with contextlib.suppress(KeyboardInterrupt):
        try:
            play_as_text(played, write, flush)
        except BrokenPipeError:
            # Python flushes standard output once more at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _send(played: Play, url: str, seed: int) -> None:
    """Send the lines, show how far it is, and say in the end what became of them."""
    logplex: Logplex | None = None

    async def send() -> None:
        nonlocal logplex
        logplex = Logplex(url, seed)
        with _progress(played) as progress:
            await play_to_drain(played, logplex, progress)

    try:
        asyncio.run(send())
    except KeyboardInterrupt:
        pass
    except DrainUnreachableError:
        parts = urlsplit(url)
        message = f"nobody answers at {parts.scheme}://{parts.hostname}:{parts.port}"
        raise click.ClickException(message) from None
    if logplex is not None:
        _summarise(logplex.delivered)


def _summarise(done: Delivery) -> None:
    click.echo(
        f"{done.sent} messages sent, {done.acknowledged} acknowledged, {done.dropped} "
        f"dropped; {done.requests} requests, {done.retries} of them retries",
        err=True,
    )


@contextlib.contextmanager
def _progress(played: Play) -> Iterator["_Bar"]:
    """Show a bar on a terminal, nothing elsewhere."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        yield _Bar(bar, played)


class _Bar:
    """Moves the bar."""

    def __init__(self, bar: Progress, played: Play) -> None:
        self._bar = bar
        self._start = played.start
        self._task = bar.add_task("simulating", total=played.seconds)

    def __call__(self, second: int) -> None:
        moment = datetime.fromtimestamp(second, UTC)
        self._bar.update(
            self._task,
            completed=second + 1 - self._start,
            description=f"simulating {moment:%Y-%m-%d %H:%M:%S} UTC",
        )
