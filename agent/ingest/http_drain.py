"""The HTTPS log drain: what Logplex, and log-shuttle in Shield spaces, send.

The answer is 204 whatever the frames hold. Logplex gives up a request for good on any
4xx, and repeats it at once, unchanged and at most twice, on a 5xx (heroku/logplex,
``logplex_http_drain:handle_response_status``): neither cures a bad frame, both lose
the good ones beside it. Only where an internal error kept the agent from applying
anything is the answer 503, and not before the request was tried for some seconds:
Logplex makes its tries without a pause.
"""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus

from starlette.requests import ClientDisconnect
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from agent.change import Origin
from agent.engine import Engine
from agent.http.auth import Authenticator
from agent.http.guard import mark_authenticated
from agent.http.responses import refuse, send_answer
from agent.ingest.body_reader import DIRECT_BYTES, BodyReader
from agent.logs import RareLog, get_logger
from agent.settings import Settings
from parsers import GzipReader

ROUTE = "/logs"  # of all aliases

PATHS = (
    "/logs",
    "/logs/{rest:path}",
    # What Grafana Alloy and Vector listen on, so that their drains keep working.
    "/heroku/api/v1/drain",
    "/events",
)

# A Logplex request is at most 102,550 bytes: read that much of one that is refused,
# so that its sender sees the 401 rather than a reset connection.
_DISCARD_BYTES = 131_072
_ID_BYTES = 200
# Each member of a gzip body costs a copy of what follows it; log-shuttle sends one.
_MEMBERS = 64
_GZIP = (b"gzip", b"x-gzip")
_PLAIN = (b"", b"identity")
_CHALLENGE = (b"www-authenticate", b'Basic realm="heroku-kafka-agent"')
# Pauses between the tries of a request that an internal error kept from being applied,
# as shares of the time that it may be held.
_PAUSES = (1 / 7, 2 / 7, 4 / 7)
_MOST_HELD = 32


class HttpDrain:
    """The transport of HTTPS drains, and their ASGI endpoint.

    Args:
        settings: Who may write, and how much is read.
        engine: Where batches go.
    """

    def __init__(self, settings: Settings, engine: Engine) -> None:
        self._engine = engine
        self._telemetry = engine.telemetry
        self._authenticator = Authenticator(settings.drain_credentials)
        self._limits = settings.limits
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

    def routes(self) -> list[BaseRoute]:
        """List the routes of drains."""
        return [Route(path, self) for path in PATHS]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        headers = dict(scope["headers"])
        if scope["method"] != "POST":
            await self._refuse(
                receive, send, HTTPStatus.METHOD_NOT_ALLOWED, (b"allow", b"POST")
            )
            return
        writer = self._authenticator.maybe_authenticate(headers.get(b"authorization"))
        if writer is None:
            self._telemetry.auth_failures += 1
            self._log.warning("drain.unauthorized")
            await self._refuse(receive, send, HTTPStatus.UNAUTHORIZED, _CHALLENGE)
            return
        mark_authenticated(scope)
        try:
            body = await self._read_body(headers, receive)
        except ClientDisconnect:
            return  # nothing of half a body is applied or remembered
        if isinstance(body, HTTPStatus):
            await self._refuse(receive, send, body)
            return
        origin = _read_origin(headers, writer.addons)
        applied = await self._apply(body, origin)
        if not applied and not await self._try_again(body, origin):
            await self._refuse(receive, send, HTTPStatus.SERVICE_UNAVAILABLE)
            return
        self._telemetry.requests[ROUTE, HTTPStatus.NO_CONTENT.value] += 1
        await send_answer(send, HTTPStatus.NO_CONTENT)

    async def _refuse(
        self,
        receive: Receive,
        send: Send,
        status: HTTPStatus,
        *headers: tuple[bytes, bytes],
    ) -> None:
        self._telemetry.requests[ROUTE, status.value] += 1
        await refuse(
            receive, send, status, discard_bytes=_DISCARD_BYTES, headers=headers
        )

    async def _read_body(
        self, headers: Mapping[bytes, bytes], receive: Receive
    ) -> bytes | HTTPStatus:
        """Read and decompress the body, or return the status to refuse it with.

        Raises:
            ClientDisconnect: The client went away before the end.
        """
        encoding = headers.get(b"content-encoding", b"").strip().lower()
        if encoding not in _GZIP and encoding not in _PLAIN:
            return HTTPStatus.UNSUPPORTED_MEDIA_TYPE
        limit = self._limits.body_bytes
        announced = headers.get(b"content-length", b"0")
        if announced.isdigit() and int(announced) > limit:
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        body = await read_body(receive, limit)
        if body is None:
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        self._telemetry.received_bytes += len(body)
        if encoding in _PLAIN:
            return body
        plain, whole = await asyncio.to_thread(
            decompress, body, self._limits.decoded_bytes
        )
        if plain is None:
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        self._telemetry.undecodable_bodies += not whole
        return plain

    async def _apply(self, body: bytes, origin: Origin) -> bool:
        """Apply one request; False where an internal error left nothing applied."""
        try:
            change = (
                self._reader.prepare(body, origin)
                if len(body) <= DIRECT_BYTES
                else await self._reader.prepare_in_turns(body, origin)
            )
        except Exception as error:  # noqa: BLE001 (the boundary of one request)
            self._telemetry.internal_errors += 1
            self._log.failure("request.failed", error)
            return False
        if not self._telemetry.last_request_timestamp:
            get_logger().info("drain.first_request", bytes=len(body))
        self._telemetry.last_request_timestamp = change.now.wall
        self._engine.commit(change)
        return True

    async def _try_again(self, body: bytes, origin: Origin) -> bool:
        """Hold a request and try it some times more, as Logplex would without a pause."""
        if self._held >= _MOST_HELD:
            return False
        self._held += 1
        try:
            for share in _PAUSES:
                pause = share * self._limits.hold_seconds
                if await self._is_stopping_within(pause):
                    return False
                if await self._apply(body, origin):
                    return True
            return False
        finally:
            self._held -= 1

    async def _is_stopping_within(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return False
        return True


def _read_origin(headers: Mapping[bytes, bytes], addons: frozenset[str]) -> Origin:
    request_id = headers.get(b"logplex-frame-id") or headers.get(b"x-request-id", b"")
    return Origin(
        drain_token=headers.get(b"logplex-drain-token", b"")[:_ID_BYTES],
        request_id=request_id if len(request_id) <= _ID_BYTES else b"",
        announced=headers.get(b"logplex-msg-count", b""),
        addons=addons,
    )


async def read_body(receive: Receive, limit_bytes: int) -> bytes | None:
    """Read a request's body.

    Args:
        receive: The ASGI channel.
        limit_bytes: Bodies larger than this are not read to their end.

    Returns:
        The body, or None where it is too large.

    Raises:
        ClientDisconnect: The client went away before the end.
    """
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise ClientDisconnect
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > limit_bytes:
            return None
        if not message.get("more_body"):
            return b"".join((*chunks, chunk)) if chunks else chunk
        chunks.append(chunk)


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
