"""The files that hold credentials and plans; a reload reads them again.

No message repeats anything of a credentials file: any word of it may be a password.
"""

from pathlib import Path
from typing import NamedTuple

from agent.errors import SettingsError
from agent.kafka.plans import PLANS, maybe_find_plan
from agent.marked_yaml import Marked, MarkedYamlError, read_marked
from agent.settings import Credentials

_LISTS = ("write", "read")
_KEYS = frozenset({"user", "password", "addons"})


class CredentialLists(NamedTuple):
    """Contents of a credentials file.

    Attributes:
        write: Accepted on the drain routes.
        read: Accepted on the reading routes.
    """

    write: tuple[Credentials, ...] = ()
    read: tuple[Credentials, ...] = ()


def parse_credentials(text: str) -> Credentials:
    """Split ``user:password`` at the first colon; a bare token is a user.

    Args:
        text: As given by option or environment variable.

    Returns:
        The credentials.

    Raises:
        SettingsError: There is no user. The message does not repeat `text`.
    """
    user, _, password = text.partition(":")
    if not user:
        raise SettingsError("credentials must be written user:password")
    return Credentials(user, password)


def read_credentials(path: Path) -> CredentialLists:
    """Read ``--credentials-file``.

    Args:
        path: YAML: lists ``write`` and ``read`` of mappings with ``user``, ``password``
            and ``addons``; the last two are optional.

    Returns:
        The credentials.

    Raises:
        SettingsError: One sentence for each problem, with its line.
    """
    where = f"--credentials-file: {path}"
    tree = _read_mapping(path, where, "invalid YAML")
    problems = [
        f"{where}:{line}: unknown key; expected write and read"
        for key, line in tree.lines.items()
        if key not in _LISTS
    ]
    found: dict[str, list[Credentials]] = {name: [] for name in _LISTS}
    for name in _LISTS:
        entries = tree.get(name) or []
        line = tree.lines.get(name, tree.line)
        if not isinstance(entries, list):
            problems.append(f"{where}:{line}: {name} must be a list")
            continue
        for entry in entries:
            try:
                found[name].append(_parse_entry(entry))
            except ValueError as error:
                problems.append(f"{where}:{getattr(entry, 'line', line)}: {error}")
    if problems:
        raise SettingsError(*problems)
    return CredentialLists(tuple(found["write"]), tuple(found["read"]))


def _parse_entry(entry: object) -> Credentials:
    if not isinstance(entry, Marked) or not entry.keys() <= _KEYS:
        raise ValueError("expected a mapping with user, password and addons")
    user, password = entry.get("user"), entry.get("password", "")
    if not isinstance(user, str) or not user or ":" in user:
        raise ValueError("user must be text without a colon")
    if not isinstance(password, str):
        raise ValueError("password must be text")  # noqa: TRY004 (what the user wrote)
    if "addons" not in entry:
        return Credentials(user, password)
    addons = entry["addons"]
    if not isinstance(addons, list) or not addons:
        raise ValueError("addons must be a list of at least one add-on")
    if not all(isinstance(one, str) and one for one in addons):
        raise ValueError("addons must hold names of add-ons")
    return Credentials(user, password, frozenset(addons))


def read_plans(path: Path) -> dict[str, str]:
    """Read ``--plans-file``.

    Args:
        path: YAML: a mapping of add-ons to plans, ``kafka-animated-39618: standard-0``.

    Returns:
        Names of plans by add-on.

    Raises:
        SettingsError: One sentence for each problem, with its line.
    """
    where = f"--plans-file: {path}"
    tree = _read_mapping(path, where)
    problems: list[str] = []
    plans: dict[str, str] = {}
    for addon, name in tree.items():
        plan = maybe_find_plan(name) if isinstance(name, str) else None
        if plan is None or not addon:
            line = tree.lines.get(addon, tree.line)
            known = ", ".join(PLANS)
            problems.append(f"{where}:{line}: expected ADDON: PLAN; plans are {known}")
        else:
            plans[str(addon)] = plan.name
    if problems:
        raise SettingsError(*problems)
    return plans


def _read_mapping(path: Path, where: str, reason: str | None = None) -> Marked:
    """Read a YAML file that holds a mapping.

    Args:
        path: The file.
        where: How a message names it.
        reason: Replaces the parser's own, which repeats words of the file.

    Raises:
        SettingsError: It cannot be read, or holds something else.
    """
    problem = f"{where}: expected a mapping"
    try:
        tree = read_marked(path.read_text("utf-8"), as_text=True)
        if isinstance(tree, Marked):
            return tree
    except OSError as error:
        problem = f"{where}: {error.strerror}"
    except UnicodeDecodeError:
        problem = f"{where}: not UTF-8 text"
    except MarkedYamlError as error:
        line = "" if error.line is None else f":{error.line}"
        problem = f"{where}{line}: {reason or error}"
    raise SettingsError(problem)
