"""Which clusters have changed since a client last asked."""

import re
import secrets
from collections.abc import Mapping
from typing import NamedTuple

_CURSOR = re.compile(r"([0-9a-f]{8})-([0-9]{1,15})-([0-9]{1,12})")


class Cursor(NamedTuple):
    """What a client has seen.

    Attributes:
        token: Of the `Revisions` that counted.
        revision: The newest revision that the answer held.
        step: Number of the newest step of a history in it, counted from the epoch.
    """

    token: str
    revision: int
    step: int

    def __str__(self) -> str:
        return f"{self.token}-{self.revision}-{self.step}"


def parse_cursor(text: str) -> Cursor:
    """Read what ``next`` of an answer was.

    Raises:
        ValueError: It is no cursor.
    """
    found = _CURSOR.fullmatch(text)
    if found is None:
        message = f"since={text!r} is not the value of next in an earlier response"
        raise ValueError(message)
    return Cursor(found[1], int(found[2]), int(found[3]))


class Revisions:
    """Numbers the states of the clusters, by comparing each with the one before.

    Attributes:
        token: Distinguishes its cursors from those of other scopes and processes.
        current: Number of the newest state.
    """

    def __init__(self) -> None:
        self.token = secrets.token_hex(4)
        self.current = 0
        self._oldest = 0  # before it, a cluster was there that is not any more
        self._seen: dict[str, tuple[int, object]] = {}

    def update(self, states: Mapping[str, object]) -> int:
        """Compare all clusters with what they were.

        Args:
            states: Each cluster as it is.

        Returns:
            Number of the new state.
        """
        self.current += 1
        if self._seen.keys() - states.keys():
            self._oldest = self.current
        self._seen = {
            name: self._compare(name, state) for name, state in states.items()
        }
        return self.current

    def last_change(self, name: str) -> int:
        """Return the revision in which a cluster last changed."""
        return self._seen[name][0]

    def maybe_base(self, cursor: Cursor | None, step: int) -> Cursor | None:
        """Return a cursor if the changes since then are known.

        Args:
            cursor: What the client has seen.
            step: The present step; a cursor from a later one is of a clock that was
                set back since.

        Returns:
            The cursor; None where the client needs everything.
        """
        if (
            cursor is not None
            and cursor.token == self.token
            and self._oldest <= cursor.revision <= self.current
            and cursor.step <= step
        ):
            return cursor
        return None

    def _compare(self, name: str, state: object) -> tuple[int, object]:
        seen = self._seen.get(name)
        return seen if seen and seen[1] == state else (self.current, state)
