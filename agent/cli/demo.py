"""``demo``: the agent fed by two simulated clusters, in one process."""

import asyncio
import contextlib
import time
from pathlib import Path

import click

from agent.app import App, run_app
from agent.cli.options import (
    option,
    read_thresholds,
    rule_override_option,
    threshold_options,
)
from agent.logs import configure_logging
from agent.settings import DEFAULT_HOST, DEFAULT_PORT, Settings, check_settings
from agent.simulator import SCENARIOS, Cluster, Logplex
from agent.simulator.player import Play, play_to_drain

_STANDARD, _EXTENDED = "kafka-animated-39618", "kafka-parallel-58135"
_PLANS = {_STANDARD: "standard-0", _EXTENDED: "extended-2"}
_PAST_SECONDS = 10_800
_HEAD_START = 100  # the failure of the first cluster is 20 s away when it opens


@click.command()
@option("--host", default=DEFAULT_HOST, show_default=True, help="Address to listen on.")
@option(
    "--port",
    type=int,
    default=DEFAULT_PORT,
    show_default=True,
    help="Port to listen on, 0 for any.",
)
@option("--seed", type=int, default=0, show_default=True, help="Chance comes from it.")
@threshold_options
@rule_override_option
def demo(
    *,
    host: str,
    port: int,
    seed: int,
    thresholds: Path | None,
    settings: tuple[str, ...],
    rule_overrides: tuple[tuple[str, str], ...],
) -> None:
    """Run the agent with two simulated clusters; nothing of them is real.

    They have a past of three hours, and within a minute a broker of the smaller one
    fails.
    """
    chosen = Settings(
        host=host,
        port=port,
        plans=_PLANS,
        rule_overrides=dict(rule_overrides),
        thresholds=read_thresholds(thresholds, settings),
    )
    check_settings(chosen)
    configure_logging("warning")
    app = App(chosen)
    click.echo(f"Two simulated clusters: {app.settings.url}/  (Ctrl-C ends it)")
    run_app(app, _feed(app.settings.url, seed))


async def _feed(url: str, seed: int) -> None:
    """Play both clusters to the agent, as fast as may be until they reach the present."""
    start = int(time.time()) - _PAST_SECONDS - _HEAD_START
    play = Play(
        clusters=(
            Cluster(
                addon=_STANDARD,
                scenario=SCENARIOS["node-failure"],
                produced=350_000.0,
                seed=seed,
                start=start,
            ),
            Cluster(
                addon=_EXTENDED,
                scenario=SCENARIOS["hot-broker"],
                brokers=8,
                produced=6_000_000.0,
                seed=seed,
                start=start + 600,
            ),
        ),
        start=start,
        speed=None,
        others=0.8,
        seed=seed,
    )
    with contextlib.suppress(asyncio.CancelledError):
        await play_to_drain(play, Logplex(f"{url}/logs", seed), lambda _second: None)
