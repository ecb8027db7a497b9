"""Every unit, reducer and transformation of the dashboards is Grafana's own.

``@grafana/data`` runs under Node in a program of its own; the page must show the same.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dashboards.preview.browser import Renderer, start_browser
from dashboards.preview.bundle import build_bundle, run_esbuild, run_node
from dashboards.preview.dashboard import round_interval
from tests.dashboards.packaged import NAMES, load, panels, properties, walk
from tests.dashboards.test_preview import field, model_of, series
from tests.serving import find_program

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

VALUES = (
    *(0, 0.4, 1, 2.5, 59, 60, 61, 151.5, 3_600, 5_400, 12_345, 86_400, 93_784, 604_800),
    *(1_234_567, 2_000_000, 31_536_000, 1_536, 221 * 2**30, 0.8734, 0.00042, -3, -12.5),
)
POINTS: list[list[float | None]] = [
    [None, 3.5, 1.25, None, 9.0, None],
    [None, None],
    [0.0],
    [-1.0, 7.0],
]
TREES = [load(name) for name in NAMES]
PANELS = [panel for tree in TREES for panel in panels(tree)]
FORMATS = sorted(
    {
        (unit, decimals)
        for panel in PANELS
        for unit in {*properties(panel, "unit"), "none"}
        for decimals in {*properties(panel, "decimals"), None}
    },
    key=str,
)
REDUCERS = sorted(
    {
        one
        for part in walk(TREES)
        if isinstance(part, dict)
        for one in part.get("calcs", ())
    }
)
TABLES = [panel for panel in PANELS if panel.get("transformations")]
PROGRAM = """
import {
  fieldReducers, FieldType, formattedValueToString, getFieldDisplayName, getValueFormat, rangeUtil,
  reduceField, standardTransformers, standardTransformersRegistry, toDataFrame, transformDataFrame,
} from "@grafana/data";
const input = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
const byId = new Map(Object.values(standardTransformers).map((one) => [one.id, one]));
standardTransformersRegistry.setInit(() => [...byId].map(([id, one]) => ({ id, name: id, transformation: async () => one })));
const texts = input.formats.map(([unit, decimals]) => input.values.map(
  (value) => formattedValueToString(getValueFormat(unit)(value, decimals))));
const reduced = input.reducers.map((reducer) => input.points.map((values) => {
  const field = { name: "a", type: FieldType.number, config: {}, values };
  return [fieldReducers.get(reducer).name, reduceField({ field, reducers: [reducer] })[reducer]];
}));
const table = async ({ transformations, frames }) => {
  const found = await new Promise((next, error) => transformDataFrame(
    transformations, frames.map(toDataFrame), { interpolate: (text) => text }).subscribe({ next, error }));
  return found.map((frame) => frame.fields.map((one) => [getFieldDisplayName(one, frame, found), one.values]));
};
Promise.all(input.tables.map(table)).then((tables) => console.log(JSON.stringify({
  texts, reduced, tables, rounded: input.seconds.map((one) => rangeUtil.roundInterval(one * 1000) / 1000),
})));
"""


@pytest.fixture(scope="module")
def renderer(packages: Path) -> Iterator[Renderer]:
    find_program("chromium")
    with start_browser(build_bundle(packages)) as renderer:
        yield renderer


def ask_package(packages: Path, **wanted: Any) -> dict[str, Any]:
    """Have the package itself format, reduce, transform and round."""
    nothing: dict[str, Any] = {
        name: []
        for name in ("formats", "values", "reducers", "points", "tables", "seconds")
    }
    source, program = packages / "ask.mjs", packages / "ask.cjs"
    source.write_text(PROGRAM, encoding="utf-8")
    # The package expects some of a browser's names.
    options = (
        "--platform=node",
        "--banner:js=globalThis.window = globalThis; globalThis.navigator ??= { languages: ['en-US'] };",
    )
    run_esbuild(packages, source, *options, f"--outfile={program}")
    text = json.dumps({**nothing, **wanted})
    found: dict[str, Any] = json.loads(
        run_node(packages, "node", str(program), given=text)
    )
    return found


def answer_of(query: str, alone: int, label: str) -> dict[str, Any]:
    """Make rows that only some queries have, as labels and values."""
    rows = [one for one in range(4) if (one + ord(query[-1])) % 3]
    found = [
        {
            "labels": {label: f"n{one}", "also": f"x{one}"},
            "title": "",
            "points": [(60_000, len(query) + one / 4)],
        }
        for one in rows
    ]
    return {"refId": query, "table": True, "alone": alone == 1, "series": found}


def frame_of(answer: dict[str, Any]) -> dict[str, Any]:
    """Write an answer as Grafana's frame, independently of the page."""
    rows = answer["series"]
    names = sorted(rows[0]["labels"])
    value = "Value" if answer["alone"] else f"Value #{answer['refId']}"
    fields: list[dict[str, Any]] = [
        {"name": "Time", "type": "time", "values": [60_000 for _ in rows]}
    ]
    fields += [
        {"name": one, "type": "string", "values": [row["labels"][one] for row in rows]}
        for one in names
    ]
    numbers = [row["points"][0][1] for row in rows]
    fields.append({"name": value, "type": "number", "values": numbers})
    return {"refId": answer["refId"], "fields": fields}


def test_each_unit_is_written_as_by_the_package(
    packages: Path, renderer: Renderer
) -> None:
    """A stat shows number and unit apart, together they are the package's text."""
    texts = ask_package(packages, formats=FORMATS, values=VALUES)["texts"]
    stats: list[dict[str, Any]] = [
        {
            "type": "stat",
            "answers": [series([value])],
            "fieldConfig": field(
                unit=unit, **({} if decimals is None else {"decimals": decimals})
            ),
        }
        for unit, decimals in FORMATS
        for value in VALUES
    ]
    model = model_of(stats[0])
    shared = model["panels"][0]
    model["panels"] = [{**shared, **one} for one in stats]
    with renderer.draw(model) as page:
        shown = page.locator(".number").all_text_contents()

    expected = [text for row in texts for text in row]
    different = [
        (stats[at]["fieldConfig"]["defaults"], one, other)
        for at, (one, other) in enumerate(zip(shown, expected, strict=True))
        if one != other
    ]
    assert different == []


def test_each_reducer_is_that_of_the_package(
    packages: Path, renderer: Renderer
) -> None:
    assert REDUCERS
    reduced = ask_package(packages, reducers=REDUCERS, points=POINTS)["reduced"]
    for reducer, expected in zip(REDUCERS, reduced, strict=True):
        for points, (_name, value) in zip(POINTS, expected, strict=True):
            panel = {
                "type": "stat",
                "answers": [series(points)],
                "options": {"reduceOptions": {"calcs": [reducer]}},
                "fieldConfig": field(unit="none", decimals=2, noValue="nothing"),
            }
            with renderer.draw(model_of(panel)) as page:
                shown = page.locator(".number").text_content()
            assert shown == ("nothing" if value is None else f"{value:.2f}")


@pytest.mark.parametrize("table", TABLES, ids=[one["title"] for one in TABLES])
def test_each_transformation_is_that_of_the_package(
    packages: Path, renderer: Renderer, table: dict[str, Any]
) -> None:
    steps = table["transformations"]
    queries = [one["refId"] for one in table["targets"]]
    answers = [
        answer_of(one, len(queries), steps[0]["options"]["byField"]) for one in queries
    ]
    wanted: list[dict[str, Any]] = [
        {"transformations": steps, "frames": [frame_of(one) for one in answers]}
    ]
    found = ask_package(packages, tables=wanted)["tables"]
    ((columns,),) = found
    panel = {
        "type": "table",
        "answers": answers,
        "transformations": steps,
        "fieldConfig": field(unit="none", decimals=2),
    }
    with renderer.draw(model_of(panel)) as page:
        shown = [row.split("\t") for row in page.locator("tr").all_inner_texts()]

    written = [
        [
            "" if one is None else one if isinstance(one, str) else f"{one:.2f}"
            for one in row
        ]
        for row in zip(*(values for _, values in columns), strict=True)
    ]
    assert shown == [[title for title, _ in columns], *written]
    assert len(written) > 2


def test_an_interval_is_rounded_as_by_the_package(packages: Path) -> None:
    seconds = [1.2, 1.5, 3.4, 9, 21.6, 25, 36, 100, 604.8, 1_008, 3_000, 20_000, 43_200]
    rounded = ask_package(packages, seconds=seconds)["rounded"]

    assert [round_interval(one) for one in seconds] == rounded
