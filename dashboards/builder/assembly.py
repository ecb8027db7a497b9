"""From the folder of definitions to the files."""

import json
import re
from pathlib import Path
from typing import Any

import yaml

from dashboards.builder import kinds, shell, tables
from dashboards.builder.catalogue import check_names
from dashboards.builder.definitions import load_projects
from dashboards.builder.errors import BuildError, place
from dashboards.builder.sdk import Tree

COMPONENTS = (kinds, shell, tables)
"""Loaded so that grafana-dashboard-builder finds their classes."""

STEPS = "threshold_steps.yaml"
_STEPS_HEAD = """\
# Generated with the dashboards: which step of a panel is which threshold, by uid, panel
# and step. `heroku-kafka-agent dashboards` puts the user's own numbers there.
"""
_LABEL_VALUES = re.compile(r"label_values\((?P<selector>.+),\s*\w+\)")


def build(folder: Path) -> dict[str, str]:
    """Build the dashboards.

    Args:
        folder: The definitions.

    Returns:
        Texts by the names of their files: a JSON for each dashboard, and which step is
        which threshold.

    Raises:
        BuildError: A definition is not understood; it says where.
    """
    projects, places = load_projects(folder)
    built: dict[str, shell.Built] = {}
    for project in projects:
        project.registry.place_of = lambda kind, name: places.get(
            (kind.__name__.lower(), name), name
        )
        for dashboard in project.get_dashboards():
            with place(places["dashboard", dashboard.name]):
                for context in project.get_contexts():
                    built[dashboard.name] = dashboard.gen_json(context)
                check_dashboard(built[dashboard.name].tree)
    if not built:
        message = "there are no dashboards"
        raise BuildError(message)
    texts = {f"{name}.json": render(one.tree) for name, one in built.items()}
    texts[STEPS] = _STEPS_HEAD + yaml.safe_dump(
        {name: one.names for name, one in built.items() if one.names}
    )
    return dict(sorted(texts.items()))


def render(tree: Tree) -> str:
    """Write a dashboard so that a small change is a small difference."""
    return f"{json.dumps(tree, indent=2, sort_keys=True)}\n"


def check_dashboard(tree: Tree) -> None:
    """Check that the agent exports what a dashboard asks for.

    Raises:
        BuildError: It does not, or a query is no PromQL.
    """
    for variable in tree["templating"]["list"]:
        if variable["type"] == "query":
            with place(f"variable {variable['name']!r}"):
                match = _LABEL_VALUES.fullmatch(variable["query"]["query"])
                if match is None:
                    message = "only label_values(selector, label) is known"
                    raise BuildError(message)
                check_names(match["selector"])
    for annotation in tree["annotations"]["list"]:
        with place(f"annotation {annotation['name']!r}"):
            check_names(annotation["expr"])
    for panel in tree["panels"]:
        for one in (panel, *panel.get("panels", ())):
            with place(f"panel {one['title']!r}"):
                _check_queries(one)


def _check_queries(panel: Any) -> None:
    for target in panel.get("targets", ()):
        check_names(target["expr"])


def write(definitions: Path, out: Path) -> list[str]:
    """Build the dashboards and write the files that have changed.

    Args:
        definitions: The folder with the definitions.
        out: Where the files go; dashboards that are no longer defined are removed.

    Returns:
        The names of all files.

    Raises:
        BuildError: Nothing is written then.
    """
    texts = build(definitions)
    for name, text in texts.items():
        (out / name).write_text(text, encoding="utf-8")
    for old in out.glob("*.json"):
        if old.name not in texts:
            old.unlink()
    return list(texts)
