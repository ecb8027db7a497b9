"""Answers in plain ASGI, for the routes where every microsecond is paid per request.

Never chunked: Logplex's client knows the end of an answer by Content-Length alone
(heroku/logplex, ``cowboy_client:stream_header``), so each answer carries one. RFC 9110
section 8.6 would leave it out of a 204; that client predates it.
"""

import asyncio
from http import HTTPStatus

from starlette.types import Receive, Send

_LINGER_SECONDS = 5.0


async def send_answer(
    send: Send,
    status: HTTPStatus,
    headers: tuple[tuple[bytes, bytes], ...] = (),
    body: bytes = b"",
) -> None:
    """Send one whole answer."""
    await send(_start(status, headers, body))
    await send({"type": "http.response.body", "body": body})


async def refuse(
    receive: Receive,
    send: Send,
    status: HTTPStatus,
    *,
    discard_bytes: int,
    headers: tuple[tuple[bytes, bytes], ...] = (),
) -> None:
    """Answer without having read the request, and close the connection.

    What the client is still sending is read and thrown away for a while, up to
    `discard_bytes`: closing at once would make its system reset the connection, and
    the answer would be lost with it.
    """
    body = f"{status.phrase}\n".encode()
    closing = (*headers, (b"connection", b"close"), (b"content-type", b"text/plain"))
    await send(_start(status, closing, body))
    await send({"type": "http.response.body", "body": body, "more_body": True})
    try:
        async with asyncio.timeout(_LINGER_SECONDS):
            await _discard(receive, discard_bytes)
    except TimeoutError:
        pass
    await send({"type": "http.response.body", "body": b""})


async def _discard(receive: Receive, limit: int) -> None:
    while limit > 0:
        message = await receive()
        if message["type"] != "http.request" or not message.get("more_body"):
            return
        limit -= len(message.get("body", b""))


def _start(
    status: HTTPStatus, headers: tuple[tuple[bytes, bytes], ...], body: bytes
) -> dict[str, object]:
    return {
        "type": "http.response.start",
        "status": status.value,
        "headers": [(b"content-length", b"%d" % len(body)), *headers],
    }
