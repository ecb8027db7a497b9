"""The command line: one file for each command, errors as one plain sentence."""

import sys
from typing import NoReturn

import click

from agent import __version__
from agent.cli.alerts import alerts
from agent.cli.capacity import capacity
from agent.cli.check import check
from agent.cli.dashboards import dashboards
from agent.cli.demo import demo
from agent.cli.explain import explain
from agent.cli.replay import replay
from agent.cli.serve import serve
from agent.cli.simulate import simulate
from agent.cli.watch import watch
from agent.errors import AgentError
from parsers import IMPLEMENTATION

PROGRAM = "heroku-kafka-agent"


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(f"{__version__} ({IMPLEMENTATION})", prog_name=PROGRAM)
def cli() -> None:
    """Receive a Heroku app's log drain; show its Kafka cluster to Prometheus."""


for command in (
    serve,
    alerts,
    capacity,
    check,
    dashboards,
    demo,
    explain,
    replay,
    simulate,
    watch,
):
    cli.add_command(command)


def main() -> NoReturn:
    """Run the command line; exit with 0 done, 1 failed, 2 wrong use."""
    try:
        result = cli.main(prog_name=PROGRAM, standalone_mode=False)
    except click.ClickException as error:
        _fail(error.format_message(), error.exit_code)
    except click.Abort:
        _fail("interrupted", 1)
    except AgentError as error:
        _fail(str(error), error.exit_code)
    sys.exit(result if isinstance(result, int) else 0)


def _fail(message: str, exit_code: int) -> NoReturn:
    click.echo(f"{PROGRAM}: {message}", err=True)
    sys.exit(exit_code)
