"""Carries lines to a drain as Logplex does (heroku/logplex, ``logplex_http_drain``).

Octet-counted frames; a batch leaves as soon as there is a message and no request is in
flight, and grows to at most 102,400 bytes meanwhile; three tries under one
``Logplex-Frame-Id``, the second and third at once; a 4xx is final; while nobody answers
the connection is tried again, slower and slower. 1,024 messages wait at most; the oldest
make room and are reported by an L10 in front of the next batch.
"""

import asyncio
import random
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus

import httpx2

from agent.simulator.cluster import Line

BUFFER_MESSAGES = 1_024
BATCH_BYTES = 102_400
TRIES = 3
REQUEST_SECONDS = 5.0
CONNECT_SECONDS = 3.0
_SLOWEST_RECONNECT = 10

# PRI by who writes (heroku/logplex fixtures): local3 router, local0 add-ons, local7
# dynos.
_PRI = {"router": 158, "heroku-kafka": 134}
_PRI_ADDON_LOG = 134
_PRI_DYNO = 190


def frame_line(line: Line) -> bytes:
    """Write a line as a frame, its length in front (RFC 6587 section 3.4.1)."""
    if line.app == "kafka":
        pri = _PRI_ADDON_LOG
    else:
        pri = _PRI.get(line.proc.partition(".")[0], _PRI_DYNO)
    stamp = datetime.fromtimestamp(line.time, UTC).isoformat()
    syslog = f"<{pri}>1 {stamp} host {line.app} {line.proc} - {line.message}\n".encode()
    return b"%d %s" % (len(syslog), syslog)


def tail_line(line: Line) -> str:
    """Write a line as ``heroku logs`` prints it."""
    stamp = datetime.fromtimestamp(line.time, UTC).isoformat(timespec="microseconds")
    return f"{stamp} {line.app}[{line.proc}]: {line.message}"


class DrainUnreachableError(Exception):
    """No connection to the drain was accepted, not even the first."""


@dataclass(slots=True)
class Delivery:
    """What became of the messages.

    Attributes:
        sent: Messages that were handed over, L10 not counted.
        acknowledged: Those that were answered with a 2xx.
        dropped: Those that were displaced, refused or given up.
        requests: Requests, retries included.
        retries: Requests that were tried again.
    """

    sent: int = 0
    acknowledged: int = 0
    dropped: int = 0
    requests: int = 0
    retries: int = 0


class Logplex:
    """One drain on one node of Logplex: one request in flight.

    Args:
        url: The drain; its user and password become Basic credentials.
        seed: What frame ids and the drain token come from.
    """

    def __init__(self, url: str, seed: object) -> None:
        self.delivered = Delivery()
        self._url = httpx2.URL(url)
        self._rng = random.Random(f"logplex {seed}")  # noqa: S311 (seeded on purpose)
        self._token = f"d.{self._hex(8)}-{self._hex(4)}-4{self._hex(3)}-8{self._hex(3)}-{self._hex(12)}"
        self._buffer: deque[bytes] = deque()
        self._unreached = 0  # connections refused in a row
        self._reached = False  # whether one has ever been accepted
        self._unreported = 0  # dropped since the last L10 that was acknowledged
        self._since = ""
        self._changed = asyncio.Event()
        self._room = asyncio.Event()
        self._ended = False

    def offer(self, lines: Iterable[Line]) -> None:
        """Hand lines over; where there is no room, the oldest are dropped."""
        for line in lines:
            self.delivered.sent += 1
            self._buffer.append(frame_line(line))
        excess = len(self._buffer) - BUFFER_MESSAGES
        if excess > 0:
            for _ in range(excess):
                self._buffer.popleft()
            self._drop(excess)
        self._changed.set()

    async def offer_patiently(self, lines: list[Line]) -> None:
        """Hand lines over as soon as there is room for them."""
        if self._buffer and len(self._buffer) + len(lines) > BUFFER_MESSAGES:
            self._room.clear()
            await self._room.wait()
        self.offer(lines)

    def end(self) -> None:
        """Let `deliver` end once everything has left."""
        self._ended = True
        self._changed.set()

    async def deliver(self) -> None:
        """Send what is handed over until `end`.

        Raises:
            DrainUnreachableError: The first connection was refused, three times. Logplex
                would go on, but here it is a mistake in the address.
        """
        timeout = httpx2.Timeout(REQUEST_SECONDS, connect=CONNECT_SECONDS)
        try:
            async with httpx2.AsyncClient(timeout=timeout, trust_env=False) as client:
                while self._buffer or not self._ended:
                    if self._buffer:
                        await self._send(client, self._take_batch())
                    else:
                        self._room.set()
                        self._changed.clear()
                        await self._changed.wait()
        finally:
            self._room.set()

    def _take_batch(self) -> list[bytes]:
        """Take frames while some budget is left, the first one in any case."""
        batch = [self._buffer.popleft()]
        left = BATCH_BYTES - len(batch[0])
        while self._buffer and left > len(self._buffer[0]):
            batch.append(self._buffer.popleft())
            left -= len(batch[-1])
        return batch

    async def _send(self, client: httpx2.AsyncClient, batch: list[bytes]) -> None:
        """Send a batch; give it up after a 4xx or the third try."""
        frame_id = self._hex(32).upper()
        tries = 0
        while tries < TRIES:
            reported = self._unreported
            frames = [self._l10(), *batch] if reported else batch
            self.delivered.requests += 1
            self.delivered.retries += tries > 0
            try:
                status = await self._post(client, frames, frame_id)
            except httpx2.ConnectError:
                # The batch keeps its place; lines that come meanwhile may be displaced.
                self._unreached += 1
                if self._unreached >= TRIES and not self._reached:
                    raise DrainUnreachableError from None
                if self._unreached >= TRIES and self._ended:
                    break
                await asyncio.sleep(self._back_off())
                continue
            except httpx2.HTTPError:
                tries += 1
                continue
            self._unreached, self._reached = 0, True
            if status in range(200, 300):
                self._unreported -= reported
                self.delivered.acknowledged += len(batch)
                return
            if status in range(400, 500) and status != HTTPStatus.TOO_MANY_REQUESTS:
                break
            tries += 1
        self._drop(len(batch))

    async def _post(
        self, client: httpx2.AsyncClient, frames: list[bytes], frame_id: str
    ) -> int:
        headers = {
            "Content-Type": "application/logplex-1",
            "Logplex-Msg-Count": str(len(frames)),
            "Logplex-Frame-Id": frame_id,
            "Logplex-Drain-Token": self._token,
            "User-Agent": "Logplex/v73",
        }
        answer = await client.post(
            self._url, content=b"".join(frames), headers=headers, follow_redirects=False
        )
        return answer.status_code

    def _drop(self, count: int) -> None:
        if not self._unreported:
            self._since = datetime.now(UTC).isoformat(timespec="seconds")
        self._unreported += count
        self.delivered.dropped += count

    def _l10(self) -> bytes:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        text = (
            f"<172>1 {now} host heroku logplex - Error L10 (output buffer overflow): "
            f"{self._unreported} messages dropped since {self._since}."
        )
        return f"{len(text)} {text}".encode()

    def _back_off(self) -> float:
        exponent = self._rng.randint(1, min(_SLOWEST_RECONNECT, self._unreached))
        return float(0.010 * (2**exponent - 1) / 2)

    def _hex(self, digits: int) -> str:
        return f"{self._rng.getrandbits(4 * digits):0{digits}x}"
