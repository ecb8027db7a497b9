"""Builds the script of the preview's page, with Grafana's package ``@grafana/data``.

``dashboards/packages`` pins what npm installs. Nothing of it is committed or shipped.
"""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

PACKAGES = Path(__file__).parents[1] / "packages"
_PAGE = Path(__file__).parent / "page"


class BundleError(Exception):
    """npm or esbuild failed; the message is their own."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """What the page loads."""

    script: str
    style: str


def install_packages(folder: Path) -> None:
    """Install the pinned packages into a folder.

    Raises:
        BundleError: npm failed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(PACKAGES / name, folder)
    options = ("--ignore-scripts", "--no-audit", "--no-fund")
    run_node(folder, "npm", "ci", *options)


def build_bundle(folder: Path) -> Bundle:
    """Bundle the page's modules.

    Raises:
        BundleError: esbuild failed.
    """
    run_esbuild(folder, _PAGE / "page.js", "--minify", f"--outdir={folder}")
    script, style = (folder / f"page.{kind}" for kind in ("js", "css"))
    return Bundle(script.read_text(encoding="utf-8"), style.read_text(encoding="utf-8"))


def run_esbuild(folder: Path, source: Path, *options: str) -> None:
    """Bundle a module and what it imports; see `build_bundle`."""
    common = (
        "--bundle",
        "--log-level=error",
        '--define:process.env.NODE_ENV="production"',
    )
    run_node(
        folder,
        str(folder / "node_modules/.bin/esbuild"),
        str(source),
        *common,
        *options,
    )


def run_node(folder: Path, *command: str, given: str = "") -> str:
    """Run a program of Node in a folder with some input; return its standard output.

    Raises:
        BundleError: The program is missing, failed, or took too long.
    """
    environment = {**os.environ, "NODE_PATH": str(folder / "node_modules")}
    try:
        done = subprocess.run(  # noqa: S603 (no input of others)
            command,
            cwd=folder,
            env=environment,
            input=given,
            capture_output=True,
            text=True,
            check=True,
            timeout=240,
        )
    except subprocess.CalledProcessError as error:
        message = f"{command[0]} failed: {error.stderr[-1_000:]}"
        raise BundleError(message) from None
    except (OSError, subprocess.TimeoutExpired) as error:
        message = f"{command[0]} failed: {error}"
        raise BundleError(message) from None
    return done.stdout
