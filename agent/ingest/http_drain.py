"""The HTTPS log drain: what Logplex, and log-shuttle in Shield spaces, send.

The answer is 204 whatever the frames hold. Logplex gives up a request for good on any
4xx, and repeats it at once, unchanged and at most twice, on a 5xx (heroku/logplex,
``logplex_http_drain:handle_response_status``): neither cures a bad frame, both lose
the good ones beside it. Only where an internal error kept the agent from applying
anything is the answer 503, and not before the request was tried for some seconds:
Logplex makes its tries without a pause.
"""

import asyncio
from collections.abc import Coroutine, Mapping
from functools import partial
from http import HTTPStatus
from typing import Any

from agent.change import Change, Origin
from agent.engine import Engine
from agent.http.auth import Authenticator
from agent.http.handler import Handler, Outcome, Receive, Refusal
from agent.ingest.body_reader import BodyReader, Work
from agent.logs import RareLog, get_logger
from agent.settings import Settings
from parsers import GzipReader

ROUTE = "/logs"  # of all aliases

PATHS = frozenset(
    {
        "/logs",
        # What Grafana Alloy and Vector listen on, so that their drains keep working.
        "/heroku/api/v1/drain",
        "/events",
    }
)
_PREFIX = "/logs/"

_ID_BYTES = 200
# Each member of a gzip body costs a copy of what follows it; log-shuttle sends one.
_MEMBERS = 64
_GZIP = (b"gzip", b"x-gzip")
_PLAIN = (b"", b"identity")
_ALLOW = (b"allow", b"POST")
_CHALLENGE = (b"www-authenticate", b'Basic realm="heroku-kafka-agent"')
_ACCEPTED = (ROUTE, HTTPStatus.NO_CONTENT.value)
# Pauses between the tries of a request that an internal error kept from being applied,
# as shares of the time that it may be held.
_PAUSES = (1 / 7, 2 / 7, 4 / 7)
_MOST_HELD = 32


class HttpDrain:
    """The transport of HTTPS drains, and the handler of their requests.

    Args:
        settings: Who may write, and how much is read.
        engine: Where batches go.

    Attributes:
        body_bytes: Maximum size of a body.
    """

    def __init__(self, settings: Settings, engine: Engine) -> None:
        self._engine = engine
        self._telemetry = engine.telemetry
        self._authenticator = Authenticator(settings.drain_credentials)
        self._limits = settings.limits
        self.body_bytes = settings.limits.body_bytes
        self._reader = BodyReader(settings, engine)
        self._log = RareLog()
        self._held = 0
        self._stopping = asyncio.Event()

    async def start(self) -> None:
        """Begin to accept."""
        self._stopping.clear()

    async def stop(self) -> None:
        """Hold no request any longer; the server finishes those that are in flight."""
        self._stopping.set()

    def reconfigure(self, settings: Settings) -> None:
        """Accept other credentials, from the next request on."""
        self._authenticator.replace(settings.drain_credentials)

    def handlers(self) -> list[Handler]:
        """List what answers the requests of drains."""
        return [self]

    def serves(self, path: str) -> bool:
        """Say whether `path` is a drain's."""
        return path in PATHS or path.startswith(_PREFIX)

    def accept(
        self, method: bytes, headers: Mapping[bytes, bytes]
    ) -> Refusal | Receive:
        """Judge a request by its head: method, credentials, encoding, size."""
        if method != b"POST":
            return self.refuse(HTTPStatus.METHOD_NOT_ALLOWED, _ALLOW)
        writer = self._authenticator.maybe_authenticate(headers.get(b"authorization"))
        if writer is None:
            self._telemetry.auth_failures += 1
            self._log.warning("drain.unauthorized")
            return self.refuse(HTTPStatus.UNAUTHORIZED, _CHALLENGE)
        if (
            b"content-encoding" in headers
            and _read_encoding(headers) not in _PLAIN + _GZIP
        ):
            return self.refuse(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        if int(headers.get(b"content-length", 0)) > self.body_bytes:
            return self.refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        return partial(self._receive, writer.addons)

    def refuse(self, status: HTTPStatus, *headers: tuple[bytes, bytes]) -> Refusal:
        """Count a request that is refused."""
        self._telemetry.requests[ROUTE, status.value] += 1
        return Refusal(status, headers)

    def _receive(
        self, addons: frozenset[str], headers: Mapping[bytes, bytes], body: bytes
    ) -> Outcome | Coroutine[Any, Any, Outcome]:
        """Apply a body: at once, or in a coroutine if that takes more than a turn.

        Args:
            addons: Clusters whose lines the sender may bring; empty for all.
            headers: Of the request.
            body: As it was sent.
        """
        self._telemetry.received_bytes += len(body)
        origin = _read_origin(headers, addons)
        if b"content-encoding" in headers and _read_encoding(headers) in _GZIP:
            return self._receive_gzip(body, origin)
        return self._apply(body, origin)

    async def _receive_gzip(self, body: bytes, origin: Origin) -> Outcome:
        plain, whole = await asyncio.to_thread(
            decompress, body, self._limits.decoded_bytes
        )
        if plain is None:
            return self.refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        self._telemetry.undecodable_bodies += not whole
        rest = self._apply(plain, origin)
        return None if rest is None else await rest

    def _apply(
        self, body: bytes, origin: Origin
    ) -> Coroutine[Any, Any, Outcome] | None:
        """Apply a body that is not compressed, or begin with it."""
        try:
            begun = self._reader.begin(body, origin)
        except Exception as error:  # noqa: BLE001 (the boundary of one request)
            self._fail(error)
            return self._try_again(body, origin)
        if not isinstance(begun, Change):
            return self._finish(begun, body, origin)
        self._commit(begun, body)
        return None

    async def _finish(self, work: Work, body: bytes, origin: Origin) -> Outcome:
        """Apply a body in several turns."""
        try:
            change = await self._reader.finish(work)
        except Exception as error:  # noqa: BLE001 (the boundary of one request)
            self._fail(error)
            return await self._try_again(body, origin)
        self._commit(change, body)
        return None

    def _fail(self, error: Exception) -> None:
        """Count an internal error that left nothing applied."""
        self._telemetry.internal_errors += 1
        self._log.failure("request.failed", error)

    def _commit(self, change: Change, body: bytes) -> None:
        if not self._telemetry.last_request_timestamp:
            get_logger().info("drain.first_request", bytes=len(body))
        self._telemetry.last_request_timestamp = change.now.wall
        self._engine.commit(change)
        self._telemetry.requests[_ACCEPTED] += 1

    async def _try_again(self, body: bytes, origin: Origin) -> Outcome:
        """Hold a request and try it some times more, as Logplex would without a pause."""
        if self._held >= _MOST_HELD:
            return self.refuse(HTTPStatus.SERVICE_UNAVAILABLE)
        self._held += 1
        try:
            for share in _PAUSES:
                pause = share * self._limits.hold_seconds
                if await self._is_stopping_within(pause):
                    break
                try:
                    begun = self._reader.begin(body, origin)
                    if not isinstance(begun, Change):
                        begun = await self._reader.finish(begun)
                except Exception as error:  # noqa: BLE001 (the boundary of one request)
                    self._fail(error)
                else:
                    self._commit(begun, body)
                    return None
        finally:
            self._held -= 1
        return self.refuse(HTTPStatus.SERVICE_UNAVAILABLE)

    async def _is_stopping_within(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return False
        return True


def _read_encoding(headers: Mapping[bytes, bytes]) -> bytes:
    return headers[b"content-encoding"].strip().lower()


def _read_origin(headers: Mapping[bytes, bytes], addons: frozenset[str]) -> Origin:
    request_id = headers.get(b"logplex-frame-id") or headers.get(b"x-request-id", b"")
    # By position: names cost a third more, for each request.
    return Origin(
        headers.get(b"logplex-drain-token", b"")[:_ID_BYTES],
        request_id if len(request_id) <= _ID_BYTES else b"",
        headers.get(b"logplex-msg-count", b""),
        addons,
    )


def decompress(body: bytes, limit_bytes: int) -> tuple[bytes | None, bool]:
    """Decompress a gzip body.

    Args:
        body: The compressed bytes.
        limit_bytes: Decompression stops when more than this has come out.

    Returns:
        What came out, or None past the limit; and whether the input was whole.
    """
    reader = GzipReader(_MEMBERS)
    out = bytearray()
    for piece in reader.receive_data(body):
        out += piece
        if len(out) > limit_bytes:
            return None, True
    return bytes(out), reader.is_whole
