"""Gzip in pieces (RFC 1952), of any number of members, in bounded memory."""

import zlib
from collections.abc import Iterator

PIECE_BYTES = 1 << 18

_GZIP_FORMAT = 31  # zlib's number for a gzip header and the largest window


class GzipReader:
    """Decompresses a gzip stream; what precedes a damaged place is not lost.

    Call `receive_data` with bytes as they come; then look at `is_damaged` and
    `is_whole`.

    Args:
        member_limit: More members are damage: each costs a copy of what follows it.

    Attributes:
        is_damaged: Whether something was no gzip; nothing behind it is read.
    """

    def __init__(self, member_limit: int | None = None) -> None:
        self._member = zlib.decompressobj(_GZIP_FORMAT)
        self._members_left = member_limit
        self.is_damaged = False

    @property
    def is_whole(self) -> bool:
        """Whether what came so far ends with the end of a member, undamaged."""
        return self._member.eof and not self.is_damaged

    def receive_data(self, data: bytes) -> Iterator[bytes]:
        """Take more bytes.

        Args:
            data: The next piece, of any size.

        Yields:
            What comes out of it, at most `PIECE_BYTES` each; maybe empty.
        """
        more = not self.is_damaged
        while more:
            if self._member.eof:
                data = data.lstrip(b"\x00")  # padding of tapes, which gzip(1) skips
                if not data or not self._begin_member():
                    return
            before = self._member.copy()
            try:
                piece = self._member.decompress(data, PIECE_BYTES)
            except zlib.error:
                self.is_damaged = True
                yield _salvage(before, data)
                return
            yield piece
            eof = self._member.eof
            data = self._member.unused_data if eof else self._member.unconsumed_tail
            # Only a full piece can have left something behind without any input.
            more = bool(data) or (len(piece) == PIECE_BYTES and not eof)

    def _begin_member(self) -> bool:
        if self._members_left is not None:
            self._members_left -= 1
            if self._members_left <= 0:
                self.is_damaged = True
                return False
        self._member = zlib.decompressobj(_GZIP_FORMAT)
        return True


def _salvage(member: "zlib._Decompress", data: bytes) -> bytes:
    """Decompress a piece again, byte by byte, up to where it is damaged."""
    pieces = []
    for at in range(len(data)):
        try:
            pieces.append(member.decompress(data[at : at + 1]))
        except zlib.error:
            break
    return b"".join(pieces)
