"""``replay``: what archives of the log stream say."""

import sys
from io import BytesIO
from pathlib import Path

import click

from agent.cli.options import option, rule_override_option
from agent.clock import read_clock
from agent.escaping import escape_controls
from agent.replay import (
    STDIN,
    check_output,
    find_sources,
    make_console,
    print_tables,
    render_json,
    run_replay,
    showing_progress,
)


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@option(
    "--format",
    "form",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="How the summary is printed.",
)
@option(
    "--openmetrics",
    "out",
    type=click.Path(path_type=Path),
    metavar="OUT",
    help="Also write the history to this file, for promtool.",
)
@rule_override_option
def replay(
    *,
    files: tuple[str, ...],
    form: str,
    out: Path | None,
    rule_overrides: tuple[tuple[str, str], ...],
) -> int:
    """Sum up archives of the log stream, or standard input with '-'.

    Each FILE is text of `heroku logs`, a Papertrail archive, or bodies of drain
    requests, plain or gzip; their order does not matter, and a line that several of
    them have counts once. Lines of clusters are put in order on disk, in the folder
    that the environment variable TMPDIR names.

    \b
    heroku-kafka-agent replay archive-*.gz --openmetrics history.txt
    promtool tsdb create-blocks-from openmetrics history.txt data/
    """  # noqa: D301 (\b is click's)
    sources = find_sources(files)
    if out is not None:
        check_output(out, sources)
    if STDIN in files and (sys.stdin is None or sys.stdin.isatty()):
        raise click.UsageError("nothing is piped in: give a file, or pipe text into -")
    stdin = sys.stdin.buffer if STDIN in files else BytesIO()
    with showing_progress(sources, is_terminal=sys.stderr.isatty()) as advance:
        found = run_replay(
            sources,
            stdin,
            read_clock().wall,
            out=out,
            overrides=dict(rule_overrides),
            advance=advance,
        )
    if form == "json":
        click.echo(render_json(found))
    else:
        print_tables(found, make_console())
    for problem in found.problems:
        click.echo(f"heroku-kafka-agent: {escape_controls(problem)}", err=True)
    return 1 if found.problems else 0
