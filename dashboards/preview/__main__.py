"""``python -m dashboards.preview``: draws the dashboards to PNG files."""

import json
import tempfile
import time
from pathlib import Path

import click

from dashboards.preview.browser import start_browser
from dashboards.preview.bundle import build_bundle, install_packages
from dashboards.preview.dashboard import open_dashboard
from dashboards.preview.model import build_model
from dashboards.preview.prometheus import serve_history
from dashboards.preview.recording import SCRAPE_SECONDS, record
from dashboards.preview.scenarios import HISTORIES

_ROOT = Path(__file__).parents[2]
_RULES = _ROOT / "alerts" / "heroku-kafka.rules.yml"


@click.command()
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Folder for the pictures; packages of Grafana are installed in it too.",
)
def main(*, out: Path) -> None:
    """Draw the dashboards from their JSON.

    Needs prometheus, promtool, chromium, node and npm on PATH.
    """
    packages = out / "packages"
    install_packages(packages)
    end = int(time.time()) // SCRAPE_SECONDS * SCRAPE_SECONDS
    with (
        tempfile.TemporaryDirectory() as folder,
        serve_history(Path(folder), record(HISTORIES, end), end, _RULES) as server,
        start_browser(build_bundle(packages)) as renderer,
    ):
        for path in sorted((_ROOT / "dashboards").glob("*.json")):
            dashboard = json.loads(path.read_text(encoding="utf-8"))
            view = open_dashboard(dashboard, server, end)
            for theme in ("dark", "light"):
                picture = out / f"{path.stem}-{theme}.png"
                with renderer.draw(build_model(view, theme)) as page:
                    page.screenshot(path=picture, full_page=True)
                click.echo(picture)


if __name__ == "__main__":
    main()
