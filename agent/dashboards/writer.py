"""The dashboards as files, for Grafana's provisioning."""

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from agent.dashboards.files import Dashboard, DashboardsError, parse_dashboard
from agent.errors import SettingsError

_LONGEST_NAME_BYTES = 255
_READABLE = 0o644


class FileChange(Enum):
    """What became of a file."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    content: bytes
    outcome: FileChange


def check_folder_name(name: str) -> None:
    """Check that a folder of Grafana can be a folder on disk.

    Raises:
        SettingsError: It cannot.
    """
    if (
        name in (".", "..")
        or any(mark in name for mark in "/\\")
        or len(name.encode()) > _LONGEST_NAME_BYTES
    ):
        message = f"--folder {name!r} cannot be the name of a folder below --out"
        raise SettingsError(message)


def write_dashboards(
    dashboards: Sequence[Dashboard], folder: Path
) -> list[tuple[Path, FileChange]]:
    """Write each dashboard into a file of its own, whole or not at all.

    A file that stands there already is replaced if it holds a dashboard of the same uid.

    Args:
        dashboards: The dashboards.
        folder: Where to; made where it is missing.

    Returns:
        The files, and what became of each.

    Raises:
        DashboardsError: A file there is something else, in which case nothing is
            written; or the system refuses.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        files = [_compare(one, folder / one.file_name) for one in dashboards]
        for file in files:
            if file.outcome is not FileChange.UNCHANGED:
                _write(file)
    except OSError as error:
        message = f"cannot write {error.filename or folder}: {error.strerror}"
        raise DashboardsError(message) from None
    return [(file.path, file.outcome) for file in files]


def _compare(dashboard: Dashboard, path: Path) -> _File:
    try:
        present = path.read_bytes()
    except FileNotFoundError:
        return _File(path, dashboard.content, FileChange.CREATED)
    if present == dashboard.content:
        return _File(path, dashboard.content, FileChange.UNCHANGED)
    try:
        uid = parse_dashboard(present).uid
    except ValueError:
        uid = None
    if uid != dashboard.uid:
        message = (
            f"{path} is not the dashboard {dashboard.uid}: move it away, or choose "
            "another --out; nothing was written"
        )
        raise DashboardsError(message)
    return _File(path, dashboard.content, FileChange.UPDATED)


def _write(file: _File) -> None:
    """Write beside the file and rename: Grafana may read at any moment."""
    handle, name = tempfile.mkstemp(prefix=f".{file.path.name}.", dir=file.path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(file.content)
        # Grafana's user must read it; a temporary file is its owner's alone.
        temporary.chmod(_READABLE)
        temporary.replace(file.path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
