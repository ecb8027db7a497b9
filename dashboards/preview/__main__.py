"""``python -m dashboards.preview``: draws the dashboards of a folder to PNG files."""

import json
import sys
import tempfile
import time
from pathlib import Path

import click

from dashboards.preview.grafana import open_dashboard
from dashboards.preview.model import build_model
from dashboards.preview.prometheus import serve_history
from dashboards.preview.recording import SCRAPE_SECONDS, record
from dashboards.preview.screenshots import draw, start_browser, take_picture
from dashboards.preview.story import TALES

_ROOT = Path(__file__).parents[2]
_RULES = _ROOT / "alerts" / "heroku-kafka.rules.yml"


@click.command()
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Folder of the pictures.",
)
@click.option(
    "--theme",
    "themes",
    type=click.Choice(["dark", "light"]),
    multiple=True,
    default=("dark", "light"),
    help="Repeatable.  [default: both]",
)
@click.option(
    "--variable",
    "chosen",
    metavar="NAME=VALUE",
    multiple=True,
    help="Choose a variable's value; repeatable.",
)
@click.option(
    "--open-rows/--as-stored",
    default=True,
    help="Whether collapsed rows are opened.  [default: opened]",
)
@click.argument(
    "files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
def main(
    *,
    out: Path,
    themes: tuple[str, ...],
    chosen: tuple[str, ...],
    open_rows: bool,
    files: tuple[Path, ...],
) -> None:
    """Draw dashboards from their JSON, all of this folder's by default.

    Needs prometheus, promtool and chromium on PATH.
    """
    paths = files or tuple(sorted((_ROOT / "dashboards").glob("*.json")))
    if not paths:
        message = "there are no dashboards to draw"
        raise click.UsageError(message)
    variables: dict[str, list[str]] = {}
    for pair in chosen:
        name, _, value = pair.partition("=")
        variables.setdefault(name, []).append(value)
    end = int(time.time()) // SCRAPE_SECONDS * SCRAPE_SECONDS
    rules = _RULES if _RULES.exists() else None
    with (
        tempfile.TemporaryDirectory() as folder,
        serve_history(Path(folder), record(TALES, end), end, rules) as server,
        start_browser() as browser,
    ):
        for path in paths:
            dashboard = json.loads(path.read_text(encoding="utf-8"))
            view = open_dashboard(dashboard, server, end, variables)
            for theme in themes:
                model = build_model(view, theme, open_rows=open_rows)
                picture = out / f"{path.stem}-{theme}.png"
                with draw(browser, model) as page:
                    take_picture(page, picture)
                click.echo(picture)


if __name__ == "__main__":
    sys.exit(main())
