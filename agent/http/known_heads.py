"""Heads of requests that look like one that was parsed before.

A drain sends the same headers with each request, and only some of their values change.
The parser calls Python for each of them, which costs more than everything else that a
small request needs. So a head that the parser has accepted is learned as one expression.

A head that matches differs from the learned one in values of printable characters, and
in the digits of Content-Length. No other header that the parser heeds is learned, so it
would end the head and the body at the same places.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

_LINE = rb"POST /[!-~]* HTTP/1\.1\r\n"
_VALUE = rb"[!-~]+(?: [!-~]+)*"
_LENGTH = rb"[0-9]{1,9}"
_HEAD = re.compile(rb"(%b)(?:[A-Za-z0-9-]+: %b\r\n)+\r\n" % (_LINE, _VALUE))
_FIELD = re.compile(rb"([A-Za-z0-9-]+): (%b)\r\n" % _VALUE)
# What else ends a body, closes a connection, or wants an answer of its own.
_UNLEARNED = frozenset(
    {b"connection", b"expect", b"proxy-connection", b"transfer-encoding", b"upgrade"}
)
_SHAPES = 64


class KnownHead(NamedTuple):
    """A learned head.

    Attributes:
        pattern: Matches such a head, with a group for each value.
        names: The headers of the groups, in lower case.
    """

    pattern: re.Pattern[bytes]
    names: tuple[bytes, ...]

    def maybe_match(self, data: bytes) -> tuple[dict[bytes, bytes], int] | None:
        """Read the head at the start of `data`.

        Returns:
            The headers and the size of the head, if `data` is one whole request with
            such a head.
        """
        match = self.pattern.match(data)
        if match is None:
            return None
        headers = dict(zip(self.names, match.groups(), strict=True))
        size = match.end()
        if size + int(headers[b"content-length"]) != len(data):
            return None
        return headers, size


def maybe_learn_head(head: bytes, headers: Mapping[bytes, bytes]) -> KnownHead | None:
    """Learn a head.

    Args:
        head: A request's first bytes, up to the blank line that ends the head.
        headers: What the parser has read in it, by name in lower case.

    Returns:
        What matches heads like this; None for one that cannot be learned.
    """
    match = _HEAD.fullmatch(head)
    if match is None:
        return None
    fields = _FIELD.findall(head, match.end(1))
    names = tuple(name.lower() for name, _ in fields)
    read = dict(zip(names, (value for _, value in fields), strict=True))
    if (
        read != headers
        or len(read) != len(fields)  # a name occurs twice
        or b"content-length" not in read
        or not _UNLEARNED.isdisjoint(names)
    ):
        return None
    return _compile(match[1], tuple(name for name, _ in fields))


@lru_cache(maxsize=_SHAPES)
def _compile(line: bytes, names: tuple[bytes, ...]) -> KnownHead:
    """Compile the expression of a head, once for all connections."""
    lower = tuple(name.lower() for name in names)
    fields = (
        b"%b: (%b)\r\n"
        % (re.escape(name), _LENGTH if key == b"content-length" else _VALUE)
        for name, key in zip(names, lower, strict=True)
    )
    return KnownHead(
        re.compile(b"%b%b\r\n" % (re.escape(line), b"".join(fields))), lower
    )
