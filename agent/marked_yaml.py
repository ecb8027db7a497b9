"""YAML that remembers its lines, and refuses a key that is written twice.

A parser that takes the last of two equal keys hides one of them. Go's, which Prometheus
and Alertmanager read with, refuses such a file, so ours does.
"""

from typing import Any

import yaml

_DEEPEST = 50
"""No file of ours, or for Prometheus, is nested as deeply; Python's stack would end."""


class Marked(dict[Any, Any]):
    """A mapping that knows where it stands.

    Attributes:
        line: Where it begins, from 1.
        lines: Where each of its keys stands, from 1.
    """

    line: int
    lines: dict[Any, int]


class MarkedYamlError(ValueError):
    """Text that cannot be read; the message says why.

    Attributes:
        line: Where, from 1; None where that is not known.
    """

    def __init__(self, reason: str, line: int | None) -> None:
        super().__init__(reason)
        self.line = line


class _Loader(yaml.SafeLoader):
    """Makes `Marked` of mappings."""

    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Compose a node, unless it is nested too deeply."""
        self.depth += 1
        if self.depth > _DEEPEST:
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(
                problem="it is nested too deeply", problem_mark=mark
            )
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


class _TextLoader(_Loader):
    """Leaves every scalar as it is written, except for nothing and for ``<<``."""


_TextLoader.yaml_implicit_resolvers = {
    first: [pair for pair in pairs if pair[0].rpartition(":")[2] in {"null", "merge"}]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _construct_mapping(loader: yaml.SafeLoader, node: yaml.MappingNode) -> Marked:
    marked = Marked()
    marked.line = node.start_mark.line + 1
    marked.lines = {}
    for key_node, _value in node.value:
        if key_node.tag.endswith(":merge"):
            continue
        key = loader.construct_object(key_node, deep=True)
        line = key_node.start_mark.line + 1
        if not isinstance(key, str | int | float | None):
            raise yaml.MarkedYAMLError(
                problem="a key must be a word", problem_mark=key_node.start_mark
            )
        if key in marked.lines:
            raise yaml.MarkedYAMLError(
                problem=f"{key} stands in line {marked.lines[key]} already",
                problem_mark=key_node.start_mark,
            )
        marked.lines[key] = line
    marked.update(loader.construct_mapping(node, deep=True))
    return marked


_Loader.add_constructor("tag:yaml.org,2002:map", _construct_mapping)
_TextLoader.add_constructor("tag:yaml.org,2002:map", _construct_mapping)


def read_marked(text: str, *, as_text: bool = False) -> Any:
    """Read one document.

    Args:
        text: YAML.
        as_text: Leave numbers, dates and ``yes`` as they are written, as Go does where
            it wants a text.

    Returns:
        What it holds; mappings are `Marked`.

    Raises:
        MarkedYamlError: It is no YAML, holds a key twice, or is nested too deeply.
    """
    loader = _TextLoader if as_text else _Loader
    try:
        return yaml.load(text, loader)  # noqa: S506 (both are safe loaders)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = error.problem or error.context or "it cannot be read"
        line = None if mark is None else mark.line + 1
        raise MarkedYamlError(reason, line) from None
    except (yaml.YAMLError, ValueError) as error:
        # A date like 2026-99-99 ends in a ValueError.
        raise MarkedYamlError(" ".join(str(error).split()), None) from None
