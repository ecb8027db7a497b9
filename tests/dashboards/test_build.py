"""The dashboards' builder: its output is what is committed, and mistakes stop it."""

import difflib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dashboards.builder import BuildError, build, write
from tests.dashboards.packaged import DEFINITIONS, FOLDER, NAMES, ROOT

STAT = """\
          - stat-panel:
              id: 11
              title: Load
              description: How busy it is.
              size: [24, 4]
              unit: short
              thresholds: {green: base, red: load.critical}
              queries:
                - expr: max(heroku_kafka_load_avg_5m{addon="$addon"})
                  legend: load
"""
ROWS = f"""\
- name: small-now
  rows:
    - section:
        id: 10
        title: Now
        panels:
{STAT}"""
REST = """\
- name: small
  project:
    dashboards: [small]
- name: small
  dashboard:
    title: Small
    tags: [small]
    time: {from: now-1h, to: now}
    templates: [datasource]
    annotations: [alerts]
    rows: [small-now]
- name: datasource
  templates:
    - datasource-variable: {name: datasource, label: Data source, kind: prometheus}
- name: alerts
  annotations:
    - prom-annotation: {name: Alerts, expr: ALERTS, step: 60s, icon_color: red}
"""
TABLE = """\
          - table-panel:
              id: 11
              title: Brokers
              description: All of them.
              size: [24, 4]
              join: broker
              columns:
                - {label: broker, title: Broker}
                - {ref: load, title: Load, expr: max by (broker) (heroku_kafka_load_avg_5m)}
"""


def define(folder: Path, rows: str = ROWS, rest: str = REST) -> Path:
    (folder / "rows.yaml").write_text(rows, encoding="utf-8")
    (folder / "rest.yaml").write_text(rest, encoding="utf-8")
    return folder


def fail(folder: Path, rows: str = ROWS, rest: str = REST) -> str:
    with pytest.raises(BuildError) as caught:
        build(define(folder, rows, rest))
    return str(caught.value)


def replaced(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new)


def test_the_committed_files_are_what_the_definitions_say() -> None:
    for name, text in build(DEFINITIONS).items():
        assert (FOLDER / name).read_text(encoding="utf-8") == text, (
            f"dashboards/{name} is not what `make dashboards` writes"
        )


def test_no_dashboard_is_committed_that_is_not_defined() -> None:
    built = {name for name in build(DEFINITIONS) if name.endswith(".json")}

    assert {f"{name}.json" for name in NAMES} == built
    assert len(built) == 5


def test_each_file_is_named_after_its_uid() -> None:
    for name, text in build(DEFINITIONS).items():
        if name.endswith(".json"):
            assert json.loads(text)["uid"] == name.removesuffix(".json")


def test_the_order_in_which_python_hashes_does_not_show(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from dashboards.builder import write; "
        "write(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))"
    )
    for seed in ("1", "2"):
        out = tmp_path / seed
        out.mkdir()
        subprocess.run(
            [sys.executable, "-c", code, str(DEFINITIONS), str(out)],
            check=True,
            cwd=ROOT,
            env={"PYTHONHASHSEED": seed, "PATH": ""},
        )

    for file in (tmp_path / "1").iterdir():
        assert file.read_bytes() == (tmp_path / "2" / file.name).read_bytes()


def test_the_command_writes_what_is_committed(tmp_path: Path) -> None:
    shutil.copytree(FOLDER / "builder", tmp_path / "dashboards" / "builder")
    shutil.copytree(DEFINITIONS, tmp_path / "dashboards" / "definitions")
    for part in ("agent", "parsers", "alerts"):
        (tmp_path / part).symlink_to(ROOT / part)

    ended = subprocess.run(
        [sys.executable, "-m", "dashboards.builder"],
        check=True,
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )

    for name in ended.stdout.split():
        assert (tmp_path / name).read_bytes() == (ROOT / name).read_bytes()


def test_a_build_that_fails_writes_nothing(tmp_path: Path) -> None:
    definitions, out = tmp_path / "definitions", tmp_path / "out"
    definitions.mkdir()
    out.mkdir()
    (out / "old.json").write_text("{}", encoding="utf-8")
    define(definitions, rows=replaced(ROWS, "max(", "max("), rest="[]")

    with pytest.raises(BuildError):
        write(definitions, out)
    assert [one.name for one in out.iterdir()] == ["old.json"]


def test_a_dashboard_that_is_no_longer_defined_is_removed(tmp_path: Path) -> None:
    definitions, out = tmp_path / "definitions", tmp_path / "out"
    definitions.mkdir()
    out.mkdir()
    (out / "old.json").write_text("{}", encoding="utf-8")

    write(define(definitions), out)

    assert {one.name for one in out.iterdir()} == {"small.json", "threshold_steps.yaml"}


MISTAKES = {
    "a misspelt option of a panel": (
        "unit: short", "unti: short", "unknown option 'unti'; did you mean unit",
    ),
    "an option that another kind of panel has": (
        "unit: short", "stacking: {mode: normal}", "unknown option 'stacking'",
    ),
    "a misspelt kind of panel": ("stat-panel", "stat-pannel", "did you mean stat-panel"),
    "a kind of panel of Grafana's past": ("stat-panel", "single-stat", "unknown component 'single-stat'"),
    "a missing title": ("title: Load", "title: ''", "it has no title"),
    "a missing description": (
        "description: How busy it is.", "decimals: 1", "it has no description",
    ),
    "a missing id": ("              id: 11\n", "              decimals: 1\n", "no id"),
    "a size that is no pair": ("[24, 4]", "24", "its size is no pair"),
    "a number instead of a text": ("unit: short", "unit: 7", "unit cannot be 7"),
    "a text instead of a number": (
        "unit: short", "decimals: two", "decimals cannot be 'two'",
    ),
    "a truth instead of a number": (
        "unit: short", "decimals: true", "decimals cannot be True",
    ),
    "a value that an option cannot have": (
        "unit: short", "text_mode: loud", "text_mode cannot be 'loud', but one of auto",
    ),
    "an unknown part of an option": (
        "unit: short", "reduce_options: {calc: [max]}", "did you mean calcs",
    ),
    "a part where there is none": ("unit: short", "reduce_options: max", "of its own"),
    "a misspelt threshold": (
        "load.critical", "load.crtical", "did you mean load.critical",
    ),
    "a number as a threshold": ("load.critical", "0.9", "unknown threshold 0.9"),
    "thresholds that fall": (
        "red: load.critical", "orange: load.critical, red: load.warning", "not above",
    ),
    "thresholds without a base": ("green: base, ", "", "thresholds are like"),
    "a colour that Grafana does not know": ("red:", "crimson:", "'crimson' is no colour"),
    "an unknown property of an override": (
        "unit: short", "overrides: [{field: a, unti: s}]", "did you mean unit",
    ),
    "an override of nothing": (
        "unit: short", "overrides: [{unit: s}]", "an override has one of",
    ),
    "an unknown palette": ("unit: short", "colours: rainbow", "unknown palette"),
    "an unknown part of a mapping": (
        "unit: short", "mappings: {0: {txt: none}}", "not 'txt'",
    ),
    "an unknown part of a link": (
        "unit: short", "data_links: [{title: x, uri: y}]", "title and url",
    ),
    "an unknown metric": (
        "heroku_kafka_load_avg_5m", "heroku_kafka_load5", "unknown metric heroku_kafka_load5",
    ),
    "no PromQL": ("max(heroku", "max(heroku(", "no PromQL"),
    "a selector without a name": (
        "heroku_kafka_load_avg_5m{", "{", "a selector without a name",
    ),
    "an empty query": (
        'max(heroku_kafka_load_avg_5m{addon="$addon"})', "''", "a query is empty",
    ),
    "an unknown option of a query": ("legend: load", "legnd: load", "'legnd'"),
    "no queries": (
        STAT[STAT.index("              queries:"):], "", "it has no queries",
    ),
    "a hole in the layout": ("[24, 4]", "[23, 4]", "is 23 columns wide"),
    "a key twice": ("unit: short", "unit: short\n              unit: s", "twice"),
    "an object of Python's": (
        "unit: short", "unit: !!python/object/apply:os.getcwd []", "python/object",
    ),
    "an unknown option of a section": (
        "id: 10", "id: 10\n        colour: red", "unknown option 'colour'",
    ),
    "two panels with one id": ("id: 11", "id: 10", "have the id 10"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_stops_the_build_and_is_named(tmp_path: Path, mistake: str) -> None:
    old, new, said = MISTAKES[mistake]

    message = fail(tmp_path, rows=replaced(ROWS, old, new))

    assert said in message


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("unit: short", "unti: short"),
        ("load.critical", "load.crtical"),
        ("max(heroku", "max(heroku("),
    ],
)
def test_a_mistake_in_a_panel_is_told_with_file_and_panel(
    tmp_path: Path, old: str, new: str
) -> None:
    message = fail(tmp_path, rows=replaced(ROWS, old, new))

    assert re.search(r"^\w+\.yaml: .*panel 'Load': ", message)


MISTAKES_AROUND = {
    "rows that are not defined": ("[small-now]", "[small-then]", "small-then"),
    "a dashboard that is not defined": ("[small]\n- name", "[smal]\n- name", "smal"),
    "a kind of component that does not exist": (
        "dashboard:",
        "dashbord:",
        "'dashbord'",
    ),
    "a component without a name": ("- name: alerts\n", "- nam: alerts\n", "nam"),
    "an unknown option of a dashboard": (
        "tags:",
        "tgas: []\n    tags:",
        "did you mean",
    ),
    "a variable of Grafana's past": ("datasource-variable", "query", "'query'"),
    "an annotation of Grafana's past": (
        "prom-annotation",
        "annotation",
        "'annotation'",
    ),
    "an unknown option of a variable": (
        "label:",
        "lable:",
        "'lable'; did you mean label",
    ),
    "an unknown option of an annotation": ("icon_color", "color", "unknown option"),
    "a dashboard without variables": ("[datasource]", "[]", "'small' has no templates"),
    "PromQL in the dashboard itself": ("[alerts]", "[{alerts: {}}]", "is no name of"),
    "an annotation with an unknown metric": ("expr: ALERTS", "expr: ALRTS", "ALRTS"),
    "an annotation that is no PromQL": ("expr: ALERTS", "expr: ALERTS)", "no PromQL"),
}


@pytest.mark.parametrize("mistake", MISTAKES_AROUND)
def test_a_mistake_around_the_panels_stops_the_build(
    tmp_path: Path, mistake: str
) -> None:
    old, new, said = MISTAKES_AROUND[mistake]

    assert said in fail(tmp_path, rest=replaced(REST, old, new))


def test_what_nothing_uses_stops_the_build(tmp_path: Path) -> None:
    message = fail(tmp_path, rows=ROWS + ROWS.replace("small-now", "small-then"))

    assert "rows.yaml: nothing uses 'small-then' (rows)" in message


def test_an_empty_folder_stops_the_build(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="there are no dashboards"):
        build(tmp_path)


def test_a_project_without_dashboards_stops_the_build(tmp_path: Path) -> None:
    message = fail(
        tmp_path, rows="[]", rest="[{name: small, project: {dashboards: []}}]"
    )

    assert "there are no dashboards" in message


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("title: Load,", "title: Load, clour: red,", "unknown property 'clour'"),
        ("title: Load,", "", "title"),
        ("title: Load,", "title: Load, cell: neon,", "unknown cell 'neon'"),
        ("join: broker", "jion: broker", "join"),
        ("heroku_kafka_load_avg_5m", "heroku_kafka_load", "unknown metric"),
    ],
)
def test_a_mistake_in_a_table_stops_the_build(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    rows = ROWS.replace(STAT, replaced(TABLE, old, new))

    message = fail(tmp_path, rows=rows)

    assert said in message
    assert "panel 'Brokers'" in message


def test_a_panel_more_leaves_the_others_as_they_are(tmp_path: Path) -> None:
    before = build(define(tmp_path))["small.json"]
    more = STAT.replace("id: 11", "id: 12").replace("title: Load", "title: More")
    after = build(define(tmp_path, rows=ROWS + more))["small.json"]

    found = list(difflib.ndiff(before.splitlines(), after.splitlines()))
    assert [line for line in found if line.startswith("- ")] == []
    panels = json.loads(after)["panels"]
    assert panels[:-1] == json.loads(before)["panels"]
    assert sum(line.startswith("+ ") for line in found) <= len(
        json.dumps(panels[-1], indent=2).splitlines()
    )


def test_another_threshold_is_one_line_of_difference(tmp_path: Path) -> None:
    before = build(define(tmp_path))["small.json"]
    rows = replaced(ROWS, "load.critical", "load.warning")
    after = build(define(tmp_path, rows=rows))["small.json"]

    found = difflib.ndiff(before.splitlines(), after.splitlines())
    assert sum(line.startswith("+ ") for line in found) == 1


def test_the_steps_are_told_by_panel_and_number(tmp_path: Path) -> None:
    texts = build(define(tmp_path))

    assert texts["threshold_steps.yaml"].endswith(
        "small:\n  11:\n    1: load.critical\n"
    )


def test_what_builds_them_is_pinned_by_hash_and_names_no_registry() -> None:
    text = (FOLDER / "requirements.txt").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]

    assert "://" not in text
    assert len(lines) == 4
    for requirement, digest in zip(lines[::2], lines[1::2], strict=True):
        assert re.fullmatch(r"[\w-]+==[\w.!]+ \\", requirement)
        assert re.fullmatch(r" +--hash=sha256:[0-9a-f]{64}", digest)
