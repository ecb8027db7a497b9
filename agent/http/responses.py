"""Answers of the connection itself, as bytes.

Never chunked: Logplex's client knows the end of an answer by Content-Length alone
(heroku/logplex, ``cowboy_client:stream_header``), so each answer carries one. RFC 9110
section 8.6 would leave it out of a 204; that client predates it.
"""

from collections.abc import Iterable
from http import HTTPStatus

Headers = Iterable[tuple[bytes, bytes]]

HEAD_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-length: 0\r\nconnection: close\r\n\r\n"
)

_CLOSE = (b"connection", b"close")
_TEXT = (b"content-type", b"text/plain")


def build_accepted(headers: Headers, *, keep_alive: bool) -> bytes:
    """Build an answer of status 204.

    Args:
        headers: Headers of every answer.
        keep_alive: Whether the connection stays open.
    """
    closing = () if keep_alive else (_CLOSE,)
    return _build(HTTPStatus.NO_CONTENT, (*headers, *closing), 0)


def build_refusal(status: HTTPStatus, headers: Headers, *, is_head: bool) -> bytes:
    """Build an answer after which the connection is closed.

    Args:
        status: Its status, whose phrase is the body.
        headers: Headers of every answer, and of this one.
        is_head: Whether a HEAD request is answered, and the body left out.
    """
    body = f"{status.phrase}\n".encode()
    answer = _build(status, (*headers, _CLOSE, _TEXT), len(body))
    return answer if is_head else answer + body


def _build(status: HTTPStatus, headers: Headers, length: int) -> bytes:
    lines = [
        b"HTTP/1.1 %d %s" % (status.value, status.phrase.encode()),
        b"content-length: %d" % length,
        *(b"%s: %s" % header for header in headers),
    ]
    return b"\r\n".join((*lines, b"", b""))
