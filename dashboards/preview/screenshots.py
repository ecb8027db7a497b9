"""Lets Chromium draw a dashboard's model, with Grafana's own library for charts."""

import contextlib
import json
import shutil
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

WIDTH = 1600
_FILES = (
    "units.js",
    "fields.js",
    "charts.js",
    "timeline.js",
    "values.js",
    "tables.js",
    "page.js",
)
_TIMEOUT_MS = 30_000


class DrawingError(Exception):
    """The browser has complained; the message says what about."""


@contextlib.contextmanager
def start_browser() -> Iterator[Browser]:
    """Start Chromium.

    Raises:
        DrawingError: There is none.
    """
    program = shutil.which("chromium")
    if program is None:
        message = "chromium is not installed"
        raise DrawingError(message)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program,
            args=["--no-sandbox"],  # containers run it as root
        )
        yield browser
        browser.close()


def write_page(model: dict[str, Any]) -> str:
    """Write the page that draws a model: all in one text, it asks nobody."""
    here = resources.files("dashboards.preview") / "page"
    vendored = resources.files("agent.web.static")
    uplot = (vendored / "uPlot.iife.min.js").read_text(encoding="utf-8")
    uplot_css = (vendored / "uPlot.min.css").read_text(encoding="utf-8")
    style = (here / "style.css").read_text(encoding="utf-8")
    # Nothing in the data may end the script early.
    data = json.dumps(model, allow_nan=False).replace("<", "\\u003c")
    scripts = "".join(
        f"<script>{(here / name).read_text(encoding='utf-8')}</script>\n"
        for name in _FILES
    )
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>preview</title><style>{uplot_css}{style}</style></head><body>"
        f"<script>{uplot}</script>\n<script>const MODEL = {data};</script>\n{scripts}"
        "</body></html>"
    )


@contextlib.contextmanager
def draw(browser: Browser, model: dict[str, Any]) -> Iterator[Page]:
    """Draw a model.

    Yields:
        The page, once all panels are drawn.

    Raises:
        DrawingError: Something went wrong in the page.
    """
    context = browser.new_context(
        viewport={"width": WIDTH, "height": 900}, timezone_id="UTC"
    )
    context.set_default_timeout(_TIMEOUT_MS)
    problems: list[str] = []
    page = context.new_page()
    page.on("console", lambda said: problems.append(said.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    try:
        page.set_content(write_page(model))
        if not problems:
            page.wait_for_selector("body[data-drawn]")
        if problems:
            raise DrawingError("\n".join(problems))
        yield page
    finally:
        context.close()


def take_picture(page: Page, out: Path) -> None:
    """Write what is drawn to a PNG file."""
    out.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=out, full_page=True)
