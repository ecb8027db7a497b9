"""``explain``: what the agent makes of a line."""

import sys

import click

from agent.explain import explain_text


@click.command()
@click.argument("line")
def explain(line: str) -> None:
    """Say what the agent makes of LINE, or of standard input with '-'.

    LINE is a line of `heroku logs`, a drain frame with or without its length, or just
    the message.
    """
    text = sys.stdin.buffer.read() if line == "-" else line.encode(errors="replace")
    for row in explain_text(text):
        click.echo(row)
