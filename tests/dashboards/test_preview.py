"""The preview draws what the dashboards say: seen in a real browser."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from dashboards.preview.browser import DrawingError, Renderer, start_browser
from dashboards.preview.bundle import build_bundle
from dashboards.preview.dashboard import find_targets
from dashboards.preview.layout import lay_out
from dashboards.preview.model import build_model
from dashboards.preview.scenarios import STANDARD
from tests.dashboards.history import FILES, History
from tests.dashboards.units import UNITS, measure
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
FIELDS = """async () => {
  const found = [];
  for (const panel of window.MODEL.panels) {
    const frames = await window.preview.resolveFrames(panel, window.MODEL.theme);
    for (const frame of frames) for (const field of frame.fields) found.push({
      panel: panel.title, type: field.type, title: window.preview.getFieldDisplayName(field, frame, frames),
      query: /#(\\w+)$/.exec(field.name)?.[1] ?? frame.refId, unit: field.config.unit ?? "none",
      mappings: field.config.mappings ?? [],
    });
  }
  return found;
}"""
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
def renderer(packages: Path) -> Iterator[Renderer]:
    find_program("chromium")
    with start_browser(build_bundle(packages)) as renderer:
        yield renderer


@pytest.fixture(params=THEMES)
def theme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def build(history: History, name: str, theme: str = "dark") -> dict[str, Any]:
    return build_model(history.look(name, STANDARD), theme)


@pytest.fixture(params=FILES)
def drawn(
    request: pytest.FixtureRequest, history: History, renderer: Renderer, theme: str
) -> Iterator[tuple[dict[str, Any], Page]]:
    model = build(history, request.param, theme)
    with renderer.draw(model) as page:
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
    page.screenshot(path=tmp_path / "picture.png", full_page=True)
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
        "title": "One",
        "place": {"x": 0, "y": 0, "w": 24, "h": 8},
        "start": start,
        "end": start + count * step,
        "times": times,
        "answers": [],
        "options": {},
    }
    return {
        "theme": theme,
        "title": "Test",
        "range": "",
        "end": start + count * step,
        "variables": [],
        "annotations": [],
        "panels": [{**shared, **panel}],
    }


def series(values: list[float | None], title: str = "a") -> dict[str, Any]:
    points = [
        ((1_800_000_000 + row * 60) * 1000, one) for row, one in enumerate(values)
    ]
    one = {"labels": {}, "title": title, "points": points}
    return {"refId": "A", "table": False, "alone": True, "series": [one]}


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
    renderer: Renderer, theme: str, value: float, colour: str
) -> None:
    panel = {
        "type": "stat",
        "answers": [series([value])],
        "fieldConfig": field(unit="percentunit", thresholds=STEPS),
    }
    with renderer.draw(model_of(panel, theme)) as page:
        number = page.locator(".number")
        style = number.evaluate("(one) => getComputedStyle(one).color")
        assert number.inner_text().replace("\n", "") == f"{value * 100:.0f}%"

    assert style == rgb(COLOURS[theme][colour])


def rgb(colour: str) -> str:
    parts = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgb({', '.join(map(str, parts))})"


def test_threshold_lines_and_series_are_painted_in_their_colours(
    renderer: Renderer, theme: str
) -> None:
    panel = {
        "type": "timeseries",
        "answers": [series([0.2 + row / 60 for row in range(60)])],
        "fieldConfig": field(
            thresholds=STEPS,
            color={"mode": "fixed", "fixedColor": "#0000ff"},
            custom={"lineWidth": 3, "thresholdsStyle": {"mode": "dashed"}},
        ),
    }
    with renderer.draw(model_of(panel, theme)) as page:
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


def test_a_stack_adds_up_its_series(renderer: Renderer) -> None:
    stacking = {"mode": "normal", "group": "A"}
    panel = {
        "type": "timeseries",
        "answers": [series([2.0, 3.0], "a"), series([5.0, 7.0], "b")],
        "fieldConfig": field(custom={"stacking": stacking}),
    }
    with renderer.draw(model_of(panel)) as page:
        sums = page.evaluate(
            """async () => {
              const { alignSeries, resolveFrames, stackSeries } = window.preview;
              const [panel] = window.MODEL.panels;
              const found = alignSeries(panel, await resolveFrames(panel, "dark"));
              stackSeries(found);
              return found.map((one) => one.drawn.slice(0, 2));
            }"""
        )

    assert sums == [[2, 3], [7, 10]]


def test_a_table_shows_texts_and_colours(renderer: Renderer, theme: str) -> None:
    cell = {"type": "color-background", "mode": "basic"}
    override = {
        "matcher": {"id": "byName", "options": "Value"},
        "properties": [
            {"id": "unit", "value": "percentunit"},
            {"id": "custom.cellOptions", "value": cell},
        ],
    }
    rows = [("0", 0.95), ("<b>1</b>", None)]
    found = [
        {"labels": {"broker": broker}, "title": "", "points": [(1_000, value)]}
        for broker, value in rows
    ]
    panel = {
        "type": "table",
        "answers": [{"refId": "A", "table": True, "alone": True, "series": found}],
        "fieldConfig": {"defaults": {"thresholds": STEPS}, "overrides": [override]},
    }
    with renderer.draw(model_of(panel, theme)) as page:
        shown = [row.split("\t")[1:] for row in page.locator("tr").all_inner_texts()]
        ground = page.locator("td.number").first.evaluate(
            "(one) => getComputedStyle(one).backgroundColor"
        )

    assert shown == [["broker", "Value"], ["0", "95%"], ["<b>1</b>", ""]]
    assert ground == rgb(COLOURS[theme]["red"])


@pytest.mark.parametrize("name", FILES)
def test_the_unit_of_each_series_is_what_it_measures(
    history: History, renderer: Renderer, name: str
) -> None:
    view = history.look(name, STANDARD)
    measures = {
        (
            placed.view.interpolate(placed.panel["title"], placed.panel),
            one.query,
        ): measure(one.expression)
        for placed in lay_out(view)
        if find_targets(placed.panel)
        for one in placed.view.run_all(placed.panel)
    }
    with renderer.draw(build_model(view, "dark")) as page:
        fields = page.evaluate(FIELDS)
    numbers = [one for one in fields if one["type"] == "number"]
    wrong = [
        (one["panel"], one["title"], one["unit"])
        for one in numbers
        if one["unit"] not in UNITS[measures[one["panel"], one["query"]]]
        and not shows_texts(one["mappings"])
    ]

    assert wrong == []
    assert len(numbers) >= len(measures) - 5


def shows_texts(mappings: list[dict[str, Any]]) -> bool:
    """Say whether more values than nothing and 0 are shown as texts."""
    return any(
        one["type"] == "value" and set(one["options"]) != {"0"} for one in mappings
    )


@pytest.mark.parametrize(
    ("part", "reason"),
    [
        ({"transformations": [{"id": "nonsense"}]}, "the transformation nonsense"),
        (
            {"fieldConfig": {"defaults": {"unti": "s"}, "overrides": []}},
            "the property unti",
        ),
        (
            {
                "fieldConfig": {
                    "defaults": {"custom": {"axisWidth": 3}},
                    "overrides": [],
                }
            },
            "the property custom.axisWidth",
        ),
        ({"options": {"reduceOptions": {"calcs": ["least"]}}}, "the reducer least"),
    ],
)
def test_what_the_preview_does_not_support_is_an_error(
    renderer: Renderer, part: dict[str, Any], reason: str
) -> None:
    panel = {
        "type": "stat",
        "answers": [series([1.0])],
        "fieldConfig": field(),
        **part,
    }

    with (
        pytest.raises(DrawingError, match=f"does not support {reason}"),
        renderer.draw(model_of(panel)),
    ):
        pass


def test_an_unknown_panel_is_no_silent_hole(renderer: Renderer) -> None:
    panel = {"type": "news", "fieldConfig": field()}

    with (
        pytest.raises(DrawingError, match="does not support the panel type news"),
        renderer.draw(model_of(panel)),
    ):
        pass


def test_hostile_values_stay_text(renderer: Renderer) -> None:
    hostile = "</script><img src=x onerror=alert(1)>"
    panel = {
        "type": "timeseries",
        "answers": [series([1.0] * 60, hostile)],
        "fieldConfig": field(),
    }
    with renderer.draw(model_of(panel)) as page:
        assert page.locator("img").count() == 0
        assert page.get_by_text(hostile).count() == 1
