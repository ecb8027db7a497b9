"""Each query of each dashboard is run against a Prometheus, as Grafana would."""

import re
from collections.abc import Iterator

import pytest

from dashboards.preview.dashboard import (
    Answer,
    Panel,
    View,
    find_annotations,
    find_targets,
)
from dashboards.preview.layout import Placed, lay_out
from dashboards.preview.model import build_model
from dashboards.preview.recording import INSTANCE, JOB
from dashboards.preview.scenarios import HISTORIES, STANDARD
from tests.dashboards.history import CLUSTERS, FILES, History, load
from tests.documented import LOG, METRICS
from tests.frames import frame
from tests.serving import running

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

MAY_BE_EMPTY: dict[tuple[str, str, str], str] = {
    ("heroku-kafka-broker", "Log lines per minute", "A"): (
        "the log is by node, and not every node has said which broker it is"
    ),
}
"""File, panel and query that may find nothing on either cluster, and why."""


def panels(view: View) -> Iterator[Placed]:
    """Yield all panels with queries: in collapsed rows too, and each repetition."""
    for placed in lay_out(view):
        if find_targets(placed.panel):
            yield placed


def answers(view: View) -> Iterator[tuple[Panel, Answer]]:
    for placed in panels(view):
        for target in find_targets(placed.panel):
            yield placed.panel, placed.view.run(placed.panel, target)


def test_there_are_five_dashboards() -> None:
    assert len(FILES) == 5


@pytest.mark.parametrize("addon", CLUSTERS)
@pytest.mark.parametrize("name", FILES)
def test_each_variable_finds_values(history: History, name: str, addon: str) -> None:
    for choice in history.look(name, addon).choices.values():
        assert choice.options, choice.name
        assert choice.values, choice.name


@pytest.mark.parametrize("name", FILES)
def test_the_cluster_is_chosen_among_all_of_them(history: History, name: str) -> None:
    choices = history.look(name, STANDARD).choices

    if "addon" in choices:
        assert set(choices["addon"].options) == {one.addon for one in HISTORIES}


@pytest.mark.parametrize("addon", CLUSTERS)
@pytest.mark.parametrize("name", FILES)
def test_each_query_finds_something(history: History, name: str, addon: str) -> None:
    empty = [
        (panel["title"], answer.query, answer.expression)
        for panel, answer in answers(history.look(name, addon))
        if not any(series.points for series in answer.series)
        and (name, panel["title"], answer.query) not in MAY_BE_EMPTY
    ]

    assert empty == []


def test_each_exception_is_needed(history: History) -> None:
    found: dict[tuple[str, str, str], list[int]] = {}
    for name in {name for name, _, _ in MAY_BE_EMPTY}:
        for addon in CLUSTERS:
            for panel, answer in answers(history.look(name, addon)):
                place = (name, panel["title"], answer.query)
                found.setdefault(place, []).append(len(answer.series))

    for place in MAY_BE_EMPTY:
        assert 0 in found[place], f"{place} finds something everywhere"


def find_legend_labels(legend: str) -> set[str]:
    return set(re.findall(r"{{\s*(.+?)\s*}}", legend))


@pytest.mark.parametrize("addon", CLUSTERS)
@pytest.mark.parametrize("name", FILES)
def test_each_legend_names_labels_of_its_series(
    history: History, name: str, addon: str
) -> None:
    missing = [
        (panel["title"], answer.legend, sorted(series.labels))
        for panel, answer in answers(history.look(name, addon))
        for series in answer.series
        if not find_legend_labels(raw_legend(panel, answer)) <= set(series.labels)
    ]

    assert missing == []


def raw_legend(panel: Panel, answer: Answer) -> str:
    (target,) = (one for one in find_targets(panel) if one["refId"] == answer.query)
    return target.get("legendFormat") or ""


@pytest.mark.parametrize("addon", CLUSTERS)
@pytest.mark.parametrize("name", FILES)
def test_the_series_of_a_chart_have_names_of_their_own(
    history: History, name: str, addon: str
) -> None:
    twice = []
    for placed in panels(history.look(name, addon)):
        panel = placed.panel
        titles = [
            answer.title_of(series)
            for answer in placed.view.run_all(panel)
            if not answer.is_table
            for series in answer.series
        ]
        twice += [
            (panel["title"], title) for title in set(titles) if titles.count(title) > 1
        ]

    assert twice == []


@pytest.mark.parametrize("name", FILES)
def test_each_annotation_is_found(history: History, name: str) -> None:
    annotations = find_annotations(load(name))
    assert annotations
    for annotation in annotations:
        views = [history.look(name, addon) for addon in CLUSTERS]
        found = [
            view.query_range(view.interpolate(annotation["target"]["expr"]), {})
            for view in views
        ]
        assert any(found), annotation["name"]
        used = annotation.get("titleFormat", "") + annotation.get("textFormat", "")
        for series in (one for result in found for one in result):
            assert find_legend_labels(used) <= set(series.labels), annotation["name"]


@pytest.mark.parametrize("name", FILES)
def test_no_scenario_of_the_simulator_breaks_a_query(
    history: History, name: str
) -> None:
    for one in HISTORIES:
        view = history.look(name, one.addon)
        assert list(answers(view))


@pytest.mark.parametrize("name", FILES)
def test_without_any_data_nothing_fails(emptiness: History, name: str) -> None:
    view = emptiness.look(name, STANDARD)
    model = build_model(view, "dark")

    errors = {one["title"]: one["error"] for one in model["panels"] if "error" in one}
    assert errors == {}


def test_a_running_agent_exports_what_the_history_holds(history: History) -> None:
    with running() as agent:
        agent.post(frame(METRICS) + frame(LOG))
        exported = {
            (name, frozenset({label for label, _ in labels} | {"job", "instance"}))
            for name, labels in agent.metrics().samples
            if "_created" not in name
        }

    assert exported - history.series == set()


def test_the_history_was_scraped_from_one_target(history: History) -> None:
    targets = history.server.ask(
        "query",
        query="group by (job, instance) (heroku_kafka_agent_build_info)",
        time=str(history.end),
    )["result"]

    assert [one["metric"] for one in targets] == [{"job": JOB, "instance": INSTANCE}]
