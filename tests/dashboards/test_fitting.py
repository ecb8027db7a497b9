"""Thresholds and uids in dashboards of our own making, where the packaged are too tame."""

import json
from pathlib import Path
from typing import Any

import pytest

from agent.alerting.thresholds import choose_thresholds
from agent.dashboards import (
    Dashboard,
    apply_thresholds,
    prefix_uids,
    read_dashboards,
)
from agent.errors import SettingsError


def make(folder: Path, uid: str, *panels: dict[str, Any], **more: Any) -> None:
    tree = {"uid": uid, "title": uid.title(), "panels": panels, **more}
    (folder / f"{uid}.json").write_text(json.dumps(tree), encoding="utf-8")


def panel(number: int, *values: float | None, **more: Any) -> dict[str, Any]:
    steps = [{"color": "green", "value": value} for value in values]
    defaults = {"thresholds": {"mode": "absolute", "steps": steps}}
    more |= {"id": number, "title": f"Panel {number}", "type": "stat"}
    return {**more, "fieldConfig": {"defaults": defaults}}


def values(dashboard: Dashboard, *path: int) -> list[float | None]:
    part: Any = dashboard.tree
    for number in path:
        part = part["panels"][number]
    steps = part["fieldConfig"]["defaults"]["thresholds"]["steps"]
    return [one["value"] for one in steps]


def fit(folder: Path, *settings: str) -> Dashboard:
    thresholds = choose_thresholds(None, settings)
    [fitted] = apply_thresholds(read_dashboards(folder), folder, thresholds)
    return fitted


def prefixed(folder: Path) -> dict[str, dict[str, Any]]:
    found = prefix_uids(read_dashboards(folder), "x-")
    return {one.uid: one.tree for one in found}


def test_a_step_keeps_the_unit_of_its_panel(tmp_path: Path) -> None:
    make(tmp_path, "kafka", panel(1, None, 80, 90))
    places = "kafka: {1: {1: data.warning, 2: data.critical}}"
    (tmp_path / "threshold_steps.yaml").write_text(places, encoding="utf-8")

    assert values(fit(tmp_path, "data.warning=78%"), 0) == [None, 78, 90]


def test_a_panel_in_a_folded_row_gets_its_threshold(tmp_path: Path) -> None:
    row = {"id": 1, "type": "row", "panels": [panel(2, None, 0.8)]}
    make(tmp_path, "kafka", row)
    places = "kafka: {2: {1: load.warning}}"
    (tmp_path / "threshold_steps.yaml").write_text(places, encoding="utf-8")

    assert values(fit(tmp_path, "load.warning=0.7"), 0, 0) == [None, 0.7]


def test_a_column_of_a_table_gets_its_threshold(tmp_path: Path) -> None:
    steps = [{"color": "green", "value": None}, {"color": "red", "value": 0.8}]
    override = {
        "matcher": {"id": "byName", "options": "Load"},
        "properties": [
            {"id": "unit", "value": "short"},
            {"id": "thresholds", "value": {"mode": "absolute", "steps": steps}},
        ],
    }
    table = panel(1, None, 0.5)
    table["fieldConfig"]["overrides"] = [{"matcher": {}, "properties": []}, override]
    make(tmp_path, "kafka", table)
    places = "kafka: {1: {overrides: {1: {1: load.warning}}}}"
    (tmp_path / "threshold_steps.yaml").write_text(places, encoding="utf-8")

    fitted = fit(tmp_path, "load.warning=0.7")
    [_, changed] = fitted.tree["panels"][0]["fieldConfig"]["overrides"]

    assert changed["properties"][1]["value"]["steps"][1]["value"] == 0.7
    assert values(fitted, 0) == [None, 0.5]


def test_a_threshold_that_passes_the_next_step_of_a_panel_is_refused(
    tmp_path: Path,
) -> None:
    make(tmp_path, "kafka", panel(1, None, 0.8, 0.95))
    places = "kafka: {1: {1: load.warning}}"
    (tmp_path / "threshold_steps.yaml").write_text(places, encoding="utf-8")

    with pytest.raises(SettingsError, match=r"load.warning \(0.97\) .* 'Panel 1'"):
        fit(tmp_path, "load.warning=0.97")


def test_only_our_own_dashboards_are_renamed_in_links(tmp_path: Path) -> None:
    text = "/d/kafka?a=b /d/kafka-more /d/other https://g.example.com/x/d/kafka/slug"
    make(tmp_path, "kafka", {"id": 1, "type": "text", "options": {"content": text}})

    [panel] = prefixed(tmp_path)["x-kafka"]["panels"]

    assert panel["options"]["content"] == (
        "/d/x-kafka?a=b /d/kafka-more /d/other https://g.example.com/x/d/x-kafka/slug"
    )


def test_a_list_of_dashboards_shows_its_own_set(tmp_path: Path) -> None:
    listing = {"id": 1, "type": "dashlist", "options": {"tags": ["kafka-set"]}}
    make(tmp_path, "kafka", listing, tags=["kafka-set", "heroku"])

    tree = prefixed(tmp_path)["x-kafka"]

    assert tree["tags"] == ["x-kafka-set", "heroku"]
    assert tree["panels"][0]["options"]["tags"] == ["x-kafka-set"]
