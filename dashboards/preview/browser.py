"""Draws a dashboard's model with Chromium."""

import contextlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from dashboards.preview.bundle import Bundle

WIDTH = 1600
_TIMEOUT_MS = 30_000


class DrawingError(Exception):
    """The page cannot be drawn; the message is the browser's."""


@dataclass(frozen=True, slots=True)
class Renderer:
    """A running browser with the script of the page."""

    browser: Browser
    bundle: Bundle

    @contextlib.contextmanager
    def draw(self, model: dict[str, Any]) -> Iterator[Page]:
        """Draw a model.

        Raises:
            DrawingError: The page reported an error.
        """
        context = self.browser.new_context(
            viewport={"width": WIDTH, "height": 900}, timezone_id="UTC"
        )
        context.set_default_timeout(_TIMEOUT_MS)
        problems: list[str] = []
        page = context.new_page()
        page.on("console", lambda message: problems.append(message.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        try:
            page.set_content(self._write_page(model))
            page.wait_for_selector("body[data-drawn]")
            if problems:
                raise DrawingError("\n".join(problems))
            yield page
        finally:
            context.close()

    def _write_page(self, model: dict[str, Any]) -> str:
        # Data must not end the script: "<" is escaped.
        data = json.dumps(model, allow_nan=False).replace("<", "\\u003c")
        script = self.bundle.script.replace("</script", "<\\/script")
        return (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">'
            f"<title>preview</title><style>{self.bundle.style}</style></head><body>"
            f"<script>window.MODEL = {data};</script><script>{script}</script>"
            "</body></html>"
        )


@contextlib.contextmanager
def start_browser(bundle: Bundle) -> Iterator[Renderer]:
    """Start Chromium.

    Raises:
        DrawingError: It is not installed.
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
        yield Renderer(browser, bundle)
        browser.close()


def take_picture(page: Page, out: Path) -> None:
    """Write a PNG file."""
    out.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=out, full_page=True)
