"""From the names on the command line to blocks of decompressed bytes.

All reading of files stands here. What is damaged gives what could be read of it, and a
sentence; nothing is raised for what a file holds.
"""

import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from agent.errors import SettingsError

BLOCK_BYTES = 1 << 18
STDIN = "-"

_GZIP = b"\x1f\x8b"
_GZIP_FORMAT = 31  # zlib's number for a gzip header and the largest window

Report = Callable[[str], None]
"""Takes a plain sentence about something that could not be read."""


@dataclass(frozen=True, slots=True)
class Source:
    """One input.

    Attributes:
        name: A path, or ``-`` for standard input.
    """

    name: str

    @property
    def title(self) -> str:
        """What a person calls it."""
        return "standard input" if self.name == STDIN else self.name

    @property
    def size_bytes(self) -> int | None:
        """Bytes on disk; None where that is not known, as of a pipe."""
        if self.name == STDIN or not Path(self.name).is_file():
            return None
        return Path(self.name).stat().st_size

    def open(self, stdin: BinaryIO) -> BinaryIO:
        """Open it for reading.

        Raises:
            OSError: It cannot be opened.
        """
        return stdin if self.name == STDIN else Path(self.name).open("rb")


def find_sources(names: Sequence[str]) -> list[Source]:
    """Check that everything can be read, before anything is.

    Args:
        names: Paths, or ``-``.

    Returns:
        One source for each.

    Raises:
        SettingsError: One sentence for each name that cannot be read.
    """
    problems = [problem for name in names if (problem := _check(name))]
    if list(names).count(STDIN) > 1:
        problems.append("standard input can be read once only: give - once")
    if problems:
        raise SettingsError(*problems)
    return [Source(name) for name in names]


def _check(name: str) -> str | None:
    path = Path(name)
    if name == STDIN:
        return None
    try:
        if path.is_dir():
            return f"{name} is a directory: give the files in it"
        if not path.exists():
            return f"there is no file {name}"
    except (OSError, ValueError):
        return f"{name!r} is no name of a file"
    return None if os.access(path, os.R_OK) else f"the file {name} may not be read"


def read_blocks(
    source: Source, stdin: BinaryIO, advance: Callable[[int], None], report: Report
) -> Iterator[bytes]:
    """Read a source block by block, decompressed where it is gzip.

    Args:
        source: What to read.
        stdin: What ``-`` stands for.
        advance: Is told how many bytes, as stored, have been read since.
        report: Is told what is damaged.

    Yields:
        Blocks of any size up to `BLOCK_BYTES`, none of them empty.
    """
    stored = _read_stored(source, stdin, advance, report)
    first = next(stored, b"")
    everything = _put_in_front(first, stored)
    if first.startswith(_GZIP):
        everything = _decompress(everything, lambda what: report(_say(source, what)))
    yield from filter(None, everything)


def _say(source: Source, what: str) -> str:
    return f"{source.title} {what}; what could be read of it is counted"


def _read_stored(
    source: Source, stdin: BinaryIO, advance: Callable[[int], None], report: Report
) -> Iterator[bytes]:
    try:
        with source.open(stdin) as stream:
            while block := stream.read(BLOCK_BYTES):
                advance(len(block))
                yield block
    except OSError as error:
        report(_say(source, f"cannot be read ({error.strerror or 'input error'})"))


def _put_in_front(first: bytes, others: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from others


def _decompress(blocks: Iterator[bytes], damaged: Report) -> Iterator[bytes]:
    """Decompress gzip of any number of members, in bounded memory."""
    member = zlib.decompressobj(_GZIP_FORMAT)
    for block in blocks:
        data, more = block, True
        while data or more:
            if member.eof:
                data = data.lstrip(b"\x00")  # padding of tapes, which gzip(1) skips
                if not data:
                    break
                member = zlib.decompressobj(_GZIP_FORMAT)
            before = member.copy()
            try:
                piece = member.decompress(data, BLOCK_BYTES)
            except zlib.error:
                yield _salvage(before, data)
                damaged("is damaged gzip")
                return
            yield piece
            # Only a full piece can have left something behind without any input.
            more = len(piece) == BLOCK_BYTES and not member.eof
            data = member.unused_data if member.eof else member.unconsumed_tail
    if not member.eof:
        damaged("is gzip that ends too early")


def _salvage(member: "zlib._Decompress", data: bytes) -> bytes:
    """Decompress a block again, byte by byte, up to where it is damaged."""
    pieces = []
    for at in range(len(data)):
        try:
            pieces.append(member.decompress(data[at : at + 1]))
        except zlib.error:
            break
    return b"".join(pieces)
