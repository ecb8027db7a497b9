"""The preview draws what the dashboards say: seen in a real browser."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from dashboards.preview.model import build_model
from dashboards.preview.screenshots import (
    DrawingError,
    draw,
    start_browser,
    take_picture,
)
from dashboards.preview.story import STANDARD
from tests.dashboards.history import FILES, History
from tests.serving import find_program

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

THEMES = ("dark", "light")
COLOURS = {  # of the first threshold, in each theme
    "dark": {"green": "#73BF69", "orange": "#FF9830", "red": "#F2495C"},
    "light": {"green": "#56A64B", "orange": "#FF780A", "red": "#E02F44"},
}
BOXES = """() => [...document.querySelectorAll('.panel')].map((one) => {
  const { left, top, right, bottom } = one.getBoundingClientRect();
  return [left, top, right, bottom];
})"""
BODIES = """() => [...document.querySelectorAll('.panel')].map((one) => ({
  title: one.querySelector('h2')?.firstChild.textContent ?? '',
  elements: one.querySelector('.body').childElementCount,
  blank: [...one.querySelectorAll('canvas')].some((canvas) => !canvas.getContext('2d')
    .getImageData(0, 0, canvas.width, canvas.height).data.some((byte) => byte > 0)),
}))"""
CUT = """() => [...document.querySelectorAll('.number, .name, h2, th, td, header, .choices')]
  .filter((one) => one.scrollWidth > one.clientWidth + 1 && one.clientWidth > 0)
  .map((one) => one.textContent)"""
PAINTED = """() => {
  const seen = new Set();
  for (const canvas of document.querySelectorAll('canvas')) {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    for (let at = 0; at < data.length; at += 4) {
      if (data[at + 3] > 128) seen.add([...data.slice(at, at + 3)].join());
    }
  }
  return seen.size;
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    find_program("chromium")
    with start_browser() as browser:
        yield browser


@pytest.fixture(params=THEMES)
def theme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def build(history: History, name: str, theme: str = "dark") -> dict[str, Any]:
    return build_model(history.look(name, STANDARD), theme, open_rows=True)


@pytest.fixture(params=FILES)
def drawn(
    request: pytest.FixtureRequest, history: History, browser: Browser, theme: str
) -> Iterator[tuple[dict[str, Any], Page]]:
    model = build(history, request.param, theme)
    with draw(browser, model) as page:
        yield model, page


def test_all_of_a_dashboard_is_drawn(
    drawn: tuple[dict[str, Any], Page], tmp_path: Path
) -> None:
    model, page = drawn
    bodies = page.evaluate(BODIES)

    assert len(bodies) == sum(one["type"] != "row" for one in model["panels"])
    assert [one["title"] for one in bodies if not one["elements"]] == []
    assert [one["title"] for one in bodies if one["blank"]] == []
    assert page.locator(".broken").all_text_contents() == []
    assert page.get_by_text("preview, not Grafana").is_visible()
    assert page.evaluate("document.body.className") == model["theme"]
    assert page.evaluate("document.documentElement.scrollWidth") == 1600
    assert overlapping(page.evaluate(BOXES)) == []
    assert page.evaluate(CUT) == []
    take_picture(page, tmp_path / "picture.png")
    width, height = png_size(tmp_path / "picture.png")
    assert width == 1600
    assert height > 800
    assert page.evaluate(PAINTED) > 10


def overlapping(boxes: list[list[float]]) -> list[tuple[int, int]]:
    return [
        (i, j)
        for i, (left, top, right, bottom) in enumerate(boxes)
        for j, other in enumerate(boxes[:i])
        if left < other[2] and other[0] < right and top < other[3] and other[1] < bottom
    ]


def png_size(file: Path) -> tuple[int, int]:
    head = file.read_bytes()[:24]
    assert head.startswith(b"\x89PNG")
    return int.from_bytes(head[16:20]), int.from_bytes(head[20:24])


def model_of(panel: dict[str, Any], theme: str = "dark") -> dict[str, Any]:
    """Make the model of a dashboard with one panel, drawn 24 columns wide."""
    start, step, count = 1_800_000_000, 60, 60
    times = [(start + row * step) * 1000 for row in range(count)]
    shared = {
        "number": 0,
        "title": "One",
        "place": {"x": 0, "y": 0, "w": 24, "h": 8},
        "hides": 0,
        "start": start,
        "end": start + count * step,
        "times": times,
        "frames": [],
        "options": {},
    }
    return {
        "theme": theme,
        "title": "Test",
        "range": "",
        "refresh": "",
        "end": start + count * step,
        "variables": [],
        "links": [],
        "annotations": [],
        "panels": [{**shared, **panel}],
    }


def series(values: list[float | None], title: str = "a") -> dict[str, Any]:
    times = [(1_800_000_000 + row * 60) * 1000 for row in range(len(values))]
    columns = [
        {"name": "Time", "kind": "time", "values": times, "labels": {}},
        {
            "name": "Value",
            "kind": "number",
            "values": values,
            "labels": {},
            "title": title,
            "query": "A",
        },
    ]
    return {"columns": columns}


def field(**defaults: Any) -> dict[str, Any]:
    return {"defaults": defaults, "overrides": []}


STEPS = {
    "mode": "absolute",
    "steps": [
        {"color": "green", "value": None},
        {"color": "orange", "value": 0.8},
        {"color": "red", "value": 0.9},
    ],
}


@pytest.mark.parametrize(
    ("value", "colour"), [(0.5, "green"), (0.8, "orange"), (0.95, "red")]
)
def test_a_stat_has_the_colour_of_its_threshold(
    browser: Browser, theme: str, value: float, colour: str
) -> None:
    panel = {
        "type": "stat",
        "frames": [series([value])],
        "fieldConfig": field(unit="percentunit", thresholds=STEPS),
    }
    with draw(browser, model_of(panel, theme)) as page:
        number = page.locator(".number")
        style = number.evaluate("(one) => getComputedStyle(one).color")
        assert number.inner_text().replace("\n", "") == f"{value * 100:.0f}%"

    assert style == rgb(COLOURS[theme][colour])


def rgb(colour: str) -> str:
    parts = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgb({', '.join(map(str, parts))})"


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0, "bytes", "0 B"),
        (1536, "bytes", "1.50 KiB"),
        (221 * 2**30, "bytes", "221 GiB"),
        (1_234_567, "Bps", "1.23 MB/s"),
        (1_234_567, "binBps", "1.18 MiB/s"),
        (0.8734, "percentunit", "87.3%"),
        (12_345, "short", "12.3 K"),
        (45, "s", "45 s"),
        (5_400, "s", "1.50 hours"),
        (93_784, "dtdurations", "1 day"),
        (151.5, "iops", "152 io/s"),
        (12, "suffix: lines", "12 lines"),
    ],
)
def test_a_number_is_written_as_grafana_writes_it(
    browser: Browser, value: float, unit: str, text: str
) -> None:
    panel = {
        "type": "stat",
        "frames": [series([value])],
        "fieldConfig": field(unit=unit),
    }
    with draw(browser, model_of(panel)) as page:
        assert page.locator(".number").text_content() == text


def test_threshold_lines_and_series_are_painted_in_their_colours(
    browser: Browser, theme: str
) -> None:
    panel = {
        "type": "timeseries",
        "frames": [series([0.2 + row / 60 for row in range(60)])],
        "fieldConfig": field(
            thresholds=STEPS,
            color={"mode": "fixed", "fixedColor": "#0000ff"},
            custom={"lineWidth": 3, "thresholdsStyle": {"mode": "line+area"}},
        ),
    }
    with draw(browser, model_of(panel, theme)) as page:
        found = set(page.evaluate(SHADES))

    assert "0,0,255" in found
    for colour in ("orange", "red"):
        wanted = [int(COLOURS[theme][colour][at : at + 2], 16) for at in (1, 3, 5)]
        assert any(near(wanted, one) for one in found), colour


SHADES = """() => {
  const canvas = document.querySelector('canvas');
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  const seen = new Set();
  for (let at = 0; at < data.length; at += 4) {
    if (data[at + 3] > 100) seen.add([...data.slice(at, at + 3)].join());
  }
  return [...seen];
}"""


def near(wanted: list[int], found: str) -> bool:
    return all(
        abs(one - int(other)) < 24
        for one, other in zip(wanted, found.split(","), strict=True)
    )


def test_what_is_mirrored_is_below_zero(browser: Browser) -> None:
    panel = {
        "type": "timeseries",
        "frames": [series([5.0] * 60)],
        "fieldConfig": field(custom={"transform": "negative-Y"}),
    }
    with draw(browser, model_of(panel)) as page:
        assert page.evaluate("axisText([-5], { custom: {}, unit: 'short' })") == ["-5"]
        low = page.evaluate("seriesOf(MODEL.panels[0])[0].values[0]")

    assert low == -5


def test_a_stack_adds_up_its_series(browser: Browser) -> None:
    stacking = {"mode": "normal", "group": "A"}
    panel = {
        "type": "timeseries",
        "frames": [series([2.0, 3.0], "a"), series([5.0, 7.0], "b")],
        "fieldConfig": field(custom={"stacking": stacking}),
    }
    with draw(browser, model_of(panel)) as page:
        sums = page.evaluate(
            """() => {
              const found = seriesOf(MODEL.panels[0]);
              stack(found);
              return found.map((one) => one.drawn.slice(0, 2));
            }"""
        )

    assert sums == [[2, 3], [7, 10]]


def test_a_table_shows_texts_colours_and_gauges(browser: Browser) -> None:
    columns = [
        {"name": "broker", "kind": "string", "values": ["0", "<b>1</b>"]},
        {"name": "Value #A", "kind": "number", "values": [0.95, None], "title": "Used"},
    ]
    cell = {"type": "gauge", "mode": "basic"}
    panel = {
        "type": "table",
        "frames": [{"columns": columns}],
        "fieldConfig": {
            "defaults": {"custom": {}, "thresholds": STEPS},
            "overrides": [
                {
                    "matcher": {"id": "byName", "options": "Used"},
                    "properties": [
                        {"id": "unit", "value": "percentunit"},
                        {"id": "custom.cellOptions", "value": cell},
                    ],
                }
            ],
        },
    }
    with draw(browser, model_of(panel)) as page:
        rows = page.locator("tr").all_inner_texts()
        bar = page.locator(".gauge i").evaluate(
            "(one) => one.clientWidth / one.parentElement.clientWidth"
        )

    assert [re.split(r"\s+", row.strip()) for row in rows] == [
        ["broker", "Used"],
        ["0", "95%"],
        ["<b>1</b>"],
    ]
    assert bar == pytest.approx(0.95, abs=0.02)


def test_an_unknown_panel_is_no_silent_hole(browser: Browser) -> None:
    panel = {"type": "news", "fieldConfig": field()}

    with (
        pytest.raises(DrawingError, match="does not know the panel type news"),
        draw(browser, model_of(panel)),
    ):
        pass


def test_hostile_values_stay_text(browser: Browser) -> None:
    hostile = "</script><img src=x onerror=alert(1)>"
    panel = {
        "type": "timeseries",
        "frames": [series([1.0] * 60, hostile)],
        "fieldConfig": field(),
    }
    with draw(browser, model_of(panel)) as page:
        assert page.locator("img").count() == 0
        assert page.get_by_text(hostile).count() == 1
