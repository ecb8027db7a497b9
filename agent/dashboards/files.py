"""The packaged dashboards: JSON of Grafana's classic format, one file for each."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from importlib.resources.abc import Traversable
from typing import Any

from agent.errors import AgentError

SUFFIX = ".json"

Tree = dict[str, Any]
"""A dashboard, or a part of one, as JSON has it."""


class DashboardsError(AgentError):
    """The files cannot be read or written; one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """One dashboard.

    Attributes:
        uid: What Grafana knows it by; also the stem of its file's name.
        title: What people know it by.
        content: The file, byte for byte.
    """

    uid: str
    title: str
    content: bytes = field(repr=False)

    @property
    def tree(self) -> Tree:
        """The content as a fresh tree, which the caller may change."""
        tree: Tree = json.loads(self.content)
        return tree

    @property
    def file_name(self) -> str:
        """What its file is called."""
        return f"{self.uid}{SUFFIX}"


def parse_dashboard(content: bytes) -> Dashboard:
    """Read one dashboard.

    Args:
        content: JSON of Grafana's classic format.

    Raises:
        ValueError: It is no JSON, or no dashboard with uid and title.
    """
    tree = json.loads(content)
    if not isinstance(tree, dict) or not isinstance(tree.get("panels"), list):
        message = "there is no list of panels"
        raise ValueError(message)  # noqa: TRY004 (what a file holds, no caller's type)
    uid, title = tree.get("uid"), tree.get("title")
    if not (isinstance(uid, str) and uid and isinstance(title, str) and title):
        message = "there is no uid or no title"
        raise ValueError(message)
    return Dashboard(uid=uid, title=title, content=content)


def read_dashboards(folder: Traversable) -> list[Dashboard]:
    """Read all dashboards of a folder, in the order of their files' names.

    Args:
        folder: Files that end in ``.json`` are dashboards; everything else is not.

    Raises:
        DashboardsError: There are none, or one of them is no dashboard.
    """
    found = []
    for file in sorted(folder.iterdir(), key=lambda one: one.name):
        if not file.name.endswith(SUFFIX):
            continue
        try:
            found.append(parse_dashboard(file.read_bytes()))
        except (ValueError, OSError) as error:
            message = f"{file.name} is no dashboard: {error}"
            raise DashboardsError(message) from None
    if not found:
        message = "no dashboards come with this installation; install the agent again"
        raise DashboardsError(message)
    return found


def change_dashboard(dashboard: Dashboard, change: Callable[[Tree], None]) -> Dashboard:
    """Change a dashboard's tree; what stays as it was keeps its very bytes.

    Args:
        dashboard: The one to change.
        change: Changes the tree that it is given.
    """
    tree = dashboard.tree
    change(tree)
    if tree == dashboard.tree:
        return dashboard
    return replace(
        dashboard, uid=tree["uid"], title=tree["title"], content=_render(tree)
    )


def walk_panels(tree: Tree) -> Iterator[Tree]:
    """Yield the panels, rows and what is folded into them included."""
    for panel in tree["panels"]:
        yield panel
        yield from panel.get("panels", ())


def count_panels(dashboard: Dashboard) -> int:
    """Count the panels; rows are none."""
    return sum(panel.get("type") != "row" for panel in walk_panels(dashboard.tree))


def _render(tree: Tree) -> bytes:
    """Write a tree as the committed files are written, so that few lines differ."""
    return f"{json.dumps(tree, indent=2)}\n".encode()
