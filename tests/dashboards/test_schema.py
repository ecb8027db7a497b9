"""Each panel is held against the types that Grafana publishes, by the TypeScript compiler.

Grafana's package describes the newest Grafana; what is valid there and written with a
schema of Grafana 11 is read by all between.
"""

import copy
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dashboards.preview.bundle import PACKAGES
from tests.dashboards.packaged import NAMES, Tree, load, panels
from tests.serving import find_program

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

TYPES = "./node_modules/@grafana/schema/dist/types"
FOLDERS = {
    "gauge": "gauge",
    "stat": "stat",
    "state-timeline": "statetimeline",
    "table": "table",
    "text": "text",
    "timeseries": "timeseries",
}
"""Where the package describes the options of a kind of panel."""
UNDESCRIBED = {"alertlist": "the package has no types of its options"}
# Grafana reads them, its package does not name them: what an annotation is drawn with,
# and the older place of its query.
ANNOTATION_EXTRAS = ("expr", "step", "tagKeys", "textFormat", "titleFormat")
# The package leaves queries to their data source; its type for them is closed and empty.
QUERY_EXTRAS = ("editorMode", "expr", "format", "instant", "legendFormat", "range")

HEAD = f"""\
import type {{ AnnotationQuery, Dashboard, FieldConfig, Panel, RowPanel, VariableModel }}
  from "{TYPES}/index";
// Parts of Grafana's types, with the texts of their enumerations, as JSON has them.
type Plain<T> =
  T extends string ? T | `${{T}}` :
  T extends number | boolean | null | undefined ? T :
  T extends Array<infer U> ? Array<Plain<U>> :
  T extends object ? {{ [K in keyof T]?: Plain<T[K]> }} : T;
"""


def compile_all(folder: Path, files: dict[str, str]) -> dict[str, str]:
    """Compile files in one run; return the compiler's messages for each."""
    for name, text in files.items():
        (folder / f"{name}.ts").write_text(text, encoding="utf-8")
    ended = subprocess.run(
        [
            find_program("node"),
            "node_modules/typescript/bin/tsc",
            *("--noEmit", "--strict", "--skipLibCheck"),
            *("--module", "esnext", "--moduleResolution", "bundler"),
            *("--target", "es2022"),
            *(f"{name}.ts" for name in files),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    messages = dict.fromkeys(files, "")
    for error in re.split(r"\n(?=\S)", ended.stdout + ended.stderr):
        if error:
            messages[error.partition(".ts(")[0]] += error + "\n"
    return messages


def describe(tree: Tree) -> str:
    """Write a dashboard as TypeScript: each part with the type that it must have."""
    parts = [HEAD]
    for folder in FOLDERS.values():
        path = f"{TYPES}/raw/composable/{folder}/panelcfg/x/types.gen"
        parts.append(f'import type * as {folder} from "{path}";\n')
    for number, (kind, part) in enumerate(split(tree)):
        value = json.dumps(part, indent=1, ensure_ascii=False)
        parts.append(f"const part{number}: Plain<{kind}> = {value};\n")
    return "".join(parts)


def split(tree: Tree) -> Iterator[tuple[str, Any]]:
    """Yield the parts of a dashboard and the names of their types."""
    above = ("annotations", "panels", "templating")
    yield "Dashboard", without(tree, *above)
    for one in tree["annotations"]["list"]:
        yield (
            "AnnotationQuery",
            {
                **without(one, *ANNOTATION_EXTRAS, "target"),
                "target": without(one["target"], "expr", "interval"),
            },
        )
    for one in tree["templating"]["list"]:
        yield "VariableModel", one
    for one in tree["panels"]:
        if one["type"] == "row":
            yield "RowPanel", without(one, "panels")
    for panel in panels(tree):
        yield from split_panel(panel)


def split_panel(panel: Tree) -> Iterator[tuple[str, Any]]:
    config = panel["fieldConfig"]
    defaults = config.get("defaults", {})
    targets = [without(one, *QUERY_EXTRAS) for one in panel.get("targets", ())]
    plain = without(panel, "options", "fieldConfig")
    yield "Panel", {**plain, "targets": targets}
    yield "FieldConfig", without(defaults, "custom")
    for name, value in find_override_properties(config):
        yield "FieldConfig", {name: value}
    if panel["type"] in UNDESCRIBED:
        return
    kind = FOLDERS[panel["type"]]
    yield f"{kind}.Options", panel.get("options", {})
    custom = [("custom", defaults["custom"])] if "custom" in defaults else []
    custom += [
        ("custom", {name: value})
        for name, value in find_override_properties(config, "custom.")
    ]
    for _, value in custom:
        yield f"{kind}.FieldConfig", value


def find_override_properties(
    config: Tree, prefix: str = ""
) -> Iterator[tuple[str, Any]]:
    for override in config.get("overrides", ()):
        for one in override["properties"]:
            name = one["id"].removeprefix(prefix)
            if name.startswith("custom.") or (prefix and name == one["id"]):
                continue
            yield name, one["value"]


def without(tree: Tree, *names: str) -> Tree:
    return {name: value for name, value in tree.items() if name not in names}


def plant(path: str, value: object) -> Tree:
    """Change one place of a chart of a dashboard."""
    tree = copy.deepcopy(load("heroku-kafka-overview"))
    *above, last = path.split(".")
    part = next(one for one in panels(tree) if one["type"] == "timeseries")
    for one in above:
        part = part[one]
    part[last] = value
    return tree


def plant_in_override(name: str, value: object) -> Tree:
    tree = copy.deepcopy(load("heroku-kafka-overview"))
    panel = next(one for one in panels(tree) if one["type"] == "table")
    panel["fieldConfig"]["overrides"].append(
        {
            "matcher": {"id": "byName", "options": "Load"},
            "properties": [{"id": name, "value": value}],
        }
    )
    return tree


PLANTED = [
    (plant("options.legend.displayMode", "tabel"), "tabel"),
    (plant("options.legend.dislayMode", "table"), "dislayMode"),
    (plant("fieldConfig.defaults.custom.fillOpacty", 8), "fillOpacty"),
    (plant("fieldConfig.defaults.unti", "short"), "unti"),
    (plant("fieldConfig.defaults.custom.showPoints", "nevr"), "nevr"),
    (plant("gridPos.w", "12"), "'number'"),
    (plant("titel", "Load"), "titel"),
    (plant_in_override("custom.widht", 80), "widht"),
]
"""Dashboards with one error each, and what the compiler must mention."""


@pytest.fixture(scope="module")
def messages(packages: Path) -> dict[str, str]:
    """Compile all of them in one run, which reads Grafana's types once."""
    files = {name: describe(load(name)) for name in NAMES}
    planted = {f"planted{n}": describe(tree) for n, (tree, _) in enumerate(PLANTED)}
    return compile_all(packages, files | planted)


@pytest.mark.parametrize("name", NAMES)
def test_grafanas_own_types_accept_each_part(
    messages: dict[str, str], name: str
) -> None:
    assert messages[name] == ""


@pytest.mark.parametrize("number", range(len(PLANTED)), ids=[one for _, one in PLANTED])
def test_a_planted_error_is_found(messages: dict[str, str], number: int) -> None:
    assert PLANTED[number][1] in messages[f"planted{number}"]


def test_the_lock_names_no_registry() -> None:
    assert "://" not in (PACKAGES / "package-lock.json").read_text(encoding="utf-8")
