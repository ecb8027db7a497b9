"""``dashboards``: the Grafana dashboards, as files or into a Grafana."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import click
from click.core import ParameterSource

from agent.alerting.thresholds import Thresholds, choose_thresholds
from agent.cli.options import Duration, option, threshold_options
from agent.dashboards import (
    TIMEOUT_SECONDS,
    Dashboard,
    Grafana,
    Plan,
    apply_thresholds,
    check_address,
    check_folder_name,
    count_panels,
    prefix_uids,
    read_dashboards,
    upload,
    write_dashboards,
)
from agent.escaping import escape_controls
from agent.packaged import find_packaged
from agent.secret import Secret
from agent.settings import Credentials

_LONGEST_MESSAGE = 500
_LONGEST_FOLDER = 189
_OF_UPLOAD = {
    "overwrite": "--overwrite",
    "dry_run": "--dry-run",
    "message": "--message",
    "token": "--token",
    "basic": "--basic",
    "allow_plain_http": "--allow-plain-http",
    "timeout": "--timeout",
}


@click.command()
@threshold_options
@option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Write one JSON file for each dashboard into this folder, for Grafana's "
    "provisioning. A file is replaced if it holds the same dashboard.",
)
@option(
    "--upload",
    "address",
    metavar="URL",
    help="Upload them to this Grafana, like https://grafana.example.com.",
)
@option(
    "--uid-prefix",
    default="",
    metavar="PREFIX",
    help="Put this before each dashboard's uid, in links too, so that a second set has "
    "room in the same Grafana.",
)
@option(
    "--folder",
    metavar="NAME",
    help="Grafana's folder, by title or uid. --upload creates it where it is missing. "
    "With --out it is a folder below, which Grafana takes for its own with "
    "foldersFromFilesStructure.  [default: none; an upload leaves dashboards where they "
    "are]",
)
@option(
    "--token",
    metavar="TOKEN",
    help="Token of a service account (role Editor). Better in the environment: others "
    "on the machine can read command lines.",
)
@option(
    "--basic",
    metavar="USER:PASSWORD",
    help="User and password instead of a token. Better in the environment.",
)
@option(
    "--overwrite",
    is_flag=True,
    help="Replace dashboards of the same uid that differ.",
)
@option(
    "--dry-run",
    is_flag=True,
    help="Say what --upload would do, and change nothing.",
)
@option(
    "--message",
    metavar="TEXT",
    help="For the dashboards' history in Grafana.",
)
@option(
    "--allow-plain-http",
    is_flag=True,
    help="Send the credentials over http:// to another machine, for everybody on the "
    "way to read.",
)
@option(
    "--timeout",
    type=Duration(),
    default=f"{TIMEOUT_SECONDS:g}s",
    show_default=True,
    help="Time for each answer of Grafana's.",
)
@click.pass_context
def dashboards(  # noqa: PLR0913 (click hands each option over by name)
    context: click.Context,
    /,
    *,
    out: Path | None,
    address: str | None,
    thresholds: Path | None,
    settings: tuple[str, ...],
    uid_prefix: str,
    folder: str | None,
    token: str | None,
    basic: str | None,
    overwrite: bool,
    dry_run: bool,
    message: str | None,
    allow_plain_http: bool,
    timeout: float,
) -> int:
    """Write the Grafana dashboards, or upload them; without either, list them.

    \b
    heroku-kafka-agent dashboards --out /var/lib/grafana/dashboards --folder Kafka
    heroku-kafka-agent dashboards --upload https://grafana.example.com --folder Kafka
    """  # noqa: D301 (\b is click's)
    _check_use(context)
    plan = Plan(
        folder=_parse_folder(folder),
        overwrite=overwrite,
        dry_run=dry_run,
        message=_parse_message(message),
    )
    found = _fit(choose_thresholds(thresholds, settings), uid_prefix)
    if out is not None:
        return _write(found, out, plan.folder)
    if address is None:
        return _list(found)
    address = check_address(address, allow_plain_http=allow_plain_http)
    grafana = Grafana(address, _parse_login(token, basic), timeout_seconds=timeout)
    return asyncio.run(_upload(grafana, found, plan))


def _check_use(context: click.Context) -> None:
    given = {
        name
        for name in context.params
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE
    }
    if context.params["address"] is None:
        for name, text in _OF_UPLOAD.items():
            if name in given:
                message = f"{text} is for --upload, which is missing"
                raise click.UsageError(message)
    elif context.params["out"] is not None:
        raise click.UsageError("--out and --upload exclude each other: run it twice")


def _parse_folder(folder: str | None) -> str | None:
    if folder is None:
        return None
    name = folder.strip()
    if not (0 < len(name) <= _LONGEST_FOLDER and name.isprintable()):
        message = f"--folder must be a name of 1 to {_LONGEST_FOLDER} characters"
        raise click.UsageError(message)
    return name


def _parse_message(message: str | None) -> str:
    if message is not None and len(message) > _LONGEST_MESSAGE:
        problem = f"--message may have {_LONGEST_MESSAGE} characters at most"
        raise click.UsageError(problem)
    return message or ""


def _parse_login(token: str | None, basic: str | None) -> Secret | Credentials:
    """Take token, or user and password; no message repeats either."""
    if bool(token) == bool(basic):
        raise click.UsageError("--upload needs either --token or --basic")
    if token:
        return Secret(token.strip())
    user, _, password = (basic or "").partition(":")
    if not (user and password):
        raise click.UsageError("--basic must be written user:password")
    return Credentials(user, password)


def _fit(thresholds: Thresholds, prefix: str) -> list[Dashboard]:
    """Read the packaged dashboards and make them the user's."""
    folder = find_packaged("dashboards")
    found = apply_thresholds(read_dashboards(folder), folder, thresholds)
    if thresholds.clusters:
        click.echo(
            "a panel has the same colours for all clusters: the thresholds of "
            f"{', '.join(thresholds.clusters)} alone are not in it",
            err=True,
        )
    return prefix_uids(found, prefix)


def _list(found: Sequence[Dashboard]) -> int:
    titles = max(len(one.title) for one in found)
    uids = max(len(one.uid) for one in found)
    for one in found:
        panels = count_panels(one)
        click.echo(f"{one.title:<{titles}}  {one.uid:<{uids}}  {panels} panels")
    click.echo("write them with --out FOLDER, upload them with --upload URL", err=True)
    return 0


def _write(found: Sequence[Dashboard], out: Path, folder: str | None) -> int:
    if folder is not None:
        check_folder_name(folder)
        out /= folder
    for path, outcome in write_dashboards(found, out):
        click.echo(f"{outcome.value:<9}  {path}")
    return 0


async def _upload(grafana: Grafana, found: Sequence[Dashboard], plan: Plan) -> int:
    """Upload, and say of each dashboard at once what became of it."""
    exit_code = 0
    async with grafana:
        async for result in upload(grafana, found, plan):
            if result.problem:
                exit_code = 1
                text = f"{result.name} at {grafana.address}: {result.problem}"
                click.echo(f"heroku-kafka-agent: {escape_controls(text)}", err=True)
            else:
                click.echo(f"{result.did:<12}  {result.url}")
    return exit_code
