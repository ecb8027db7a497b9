"""Variables, intervals, rows and units are resolved as Grafana does."""

from typing import Any

import pytest

from dashboards.preview.dashboard import Answer, View, parse_seconds
from dashboards.preview.layout import lay_out
from dashboards.preview.prometheus import Prometheus, Series
from dashboards.preview.variables import (
    Choice,
    Span,
    VariableError,
    interpolate,
    resolve_variables,
)
from tests.dashboards.units import UNITS, Measure, measure

SPAN = Span(0.0, 21_600.0)
CHOICES = {
    "one": Choice(name="one", values=('a"b',)),
    "some": Choice(name="some", values=("a.b", "c"), is_list=True),
    "only": Choice(name="only", values=("a.b",), is_list=True),
    "all": Choice(name="all", values=("0", "1"), is_list=True, all_value=".+"),
    "every": Choice(name="every", values=("0", "1"), is_list=True),
}


class Offline(Prometheus):
    """A server that knows the values of one label."""

    def ask(self, path: str, **parameters: str) -> Any:
        assert path == "label/v/values"
        return ["b10", "b9", "a"]


NO_SERVER = Offline("http://127.0.0.1:9")


@pytest.mark.parametrize(
    ("text", "resolved"),
    [
        ('x{a="$one"}', r'x{a="a\"b"}'),
        ('x{a=~"$some"}', r'x{a=~"(a\\.b|c)"}'),
        ('x{a=~"${only}"}', r'x{a=~"a\\.b"}'),
        ('x{a=~"$all"}', 'x{a=~".+"}'),
        ('x{a=~"$every"}', 'x{a=~"(0|1)"}'),
        ("rate(x[$__rate_interval])", "rate(x[240s])"),
        ("costs 5$", "costs 5$"),
    ],
)
def test_a_variable_becomes_promql(text: str, resolved: str) -> None:
    assert interpolate(text, CHOICES, {"__rate_interval": "240s"}) == resolved


@pytest.mark.parametrize("text", ["$unknown", "${some:nonsense}"])
def test_an_unknown_variable_or_format_is_an_error(text: str) -> None:
    with pytest.raises(VariableError):
        interpolate(text, CHOICES, {})


def variable(**keys: Any) -> dict[str, Any]:
    query = {"query": "label_values(v)"}
    return {"name": "v", "type": "query", "query": query, **keys}


@pytest.mark.parametrize(
    ("keys", "chosen", "values"),
    [
        ({}, None, ("b10",)),
        ({"sort": 7}, None, ("a",)),
        ({"sort": 7, "includeAll": True}, None, ("a", "b9", "b10")),
        ({"current": {"value": "a"}}, None, ("a",)),
        ({"current": {"value": "gone"}}, None, ("b10",)),
        ({"multi": True}, ["a", "b9"], ("a", "b9")),
        ({"includeAll": True}, None, ("b10", "b9", "a")),
        ({"includeAll": True, "current": {"value": ["$__all"]}}, ["a"], ("a",)),
    ],
)
def test_a_choice_is_the_given_the_stored_or_the_first_one(
    keys: dict[str, Any], chosen: list[str] | None, values: tuple[str, ...]
) -> None:
    dashboard = {"templating": {"list": [variable(**keys)]}}
    wanted = None if chosen is None else {"v": chosen}

    assert resolve_variables(dashboard, NO_SERVER, SPAN, wanted)["v"].values == values


@pytest.mark.parametrize(
    "keys",
    [
        {"type": "adhoc"},
        {"query": {"query": "metrics(a)"}},
        {"regex": "/a/"},
        {"sort": 3},
    ],
)
def test_a_variable_that_is_not_supported_is_an_error(keys: dict[str, Any]) -> None:
    dashboard = {"templating": {"list": [variable(**keys)]}}

    with pytest.raises(VariableError, match="not supported"):
        resolve_variables(dashboard, NO_SERVER, SPAN)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("now-6h", 21_600), ("1h30m", 5_400), ("30s", 30), ("7d", 604_800)],
)
def test_a_duration_is_read_as_grafana_writes_it(text: str, seconds: float) -> None:
    assert parse_seconds(text) == seconds


@pytest.mark.parametrize("text", ["now/d", "soon", ">30s", ""])
def test_what_is_no_duration_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        parse_seconds(text)


def view(*panels: dict[str, Any], span: Span = SPAN) -> View:
    return View(
        dashboard={"panels": list(panels)},
        server=NO_SERVER,
        span=span,
        choices=CHOICES,
    )


def test_a_step_is_never_below_the_scrape_interval() -> None:
    assert view().step_seconds({}) == 60
    assert view().step_seconds({"interval": "1h"}) == 3_600
    assert view(span=Span(0, 604_800)).step_seconds({}) == 900


def test_the_rate_interval_covers_four_scrapes() -> None:
    assert view().interpolate("$__rate_interval") == "240s"
    assert view().interpolate("$__rate_interval", {"interval": "10m"}) == "660s"


def panel(kind: str, y: int, **keys: Any) -> dict[str, Any]:
    grid = {"x": 0, "y": y, "w": 24, "h": 1 if kind == "row" else 8}
    return {"type": kind, "title": kind, "gridPos": grid, **keys}


def test_collapsed_rows_are_opened() -> None:
    hidden = panel("stat", 2)
    looked = view(
        panel("stat", 0),
        panel("row", 8, collapsed=True, panels=[hidden]),
        panel("row", 9),
    )

    opened = [(one.panel["type"], one.place["y"]) for one in lay_out(looked)]

    assert opened == [("stat", 0), ("row", 8), ("stat", 9), ("row", 17)]


def test_a_row_is_repeated_for_each_value() -> None:
    looked = view(panel("row", 0, repeat="every"), panel("stat", 1))

    placed = lay_out(looked)

    assert [one.place["y"] for one in placed] == [0, 1, 9, 10]
    assert [one.view.interpolate("$every") for one in placed] == ["0", "0", "1", "1"]


def test_a_legend_names_the_labels_of_its_series() -> None:
    answer = Answer(
        query="A",
        expression="x",
        legend="broker {{ broker }} {{node}}",
        is_table=False,
        series=[Series({"broker": "2"}, [(60.0, 1.0)])],
    )

    assert answer.title_of(answer.series[0]) == "broker 2 "


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
