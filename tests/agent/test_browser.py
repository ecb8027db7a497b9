"""A real browser sees the page: charts that move, events that arrive, nothing hostile."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Page,
    Response,
    expect,
    sync_playwright,
)

from agent.settings import Settings
from tests.frames import frame, log_frame
from tests.serving import Agent, demonstrating, find_program, running, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

SCREENSHOTS = os.environ.get("SCREENSHOTS")
HOSTILE = "<img src=x onerror=alert(1)><script>document.title='pwned'</script>"
WAIT_MS = 30_000
REFRESH_MS = 5_000
expect.set_options(timeout=WAIT_MS)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = find_program("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program,
            args=["--no-sandbox"],  # containers run tests as root
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def demo() -> Iterator[Agent]:
    with demonstrating() as agent:
        yield agent


class Watched:
    """A page, and everything that went wrong in it."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.problems: list[str] = []
        self.hosts: set[str] = set()
        self.page: Page = context.new_page()
        self.page.on("console", lambda said: self.problems.append(said.text))
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("response", self._note)
        self.page.clock.install()
        self.page.goto(url)

    def refresh(self) -> None:
        """Let the time pass after which the page asks again."""
        self.page.clock.fast_forward(REFRESH_MS)

    def _note(self, response: Response) -> None:
        self.hosts.add(response.url.split("/")[2])
        if response.status >= 400:
            self.problems.append(f"{response.status} {response.url}")


@pytest.fixture
def agent() -> Iterator[Agent]:
    """Request it before `context`, so that the browser disconnects before it stops."""
    with running(Settings(port=0)) as agent:
        yield agent


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1280, "height": 1180})
    context.set_default_timeout(WAIT_MS)
    yield context
    context.close()


def picture(page: Page, name: str) -> None:
    """Keep a screenshot where SCREENSHOTS names a folder."""
    if SCREENSHOTS:
        Path(SCREENSHOTS).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(SCREENSHOTS) / f"{name}.png")


def pixels(page: Page) -> list[str]:
    found: list[str] = page.evaluate(
        "[...document.querySelectorAll('canvas')].map((one) => one.toDataURL())"
    )
    return found


def test_the_demo_shows_all_brokers_and_moving_charts(
    context: BrowserContext, demo: Agent
) -> None:
    watched = Watched(context, demo.url)
    page = watched.page

    expect(page.locator("canvas")).to_have_count(12)
    expect(page.get_by_role("status")).to_contain_text("11 brokers reporting")
    assert page.locator("tbody tr:has(.status)").count() == 11
    before = pixels(page)
    assert len(set(before)) == 12, "a chart is empty, or two are the same"

    def has_moved() -> bool:
        watched.refresh()
        return pixels(page) != before

    wait_for(has_moved)
    assert page.locator("figure[role=img]").first.get_attribute("aria-label")
    picture(page, "demo")
    assert watched.problems == []
    assert watched.hosts == {demo.url.removeprefix("http://")}


def test_an_event_arrives_without_a_reload_and_hostile_text_stays_text(
    agent: Agent, context: BrowserContext
) -> None:
    watched = Watched(context, agent.url)
    page = watched.page
    page.evaluate("window.notReloaded = true")
    agent.post(
        log_frame(f"pri=ERROR t=main at=X {HOSTILE}".encode())
        + log_frame(b"pri=FATAL t=main at=Kafka$ Halting Kafka.", "1")
    )
    watched.refresh()

    page.get_by_text("The broker's process ends.").wait_for()
    assert page.get_by_text(HOSTILE).count() == 1
    assert page.evaluate("window.notReloaded")
    assert page.title() == "heroku-kafka-agent"
    assert page.locator("img").count() == 0
    picture(page, "events")
    assert watched.problems == []


def test_the_empty_page_says_what_to_do_and_fills_by_itself(
    agent: Agent, context: BrowserContext
) -> None:
    watched = Watched(context, agent.url)
    page = watched.page
    page.get_by_text("heroku drains:add").wait_for()
    picture(page, "empty")
    now = datetime.now(UTC).isoformat()
    line = "source=KAFKA addon=kafka-a sample#load-avg-1m=0.5"
    agent.post(frame(f"<134>1 {now} host app heroku-kafka.0 - {line}".encode()))
    watched.refresh()

    page.get_by_text("1 broker reporting").wait_for()
    expect(page.locator("canvas")).to_have_count(1)
    assert page.get_by_text("Nothing has arrived yet").count() == 0
    assert watched.problems == []


def test_an_agent_that_is_gone_is_said_to_be(context: BrowserContext) -> None:
    with running(Settings(port=0)) as agent:
        watched = Watched(context, agent.url)
        page = watched.page
        page.get_by_text("Nothing has arrived yet").wait_for()
    watched.refresh()

    page.get_by_role("alert").wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone(browser: Browser, demo: Agent, scheme: str) -> None:
    context = browser.new_context(
        viewport={"width": 390, "height": 844},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    watched = Watched(context, demo.url)
    expect(watched.page.locator("canvas")).to_have_count(12)

    assert watched.page.evaluate("document.documentElement.scrollWidth") <= 390
    picture(watched.page, f"phone-{scheme}")
    assert watched.problems == []
    context.close()


def test_the_keyboard_reaches_everything(context: BrowserContext, demo: Agent) -> None:
    page = Watched(context, demo.url).page
    expect(page.locator("canvas")).to_have_count(12)

    reached = []
    for _ in range(9):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate(
                "(document.activeElement.getAttribute('aria-label') "
                "|| document.activeElement.textContent).slice(0, 40)"
            )
        )
    assert reached[:4] == [
        "Skip to the clusters",
        "/metrics",
        "/api/clusters",
        "/api/events",
    ]
    assert "Brokers of kafka-animated-39618" in reached
