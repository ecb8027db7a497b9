"""Reads the definitions, strictly: grafana-dashboard-builder passes over much in silence.

It skips components without a name or of an unknown type, takes the last of two equal
keys, and lets YAML create any Python object. So all is looked at here first.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from dashboards.builder import gdb
from dashboards.builder.errors import BuildError, place

KINDS = ("project", "dashboard", "rows", "templates", "annotations")
"""What a file may define."""

Places = Mapping[tuple[str, str], str]
"""File by kind and name of a component."""


class _Loader(yaml.SafeLoader):
    """Refuses mappings that say something twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> Any:  # noqa: FBT001, FBT002 (PyYAML's signature)
        keys = [self.construct_object(key, deep=deep) for key, _ in node.value]
        twice = {key for key in keys if keys.count(key) > 1}
        if twice:
            line = node.start_mark.line + 1
            message = f"{twice.pop()!r} is there twice, from line {line} on"
            raise BuildError(message)
        return super().construct_mapping(node, deep=deep)


def load_projects(folder: Path) -> tuple[list[Any], Places]:
    """Load the projects of a folder, with all that they are made of.

    Args:
        folder: YAML files.

    Returns:
        grafana-dashboard-builder's projects, and where each component stands.

    Raises:
        BuildError: A file is not understood, or nothing uses what it defines.
    """
    files = sorted(folder.glob("*.yaml"))
    places: dict[tuple[str, str], str] = {}
    used: set[tuple[str, str]] = set()
    for file in files:
        with place(file.name):
            for kind, component in _read(file):
                places[kind, component["name"]] = file.name
                used.update(_find_used(kind, component))
    for kind, name in sorted(used - places.keys()):
        message = f"there is no {name!r} ({kind})"
        raise BuildError(message)
    for kind, name in sorted(places.keys() - used):
        message = f"{places[kind, name]}: nothing uses {name!r} ({kind})"
        raise BuildError(message)
    with place("definitions"):
        projects = list(gdb.DefinitionParser().load_projects(files))
    return projects, places


def _read(file: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield a file's components and their kinds."""
    with file.open(encoding="utf-8") as stream:
        documents = list(yaml.load_all(stream, Loader=_Loader))
    for component in (one for document in documents for one in document or ()):
        kinds = [key for key in component if key != "name"]
        if not component.get("name") or len(kinds) != 1:
            message = f"a component has a name and one kind, not {', '.join(component)}"
            raise BuildError(message)
        if kinds[0] not in KINDS:
            message = f"{component['name']!r}: unknown kind {kinds[0]!r}"
            raise BuildError(message)
        if not component[kinds[0]]:
            message = f"{component['name']!r} is empty"
            raise BuildError(message)
        yield kinds[0], component


def _find_used(kind: str, component: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what a component uses; projects are used by the build."""
    if kind == "project":
        yield kind, component["name"]
        for name in component[kind].get("dashboards") or ():
            yield "dashboard", name
    elif kind == "dashboard":
        for part in ("rows", "templates", "annotations"):
            names = component[kind].get(part)
            if not names:
                message = f"{component['name']!r} has no {part}"
                raise BuildError(message)
            for name in names:
                # By bare names only: gdb would put its own meaning into the braces of
                # PromQL that stands in a dashboard itself.
                if not isinstance(name, str):
                    message = f"{component['name']!r}: {name!r} is no name of {part}"
                    raise BuildError(message)
                yield part, name
