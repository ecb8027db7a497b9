"""Answers to readers: compressed where the client accepts it, sent in pieces."""

import gzip
from collections.abc import Mapping
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

PIECE_BYTES = 65_536
"""Sent at a time, so that a client that reads slowly holds no more in its socket."""

_SMALLEST_BYTES = 256  # shorter answers hardly shrink
_LEVEL = 6


def accepts_gzip(accept_encoding: str) -> bool:
    """Decide whether a client accepts gzip.

    Args:
        accept_encoding: Value of the ``Accept-Encoding`` header (RFC 9110, section
            12.5.3); a coding with an invalid weight counts as refused.
    """
    weights: dict[str, float] = {}
    for item in accept_encoding.lower().split(","):
        coding, *parameters = (part.strip() for part in item.split(";"))
        weight = 1.0
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name.strip() == "q":
                weight = _read_weight(value.strip())
        weights[coding] = weight
    any_coding = weights.get("*", 0.0)
    return weights.get("gzip", weights.get("x-gzip", any_coding)) > 0


def wants_gzip(request: Request) -> bool:
    """Decide whether the client of a request accepts gzip."""
    return accepts_gzip(request.headers.get("accept-encoding", ""))


def compress(content: bytes, *, is_gzip: bool) -> bytes:
    """Compress an answer; call it in a thread, where zlib releases the interpreter.

    Args:
        content: The answer.
        is_gzip: Whether the client accepts gzip.

    Returns:
        gzip, or the content itself where it is short or gzip is not accepted.
    """
    if not is_gzip or len(content) < _SMALLEST_BYTES:
        return content
    return gzip.compress(content, _LEVEL, mtime=0)


class Answer(Response):
    """A response whose body `compress` returned.

    Args:
        content: The body.
        media_type: Value of the ``Content-Type`` header.
        headers: Further headers.
        status: HTTP status.
        vary: Request headers that the answer depends on.
    """

    def __init__(
        self,
        content: bytes,
        media_type: str,
        headers: Mapping[str, str],
        status: HTTPStatus = HTTPStatus.OK,
        vary: str = "Accept-Encoding",
    ) -> None:
        encoding = {"content-encoding": "gzip"} if content[:2] == b"\x1f\x8b" else {}
        super().__init__(content, status, {**headers, "vary": vary, **encoding})
        self.headers["content-type"] = media_type

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the body in pieces; the server waits for a slow client between them."""
        del scope, receive
        await send(
            {
                "type": "http.response.start",
                "status": self.status_code,
                "headers": self.raw_headers,
            }
        )
        body = bytes(self.body)
        for start in range(0, max(len(body), 1), PIECE_BYTES):
            end = start + PIECE_BYTES
            await send(
                {
                    "type": "http.response.body",
                    "body": body[start:end],
                    "more_body": end < len(body),
                }
            )


def _read_weight(text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0  # nor NaN
