"""Another uid for each dashboard, and for every link that names one.

Two sets of the dashboards can so live in one Grafana.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any

from agent.dashboards.files import Dashboard, Tree, change_dashboard, walk_panels
from agent.errors import SettingsError

LONGEST_UID = 40
"""Grafana's limit, for dashboards and folders alike (its HTTP API's documentation)."""

UID = re.compile(r"[a-zA-Z0-9_-]+")


def prefix_uids(dashboards: Sequence[Dashboard], prefix: str) -> list[Dashboard]:
    """Put a prefix before each uid, wherever one of them is named.

    A tag by which the dashboards link to each other gets it too: such a link would
    otherwise list both sets.

    Args:
        dashboards: All of them, since they link to each other.
        prefix: Letters, digits, ``-`` and ``_``; empty changes nothing.

    Raises:
        SettingsError: Grafana would refuse a uid.
    """
    if not prefix:
        return list(dashboards)
    if not UID.fullmatch(prefix):
        message = (
            "--uid-prefix may hold letters, digits, '-' and '_' alone, as Grafana's "
            "uids do"
        )
        raise SettingsError(message)
    longest = max((one.uid for one in dashboards), key=len)
    if len(prefix) + len(longest) > LONGEST_UID:
        message = (
            f"--uid-prefix may have {LONGEST_UID - len(longest)} characters at most: "
            f"{longest} has {len(longest)}, and Grafana allows {LONGEST_UID}"
        )
        raise SettingsError(message)
    rename = _renamer({one.uid for one in dashboards}, prefix)
    tags = {tag for one in dashboards for tag in _link_tags(one.tree)}

    def change(tree: Tree) -> None:
        tree["uid"] = f"{prefix}{tree['uid']}"
        tree.update(
            {key: rename(part) for key, part in tree.items() if key not in _KEPT}
        )
        for holder in (tree, *_tagged_links(tree)):
            if "tags" in holder:
                holder["tags"] = [
                    f"{prefix}{tag}" if tag in tags else tag for tag in holder["tags"]
                ]

    return [change_dashboard(one, change) for one in dashboards]


_KEPT = ("uid", "title", "tags")
"""What is no place for a link: changed on its own, or not at all."""


def _renamer(uids: set[str], prefix: str) -> Callable[[Any], Any]:
    """Make a function that renames the dashboards of all addresses in a tree."""
    # A longer uid that begins alike is another dashboard, so is a longer word.
    names = "|".join(map(re.escape, uids))
    address = re.compile(rf"(?<![\w-])d/(?=(?:{names})(?![\w-]))")

    def rename(part: Any) -> Any:
        if isinstance(part, str):
            return address.sub(f"d/{prefix}", part)
        if isinstance(part, list):
            return [rename(one) for one in part]
        if isinstance(part, dict):
            return {
                key: f"{prefix}{one}"
                if key == "dashboardUid" and one in uids
                else rename(one)
                for key, one in part.items()
            }
        return part

    return rename


def _link_tags(tree: Tree) -> set[str]:
    return {tag for link in _tagged_links(tree) for tag in link.get("tags", ())}


def _tagged_links(tree: Tree) -> list[Tree]:
    """Find what lists dashboards by their tags: links, and panels of that kind."""
    links = [one for one in tree.get("links", ()) if one.get("type") == "dashboards"]
    lists = [
        one.get("options", {})
        for one in walk_panels(tree)
        if one.get("type") == "dashlist"
    ]
    return links + lists
