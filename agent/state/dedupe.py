"""What was received before, within bounds: requests by id, lines by content.

Identities are keyed digests, equal in every process that has the key, so that they can
be saved and sent; without the key no client can make two lines collide.
"""

from collections import OrderedDict
from collections.abc import Collection
from hashlib import blake2b
from typing import Protocol

from parsers import BrokerLog, DrainLoss, MetricLine

IDENTITY_BYTES = 12
"""96 bits: among a million lines two are equal by chance once in 10^17."""

Dated = MetricLine | BrokerLog | DrainLoss
"""The records that have an identity."""


class _Hash(Protocol):
    def copy(self) -> "_Hash": ...
    def update(self, data: bytes, /) -> None: ...
    def digest(self) -> bytes: ...


class Identities:
    """Makes the identities of requests and lines.

    Args:
        key: Up to 64 bytes; the same key makes the same identities.
    """

    def __init__(self, key: bytes) -> None:
        self.key = key
        self._keyed: _Hash = blake2b(key=key, digest_size=IDENTITY_BYTES)

    def of_request(self, drain_token: bytes, request_id: bytes) -> bytes:
        """Identify a request; request ids are unique within one drain only."""
        return self._digest(b"%d %b %b" % (len(drain_token), drain_token, request_id))

    def maybe_of_line(self, line: Dated) -> bytes | None:
        """Identify a line; None without a timestamp, when nothing tells two apart.

        ``source=`` is no part of it: a cluster with several attachments to an app
        writes each line once for each of them. Nor is white space at the end: a frame
        may end in a newline that text does not show.
        """
        if line.timestamp is None:
            return None
        if isinstance(line, MetricLine):
            head = f"{line.addon}/{line.broker} {line.timestamp!r} "
            return self._digest(head.encode() + line.content)
        origin = (
            f"{line.addon}.{line.node}" if isinstance(line, BrokerLog) else line.code
        )
        head = f"{origin} {line.timestamp!r} "
        return self._digest(head.encode() + line.message.rstrip())

    def _digest(self, content: bytes) -> bytes:
        digest = self._keyed.copy()
        digest.update(content)
        return digest.digest()


class RecentRequests:
    """Remembers requests that were applied, and the losses they reported.

    Logplex sends a request up to three times under one ``Logplex-Frame-Id``, and may
    put an L10 with a new count in front when it tries again (heroku/logplex,
    ``logplex_http_drain:request_to_iolist/2``). So a retry is recognised by its id,
    never by its body, and only what its L10 says beyond the last try is new.

    Args:
        entries: Requests remembered; the least recently used is forgotten first.
    """

    def __init__(self, entries: int) -> None:
        self._entries = entries
        # In the order in which they were remembered last.
        self.losses: OrderedDict[bytes, int] = OrderedDict()

    def maybe_losses(self, identity: bytes) -> int | None:
        """Return the losses that the request reported, or None if it is new."""
        return self.losses.get(identity)

    def remember(self, identity: bytes, losses: int) -> None:
        """Remember a request once everything in it has been applied."""
        self.losses[identity] = losses
        self.losses.move_to_end(identity)
        if len(self.losses) > self._entries:
            self.losses.popitem(last=False)


class RecentLines:
    """Remembers lines, so that one that comes through several drains counts once.

    A cluster that is attached to several apps writes each line to all of their
    streams. Lines that a broker really wrote twice come twice in one request, and
    then both count: the n-th of equal lines in a request is compared with the n-th
    (`occurrence`).

    Two generations of equal size: when the newer one is full it becomes the older one,
    and what only the older one held is forgotten.

    Args:
        entries: Lines remembered at most; at least half as many.
    """

    def __init__(self, entries: int) -> None:
        self._generation = max(entries // 2, 1)
        self.newer: set[bytes] = set()
        self.older: set[bytes] = set()

    def remember(self, lines: Collection[bytes]) -> None:
        """Remember lines, by their identities or `occurrence`."""
        if len(self.newer) + len(lines) <= self._generation:
            self.newer.update(lines)
            return
        for line in lines:
            if len(self.newer) >= self._generation:
                self.older, self.newer = self.newer, set()
            self.newer.add(line)


def occurrence(identity: bytes, number: int) -> bytes:
    """Identify the n-th of equal lines in one request, from the second on."""
    return b"%b#%d" % (identity, number)
