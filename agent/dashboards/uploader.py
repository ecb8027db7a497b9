"""Dashboards into a Grafana: what is there, what differs, what was done."""

import hashlib
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from agent.dashboards.client import Grafana, GrafanaError
from agent.dashboards.files import Dashboard, Tree
from agent.dashboards.uids import LONGEST_UID, UID

_GENERAL = "general"
"""Grafana's root, which is no folder of its own."""

_PAGE = 1000
_MOST_PAGES = 20
_GRAFANAS_OWN = ("id", "version")
"""What Grafana writes into a dashboard for itself."""

_READ = "dashboards:read"
_WRITE = "dashboards:create and dashboards:write, in the folder (role Editor)"
_READ_FOLDERS = "folders:read"
_CREATE_FOLDERS = "folders:create (role Editor)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How to upload.

    Attributes:
        folder: Title or uid of a folder of Grafana's; None leaves each dashboard where
            it is, and a new one in the root.
        overwrite: Replace dashboards that differ.
        dry_run: Look only.
        message: For the dashboards' history.
    """

    folder: str | None = None
    overwrite: bool = False
    dry_run: bool = False
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of one thing.

    Attributes:
        name: Uid of a dashboard, or the folder.
        did: ``created``, ``updated``, ``unchanged``, ``would create`` or ``would
            update``; empty where it failed.
        url: Where people find it; empty where it failed.
        problem: Why it failed.
    """

    name: str
    did: str = ""
    url: str = ""
    problem: str = ""


async def upload(
    grafana: Grafana, dashboards: Sequence[Dashboard], plan: Plan
) -> AsyncIterator[Result]:
    """Upload dashboards, one after the other.

    A dashboard that fails does not stop the others, except where no other can succeed:
    nobody answers, or the credentials are wrong.

    Args:
        grafana: An open client.
        dashboards: The dashboards.
        plan: How.

    Yields:
        What became of the folder, where it had to be created, and of each dashboard, as
        soon as it is known.
    """
    folder: str | None = None
    if plan.folder is not None:
        try:
            folder, created = await _provide_folder(grafana, plan.folder, plan)
        except GrafanaError as error:
            yield Result(name=f"folder {plan.folder}", problem=str(error))
            return
        if created is not None:
            yield created
    for number, dashboard in enumerate(dashboards, start=1):
        try:
            yield await _upload_one(grafana, dashboard, folder, plan)
        except GrafanaError as error:
            left = len(dashboards) - number
            ends = error.is_final and left
            more = f"; {left} more were not tried" if ends else ""
            yield Result(name=dashboard.uid, problem=f"{error}{more}")
            if ends:
                return


async def _upload_one(
    grafana: Grafana, dashboard: Dashboard, folder: str | None, plan: Plan
) -> Result:
    """Upload one dashboard into a folder; None is where it is."""
    found = await grafana.find(f"/api/dashboards/uid/{dashboard.uid}", _READ)
    did = ("created", "would create")
    if found is not None:
        theirs, their_folder = _open(found)
        # Without a folder Grafana would move it into the root.
        folder = their_folder if folder is None else folder
        if folder == their_folder and is_same(theirs, dashboard.tree):
            return _result(grafana, dashboard, "unchanged")
        if not plan.overwrite:
            # Grafana itself compares version numbers, and not in all of its releases.
            message = "another one is there: --overwrite replaces it"
            raise GrafanaError(message)
        did = ("updated", "would update")
    if not plan.dry_run:
        await _save(grafana, dashboard, folder or "", plan)
    return _result(grafana, dashboard, did[plan.dry_run])


def _result(grafana: Grafana, dashboard: Dashboard, did: str) -> Result:
    url = f"{grafana.address}/d/{dashboard.uid}"
    return Result(name=dashboard.uid, did=did, url=url)


async def _save(
    grafana: Grafana, dashboard: Dashboard, folder_uid: str, plan: Plan
) -> None:
    tree = {key: one for key, one in dashboard.tree.items() if key not in _GRAFANAS_OWN}
    body = {
        # With an id Grafana would look for the dashboard of that number.
        "dashboard": {"id": None, **tree},
        "folderUid": folder_uid,
        "message": plan.message,
        "overwrite": plan.overwrite,
    }
    try:
        answer = await grafana.post("/api/dashboards/db", body, _WRITE)
    except GrafanaError as error:
        if not plan.overwrite and error.is_conflict:
            message = f"{error}; --overwrite replaces it"
            raise GrafanaError(message) from None
        raise
    if not isinstance(answer, dict) or answer.get("uid") != dashboard.uid:
        message = "the answer does not name the dashboard: no Grafana there?"
        raise GrafanaError(message)


def _open(found: object) -> tuple[Tree, str]:
    """Take dashboard and folder out of what Grafana answered."""
    if isinstance(found, dict):
        theirs, meta = found.get("dashboard"), found.get("meta")
        if isinstance(theirs, dict) and isinstance(meta, dict):
            folder = meta.get("folderUid")
            return theirs, folder if isinstance(folder, str) else ""
    message = "the answer holds no dashboard: no Grafana there?"
    raise GrafanaError(message)


def is_same(theirs: Tree, ours: Tree) -> bool:
    """Say whether Grafana has what would be uploaded.

    A newer Grafana brings a dashboard up to its own schema and adds to it: then only
    what we say is compared.
    """
    theirs, ours = (
        {key: one for key, one in tree.items() if key not in _GRAFANAS_OWN}
        for tree in (theirs, ours)
    )
    if _schema(theirs) > _schema(ours):
        ours["schemaVersion"] = theirs["schemaVersion"]
        return _holds(theirs, ours)
    return theirs == ours


def _schema(tree: Tree) -> int:
    version = tree.get("schemaVersion")
    return version if isinstance(version, int) else 0


def _holds(theirs: Any, ours: Any) -> bool:
    """Say whether everything of ours is in theirs; lists must be as long."""
    if isinstance(ours, dict):
        return isinstance(theirs, dict) and all(
            key in theirs and _holds(theirs[key], one) for key, one in ours.items()
        )
    if isinstance(ours, list):
        return (
            isinstance(theirs, list)
            and len(theirs) == len(ours)
            and all(map(_holds, theirs, ours))
        )
    return bool(theirs == ours)


async def _provide_folder(
    grafana: Grafana, name: str, plan: Plan
) -> tuple[str, Result | None]:
    """Find a folder or create it.

    Returns:
        Its uid, empty for the root; and what was done, if anything.
    """
    if name.casefold() == _GENERAL:
        return "", None
    found = await _maybe_find_folder(grafana, name)
    if found is not None:
        return found, None
    uid = folder_uid_of(name)
    if not plan.dry_run:
        body = {"uid": uid, "title": name}
        answer = await grafana.post("/api/folders", body, _CREATE_FOLDERS)
        if not isinstance(answer, dict) or answer.get("uid") != uid:
            message = "the answer does not name the folder: no Grafana there?"
            raise GrafanaError(message)
    return uid, Result(
        name=f"folder {name}",
        did="would create" if plan.dry_run else "created",
        url=f"{grafana.address}/dashboards/f/{uid}",
    )


async def _maybe_find_folder(grafana: Grafana, name: str) -> str | None:
    """Find a folder by its uid, or one in the root by its title."""
    present = await _list_folders(grafana)
    if name in present:
        return name
    for uid, title in present.items():
        if title == name or uid == folder_uid_of(name):
            return uid
    if folder_uid_of(name) != name:
        return None
    # Lower folders are not in the list.
    path = f"/api/folders/{name}"
    found = await grafana.find(path, _READ_FOLDERS, is_hidden=True)
    return None if found is None else name


async def _list_folders(grafana: Grafana) -> dict[str, str]:
    """List the folders in the root: titles by uid."""
    present: dict[str, str] = {}
    for page in range(1, _MOST_PAGES + 1):
        path = f"/api/folders?limit={_PAGE}&page={page}"
        found = await grafana.find(path, _READ_FOLDERS)
        if not isinstance(found, list):
            message = "the answer holds no folders: no Grafana there?"
            raise GrafanaError(message)
        for one in found:
            uid = one.get("uid") if isinstance(one, dict) else None
            # It becomes part of an address.
            if isinstance(uid, str) and UID.fullmatch(uid):
                present[uid] = str(one.get("title"))
        if len(found) < _PAGE:
            break
    return present


def folder_uid_of(name: str) -> str:
    """Derive a folder's uid from its title, the same each time.

    Args:
        name: Title; or a uid, which stays as it is.

    Returns:
        40 characters at most, of those that Grafana allows.
    """
    if UID.fullmatch(name) and len(name) <= LONGEST_UID:
        return name
    # Different titles may have the same letters: 'Kafka!' and 'Kafka?'.
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    return f"{slug[: LONGEST_UID - 1 - len(digest)]}-{digest}".lstrip("-")
