"""The HTTPS log drain: what Logplex, and log-shuttle in Shield spaces, send.

The answer is 204 whatever the frames hold. Logplex gives up a request for good on any
4xx, and repeats it at once, unchanged and at most twice, on a 5xx (heroku/logplex,
``logplex_http_drain:handle_response_status``): neither cures a bad frame, both lose
the good ones beside it.
"""

import asyncio
import zlib
from collections.abc import Mapping
from http import HTTPStatus

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from agent.clock import read_clock
from agent.http.auth import Authenticator
from agent.http.responses import refuse, send_answer
from agent.logs import RareLog, get_logger
from agent.metrics.telemetry import Telemetry
from agent.pipeline import Delivery, Pipeline
from agent.settings import Limits

ROUTE = "/logs"  # of all aliases

# A Logplex request is at most 102,550 bytes: read that much of one that is refused,
# so that its sender sees the 401 rather than a reset connection.
_DISCARD_BYTES = 131_072
_ID_BYTES = 200
# Each member of a gzip body costs a copy of what follows it; log-shuttle sends one.
_MEMBERS = 64
_GZIP = (b"gzip", b"x-gzip")
_PLAIN = (b"", b"identity")
_CHALLENGE = (b"www-authenticate", b'Basic realm="heroku-kafka-agent"')


class HttpDrain:
    """The ASGI endpoint of a drain.

    Args:
        pipeline: Where deliveries go.
        telemetry: Where requests are counted.
        authenticator: Who may write.
        limits: How much is read.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        telemetry: Telemetry,
        authenticator: Authenticator,
        limits: Limits,
    ) -> None:
        self._pipeline = pipeline
        self._telemetry = telemetry
        self._authenticator = authenticator
        self._limits = limits
        self._log = RareLog()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        headers = dict(scope["headers"])
        if scope["method"] != "POST":
            await self._refuse(
                receive, send, HTTPStatus.METHOD_NOT_ALLOWED, (b"allow", b"POST")
            )
            return
        if not self._authenticator.allows(headers.get(b"authorization")):
            self._telemetry.auth_failures += 1
            self._log.warning("drain.unauthorized")
            await self._refuse(receive, send, HTTPStatus.UNAUTHORIZED, _CHALLENGE)
            return
        try:
            body = await self._read_body(headers, receive)
        except ClientDisconnect:
            return  # nothing of half a body is applied or remembered
        if isinstance(body, HTTPStatus):
            await self._refuse(receive, send, body)
            return
        self._deliver(headers, body)
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
        plain, whole = await asyncio.to_thread(gunzip, body, self._limits.decoded_bytes)
        if plain is None:
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        self._telemetry.undecodable_bodies += not whole
        return plain

    def _deliver(self, headers: Mapping[bytes, bytes], body: bytes) -> None:
        request_id = headers.get(b"logplex-frame-id") or headers.get(
            b"x-request-id", b""
        )
        delivery = Delivery(
            body=body,
            drain_token=headers.get(b"logplex-drain-token", b"")[:_ID_BYTES],
            request_id=request_id if len(request_id) <= _ID_BYTES else b"",
            message_count=headers.get(b"logplex-msg-count", b""),
        )
        now = read_clock()
        if not self._telemetry.last_request_timestamp:
            get_logger().info("drain.first_request", bytes=len(body))
        self._telemetry.last_request_timestamp = now.wall
        try:
            self._pipeline.receive(delivery, now)
        except Exception as error:  # noqa: BLE001 (the one boundary: a bug of ours)
            self._telemetry.internal_errors += 1
            self._log.failure("request.failed", error)


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


def gunzip(body: bytes, limit_bytes: int) -> tuple[bytes | None, bool]:
    """Decompress a gzip body of one or several members (RFC 1952 section 2.2).

    Args:
        body: The compressed bytes.
        limit_bytes: Decompression stops when more than this has come out.

    Returns:
        What came out, or None past the limit; and whether the input was whole.
    """
    out = bytearray()
    rest = body
    for _ in range(_MEMBERS):
        member = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        try:
            out += member.decompress(rest, limit_bytes + 1 - len(out))
        except zlib.error:
            return bytes(out), False
        if len(out) > limit_bytes:
            return None, True
        if not member.eof:
            return bytes(out), False
        rest = member.unused_data
        if not rest:
            return bytes(out), True
    return bytes(out), False
