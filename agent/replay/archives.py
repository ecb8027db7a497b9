"""From the names on the command line to blocks of decompressed bytes.

All reading of files stands here. What is damaged gives what could be read of it, and a
sentence; nothing is raised for what a file holds.
"""

import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import BinaryIO

from agent.errors import SettingsError
from parsers import Batch, Budget, DrainDecoder, GzipReader, TextReader

BLOCK_BYTES = 1 << 18
STDIN = "-"

_GZIP = b"\x1f\x8b"
_DETECT_BYTES = 1 << 16
_COLOUR = rb"(?:\x1b\[[0-9;]*m)*"
_LINE_START = re.compile(
    rb"^\x00*" + _COLOUR + rb"\d{4}-\d\d-\d\dT\S+ \S+?\[[^\s\[\]]+\]:"
    rb"|^[^\t\n]*(?:\t[^\t\n]*){7}\t[^\t\n/]+/[^\t\n]+\t",
    re.MULTILINE,
)
_FRAME_START = re.compile(rb"\b\d{1,6} <\d{1,3}>1 ")

Report = Callable[[str], None]
"""Takes a plain sentence about something that could not be read."""


class Kind(Enum):
    """What an archive holds."""

    TEXT = "text"
    BODIES = "drain bodies"


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


def detect_kind(start: bytes) -> Kind:
    """Say what an archive holds, by the kind of line that begins first in it.

    So a body whose first count is broken is still a body, and so is text in which a
    dyno printed a frame.

    Args:
        start: Its first bytes, decompressed.
    """
    line, frame = _LINE_START.search(start), _FRAME_START.search(start)
    if frame is None or (line is not None and line.start() < frame.start()):
        return Kind.TEXT
    return Kind.BODIES


def read_batches(
    blocks: Iterator[bytes],
    is_cut: Callable[[], bool],
    detected: Callable[[Kind], None],
) -> Iterator[Batch]:
    """Read an archive of either kind.

    Args:
        blocks: Its bytes, in pieces of any size.
        is_cut: Says, when they have ended, whether there should have been more.
        detected: Is told what the archive holds, unless it is empty.

    Yields:
        What was found, piece by piece. There is time for all of the grammar here, and a
        budget would make the result depend on the order of the lines.
    """
    start = b""
    while len(start) < _DETECT_BYTES and (block := next(blocks, b"")):
        start += block
    kind = detect_kind(start)
    if start:
        detected(kind)
    everything = _put_in_front(start, blocks)
    if kind is Kind.TEXT:
        text = TextReader()
        yield from map(text.receive_data, everything)
        yield text.receive_eof(cut=is_cut())
    else:
        decoder = DrainDecoder(budget=Budget())
        yield from map(decoder.receive_data, everything)
        yield decoder.receive_eof()


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
    reader = GzipReader()
    for block in blocks:
        yield from reader.receive_data(block)
        if reader.is_damaged:
            damaged("is damaged gzip")
            return
    if not reader.is_whole:
        damaged("is gzip that ends too early")
