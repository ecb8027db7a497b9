"""Draws the model of a dashboard with Chromium."""

import contextlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright


class DrawingError(Exception):
    """The page cannot be drawn; the message is the browser's."""


@dataclass(frozen=True, slots=True)
class Renderer:
    """A running browser, and the folder of the page's script and style."""

    browser: Browser
    bundle: Path

    @contextlib.contextmanager
    def draw(self, model: dict[str, Any]) -> Iterator[Page]:
        """Draw a model.

        Raises:
            DrawingError: The page reported an error.
        """
        problems: list[str] = []
        page = self.browser.new_page(
            viewport={"width": 1600, "height": 900}, timezone_id="UTC"
        )
        page.on("console", lambda message: problems.append(message.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        try:
            page.set_content("<!doctype html><title>preview</title>")
            page.add_style_tag(path=self.bundle / "page.css")
            page.evaluate(f"window.MODEL = {json.dumps(model, allow_nan=False)}")
            page.add_script_tag(path=self.bundle / "page.js")
            page.wait_for_selector("body[data-drawn]")
            if problems:
                raise DrawingError("\n".join(problems))
            yield page
        finally:
            page.close()


@contextlib.contextmanager
def start_browser(bundle: Path) -> Iterator[Renderer]:
    """Start the installed Chromium, else Playwright's own.

    Args:
        bundle: The folder that `bundle.build_bundle` returned.

    Raises:
        playwright.sync_api.Error: Neither is installed.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox"],  # containers run it as root
        )
        yield Renderer(browser, bundle)
        browser.close()
