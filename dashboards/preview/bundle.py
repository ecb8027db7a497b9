"""Bundles the preview's page with Grafana's package ``@grafana/data``.

``dashboards/packages`` pins what npm installs. Nothing of it is committed or shipped.
"""

import os
import shutil
import subprocess
from pathlib import Path

PACKAGES = Path(__file__).parents[1] / "packages"
_PAGE = Path(__file__).parent / "page"


def install_packages(folder: Path) -> None:
    """Install the pinned packages into a folder; see `run_node` for errors."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(PACKAGES / name, folder)
    run_node(folder, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")


def build_bundle(folder: Path) -> Path:
    """Bundle the page into a folder with packages; see `run_node` for errors.

    Returns:
        The folder of ``page.js`` and ``page.css``.
    """
    run_esbuild(folder, _PAGE / "page.js", "--minify", f"--outdir={folder}")
    return folder


def run_esbuild(folder: Path, source: Path, *options: str) -> None:
    """Bundle a module with its imports; see `run_node` for errors."""
    esbuild = str(folder / "node_modules/.bin/esbuild")
    production = '--define:process.env.NODE_ENV="production"'
    common = ("--bundle", "--log-level=error", production)
    run_node(folder, esbuild, str(source), *common, *options)


def run_node(folder: Path, *command: str, given: str = "") -> str:
    """Run a Node program in a folder, with `given` on its standard input.

    Returns:
        Its standard output.

    Raises:
        subprocess.SubprocessError: It failed, and wrote why to standard error, or it
            ran for more than 240 seconds.
        OSError: It is not installed.
    """
    return subprocess.run(  # noqa: S603 (no untrusted input)
        command,
        cwd=folder,
        env={**os.environ, "NODE_PATH": str(folder / "node_modules")},
        input=given,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=240,
    ).stdout
