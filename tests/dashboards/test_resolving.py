"""Variables, intervals, repeats and transformations are resolved as Grafana does."""

from typing import Any

import pytest

from dashboards.preview.frames import Column, Frame, Series, name_series, shape_table
from dashboards.preview.grafana import View
from dashboards.preview.intervals import (
    Span,
    choose_rate_interval,
    choose_step,
    parse_seconds,
    render_seconds,
    round_interval,
)
from dashboards.preview.layout import lay_out
from dashboards.preview.prometheus import Prometheus
from dashboards.preview.transformations import TransformationError, transform
from dashboards.preview.variables import (
    Choice,
    VariableError,
    interpolate,
    resolve_variables,
)
from tests.dashboards.units import UNITS, Measure, measure

NOBODY = Prometheus("http://127.0.0.1:9")
SPAN = Span(0.0, 21_600.0)
CHOICES = {
    "one": Choice(name="one", values=('a"b',)),
    "some": Choice(name="some", values=("a.b", "c"), listed=True, title="a.b + c"),
    "only": Choice(name="only", values=("a-b",), listed=True),
    "all": Choice(name="all", values=("0", "1"), listed=True, all_value=".+"),
    "every": Choice(name="every", values=("0", "1"), listed=True),
}


@pytest.mark.parametrize(
    ("text", "resolved"),
    [
        ('x{a="$one"}', r'x{a="a\"b"}'),
        ('x{a=~"$some"}', r'x{a=~"(a\\.b|c)"}'),
        ('x{a=~"${only}"}', 'x{a=~"a-b"}'),
        ('x{a=~"$all"}', 'x{a=~".+"}'),
        ('x{a=~"[[every]]"}', 'x{a=~"(0|1)"}'),
        ("${some:pipe}", "a.b|c"),
        ("${some:text}", "a.b + c"),
        ("${every:csv}", "0,1"),
        ("${every:queryparam}", "var-every=0&var-every=1"),
        ("rate(x[$__rate_interval])", "rate(x[4m])"),
        ("costs 5$", "costs 5$"),
    ],
)
def test_a_variable_becomes_what_promql_takes(text: str, resolved: str) -> None:
    assert interpolate(text, CHOICES, {"__rate_interval": "4m"}) == resolved


@pytest.mark.parametrize("text", ["$unknown", "${some:nonsense}"])
def test_an_unknown_variable_or_format_is_an_error(text: str) -> None:
    with pytest.raises(VariableError):
        interpolate(text, CHOICES, {})


def variable(**keys: Any) -> dict[str, Any]:
    return {"name": "v", "type": "custom", "query": "b10,b9,a", **keys}


@pytest.mark.parametrize(
    ("keys", "chosen", "values"),
    [
        ({}, None, ("b10",)),
        ({"current": {"value": "a"}}, None, ("a",)),
        ({"current": {"value": "gone"}}, None, ("b10",)),
        ({"multi": True}, ["a", "b9"], ("a", "b9")),
        ({"includeAll": True}, None, ("b10", "b9", "a")),
        ({"includeAll": True, "current": {"value": ["$__all"]}}, ["a"], ("a",)),
    ],
)
def test_a_choice_is_the_readers_the_dashboards_or_the_first(
    keys: dict[str, Any], chosen: list[str] | None, values: tuple[str, ...]
) -> None:
    dashboard = {"templating": {"list": [variable(**keys)]}}
    wanted = None if chosen is None else {"v": chosen}

    assert resolve_variables(dashboard, NOBODY, SPAN, wanted)["v"].values == values


def test_a_type_of_variable_that_is_not_known_is_an_error() -> None:
    dashboard = {"templating": {"list": [variable(type="adhoc")]}}

    with pytest.raises(VariableError, match="adhoc"):
        resolve_variables(dashboard, NOBODY, SPAN)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("now", 0), ("now-6h", 21_600), ("1h30m", 5_400), (">30s", 30), ("7d", 604_800)],
)
def test_a_duration_is_read_as_grafana_writes_it(text: str, seconds: float) -> None:
    assert parse_seconds(text) == seconds


@pytest.mark.parametrize("text", ["now/d", "soon", "5"])
def test_what_is_no_duration_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="no duration"):
        parse_seconds(text)


@pytest.mark.parametrize(
    ("seconds", "rounded"),
    [(0.2, 1), (21.6, 20), (36, 30), (604.8, 600), (3_000, 3_600), (9e9, 604_800)],
)
def test_a_step_is_one_of_grafanas(seconds: float, rounded: float) -> None:
    assert round_interval(seconds) == rounded


def test_a_step_is_never_below_the_scrape_interval() -> None:
    assert choose_step(SPAN, 1_000, 60) == 60
    assert choose_step(Span(0, 604_800), 1_000, 60) == 600


def test_the_rate_interval_covers_four_scrapes() -> None:
    assert render_seconds(choose_rate_interval(60, 60)) == "4m"
    assert render_seconds(choose_rate_interval(600, 60)) == "11m"


def view(*panels: dict[str, Any]) -> View:
    return View(
        dashboard={"panels": list(panels)}, server=NOBODY, span=SPAN, choices=CHOICES
    )


def panel(kind: str, y: int, **keys: Any) -> dict[str, Any]:
    grid = {"x": 0, "y": y, "w": 24, "h": 1 if kind == "row" else 8}
    return {"type": kind, "title": kind, "gridPos": grid, **keys}


def test_a_closed_row_hides_its_panels_unless_it_is_opened() -> None:
    hidden = panel("stat", 2)
    looked = view(
        panel("stat", 0),
        panel("row", 8, collapsed=True, panels=[hidden]),
        panel("row", 9),
    )

    stored = [(one.panel["type"], one.y) for one in lay_out(looked, open_rows=False)]
    opened = [(one.panel["type"], one.y) for one in lay_out(looked, open_rows=True)]

    assert stored == [("stat", 0), ("row", 8), ("row", 9)]
    assert opened == [("stat", 0), ("row", 8), ("stat", 9), ("row", 17)]


def test_a_row_is_repeated_for_each_value() -> None:
    looked = view(panel("row", 0, repeat="every"), panel("stat", 1))

    placed = lay_out(looked, open_rows=True)

    assert [one.y for one in placed] == [0, 1, 9, 10]
    assert [one.view.interpolate("$every") for one in placed] == ["0", "0", "1", "1"]


def test_a_panel_is_repeated_side_by_side() -> None:
    placed = lay_out(view(panel("stat", 0, repeat="every")), open_rows=True)

    assert [(one.x, one.y, one.w) for one in placed] == [(0, 0, 12), (12, 0, 12)]


def answer(broker: str, value: float) -> Series:
    return Series({"broker": broker}, [(60.0, value)])


def test_answers_to_several_queries_become_one_table() -> None:
    frames = [
        shape_table([answer("0", 1.0), answer("1", 2.0)], "A", alone=False),
        shape_table([answer("1", 3.0)], "B", alone=False),
    ]
    names = {"excludeByName": {"Time": True}, "renameByName": {"Value #A": "Load"}}
    for first in ({"id": "merge"}, {"id": "joinByField", "options": BY_BROKER}):
        steps = [first, {"id": "organize", "options": names}]
        (frame,) = transform(
            [Frame(list(one.columns), one.query) for one in frames], steps
        )
        shown = {
            one.title or one.name: one.values for one in frame.columns if named(one)
        }
        assert shown == {
            "broker": ["0", "1"],
            "Load": [1.0, 2.0],
            "Value #B": [None, 3.0],
        }
        for column in frames[0].columns:
            column.title = None


BY_BROKER = {"byField": "broker", "mode": "outer"}


def named(column: Column) -> bool:
    return not column.name.startswith("Time")


def test_a_transformation_that_is_not_known_is_an_error() -> None:
    with pytest.raises(TransformationError, match="nonsense"):
        transform([], [{"id": "nonsense"}])


def test_a_legend_names_the_labels_of_its_series() -> None:
    series = answer("2", 1.0)

    assert name_series(series, "broker {{ broker }}", "x") == "broker 2"
    assert name_series(series, "__auto", "x") == '{broker="2"}'
    assert name_series(Series({}, []), "__auto", "sum(x)") == "sum(x)"


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("max by (broker) (heroku_kafka_load_avg_5m)", Measure.LOAD),
        (
            "heroku_kafka_data_size_bytes / heroku_kafka_plan_capacity_bytes",
            Measure.RATIO,
        ),
        ("1 - max(heroku_kafka_memory_used_ratio)", Measure.RATIO),
        ("deriv(heroku_kafka_data_size_bytes[6h])", Measure.BYTES_PER_SECOND),
        (
            "predict_linear(heroku_kafka_data_size_bytes[1d], 86400)",
            Measure.BYTES,
        ),
        (
            (
                "(heroku_kafka_plan_capacity_bytes - heroku_kafka_data_size_bytes)"
                " / (deriv(heroku_kafka_data_size_bytes[1d]) > 0) / 86400"
            ),
            Measure.DAYS,
        ),
        ("time() - heroku_kafka_last_sample_timestamp_seconds", Measure.SECONDS),
        ("rate(heroku_kafka_log_lines_total[5m]) * 60", Measure.PER_MINUTE),
        ("increase(heroku_kafka_log_lines_total[1h])", Measure.COUNT),
        ("count(heroku_kafka_load_avg_5m > 0.8) or vector(0)", Measure.COUNT),
        ("heroku_kafka_write_iops * 16384", Measure.BYTES_PER_SECOND),
        (
            (
                "histogram_quantile(0.95, sum by (le) "
                "(rate(heroku_kafka_agent_line_delay_seconds_bucket[5m])))"
            ),
            Measure.SECONDS,
        ),
        ("rate(process_cpu_seconds_total[5m])", Measure.RATIO),
    ],
)
def test_an_expression_says_what_it_measures(expression: str, found: Measure) -> None:
    assert measure(expression) is found


@pytest.mark.parametrize(
    "expression",
    ["some_thing", "heroku_kafka_data_size_bytes + heroku_kafka_read_iops"],
)
def test_an_expression_that_says_nothing_is_an_error(expression: str) -> None:
    with pytest.raises(ValueError, match="not"):
        measure(expression)


def test_each_measure_has_its_units() -> None:
    assert set(UNITS) == set(Measure)
