"""``explain``: what the agent makes of a line."""

import sys

import click

from agent.cli.options import rule_override_option
from agent.explain import explain_text


@click.command()
@rule_override_option
@click.argument("line")
def explain(line: str, rule_overrides: tuple[tuple[str, str], ...]) -> None:
    """Say what the agent makes of LINE, or of standard input with '-'.

    LINE is a line of `heroku logs`, a drain frame with or without its length, or just
    the message.
    """
    text = sys.stdin.buffer.read() if line == "-" else line.encode(errors="replace")
    for row in explain_text(text, dict(rule_overrides)):
        click.echo(row)
