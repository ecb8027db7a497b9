"""Shows the alerts of one scenario to a person: ``python -m alerts.demo``."""

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator

import click

from agent.errors import AgentError
from agent.simulator import SCENARIOS
from alerts.demo.receiver import Notification, Receiver
from alerts.demo.stack import running_stack

_STALE_SECONDS = 300.0
_ADDON = "kafka-animated-39618"
_COLOURS = {"pager": "red", "chat": "yellow", "notes": "cyan"}
_STEP_SECONDS = 0.2
_AFTER_MINUTES = 10


@click.command()
@click.option(
    "--scenario",
    type=click.Choice(list(SCENARIOS)),
    default="broker-loss",
    show_default=True,
    help="What happens to the cluster.",
)
@click.option(
    "--minutes",
    type=click.IntRange(1, 1_440),
    default=45,
    show_default=True,
    help="How much of its story is told.",
)
@click.option(
    "--speed",
    type=click.FloatRange(1, 120),
    default=60,
    show_default=True,
    help="Seconds of the story in a real one.",
)
def demo(scenario: str, minutes: int, speed: float) -> None:
    """Run agent, Prometheus and Alertmanager against a simulated cluster.

    Time is faster, and all durations of the rules are shorter alike. What Alertmanager
    sends is printed as it comes, with the minute of the story.
    """
    began = [time.time()]

    def tell(one: Notification) -> None:
        if one.receiver in _COLOURS:
            _print(one, (one.at - began[0]) * speed / 60)

    with _serving(speed) as url, running_stack(url, Receiver(tell), speed) as stack:
        click.echo(f"{scenario}: {SCENARIOS[scenario].about}")
        click.echo(f"{speed:g} times as fast as life; the minutes are the story's")
        click.echo(f"agent {url}/  Prometheus {stack.prometheus}/alerts")
        began[0] = time.time()
        # It goes on for a while after the story, so that what is over can resolve.
        with _simulating(url, scenario, minutes + _AFTER_MINUTES, speed) as story:
            while story.poll() is None:
                time.sleep(_STEP_SECONDS)
    click.echo("the end")


@contextlib.contextmanager
def _serving(speed: float) -> Iterator[str]:
    """Run an agent; yield its base URL."""
    command = [sys.executable, "-m", "agent", "serve", "--port", "0"]
    stale = f"{_STALE_SECONDS / speed:g}s"
    process = subprocess.Popen(  # noqa: S603 (ours)
        [*command, "--stale-after", stale], stderr=subprocess.PIPE
    )
    try:
        assert process.stderr is not None  # noqa: S101 (a pipe was asked for)
        first = process.stderr.readline()
        if not first:
            message = "the agent does not start"
            raise AgentError(message)
        yield json.loads(first)["url"]
    finally:
        process.terminate()
        process.communicate()


@contextlib.contextmanager
def _simulating(
    url: str, scenario: str, minutes: int, speed: float
) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "agent", "simulate", "--time-lapse"]
    options = {
        "--drain": f"{url}/logs",
        "--scenario": scenario,
        "--speed": f"{speed:g}",
        "--duration": f"{minutes}m",
        "--cluster": _ADDON,
    }
    process = subprocess.Popen(  # noqa: S603 (ours)
        [*command, *(part for pair in options.items() for part in pair)],
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def _print(one: Notification, minute: float) -> None:
    severity = one.labels.get("severity", "")
    head = f"{minute:5.1f} min  {one.receiver:<6}{one.status:<9}"
    click.echo(
        click.style(head, fg=_COLOURS[one.receiver]) + f" {one.name} ({severity})"
    )
    if one.status == "firing":
        click.echo(f"            {one.annotations['description']}")


if __name__ == "__main__":
    try:
        demo()
    except AgentError as error:
        sys.exit(str(error))
