"""From blocks of bytes to events, by whichever kind of archive they are of. No IO here.

Text is what ``heroku logs`` prints, colours and all, or a Papertrail archive, whose
last two columns are ``SOURCE/PS`` and the message (Papertrail, "Permanent log
archives": ten columns, tabs between them). Bodies of a drain are octet-counted frames.
"""

import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from parsers import (
    FAMILIES,
    BrokerContinuation,
    BrokerLog,
    Budget,
    DrainDecoder,
    DrainLoss,
    Event,
    Header,
    Reason,
    Unparsed,
    maybe_parse_tail_line,
)

LINE_LIMIT_BYTES = 1 << 20
"""Heroku cuts lines at 10,000 bytes; whatever is longer than this is no log line."""

_COLOUR = rb"(?:\x1b\[[0-9;]*m)*"
_LINE_START = re.compile(
    rb"^\x00*" + _COLOUR + rb"\d{4}-\d\d-\d\dT\S+ \S+?\[[^\s\[\]]+\]:"
    rb"|^[^\t\n]*(?:\t[^\t\n]*){7}\t[^\t\n/]+/[^\t\n]+\t",
    re.MULTILINE,
)
_FRAME_START = re.compile(rb"\b\d{1,6} <\d{1,3}>1 ")
# What follows a line of a broker without a header of its own: its stack trace.
_TRACE = re.compile(
    rb"\s+\S|at [\w$.<>/@]+\(|Caused by: |Suppressed: |(?:[\w$]+\.)+[\w$]+(?:: |\Z)"
    rb"|[\w$]+(?:Exception|Error)(?:: |\Z)"
)
_TRACE_LINES = 500
_ORIGIN_BYTES = 160
_STRANGERS_LIMIT = 4096
_PAPERTRAIL_TABS = 9
_EXCERPT_BYTES = 80


class Kind(Enum):
    """What an archive holds."""

    TEXT = "text"
    BODIES = "drain bodies"


class TextLoss(NamedTuple):
    """A loss that a line of text reports: its timestamp tells it from a repetition.

    Attributes:
        timestamp: Seconds since the epoch.
        message: The message as received.
        loss: What it says.
    """

    timestamp: float | None
    message: bytes
    loss: DrainLoss


Found = Event | TextLoss


@dataclass(slots=True)
class Portion:
    """What some bytes of an archive held.

    Attributes:
        found: Events, in their order.
        others: Lines of dynos, the router and other add-ons.
    """

    found: list[Found] = field(default_factory=list)
    others: int = 0


def detect_kind(start: bytes) -> Kind:
    """Say what an archive holds: whichever kind of line begins first in it.

    So a body whose first count is broken is one all the same, and so is text in which
    a dyno printed a frame.

    Args:
        start: Its first bytes, decompressed.
    """
    line, frame = _LINE_START.search(start), _FRAME_START.search(start)
    if frame is None or (line is not None and line.start() < frame.start()):
        return Kind.TEXT
    return Kind.BODIES


def read_portions(
    kind: Kind, blocks: Iterator[bytes], is_cut: Callable[[], bool]
) -> Iterator[Portion]:
    """Read an archive.

    Args:
        kind: What it holds.
        blocks: Its bytes, in pieces of any size.
        is_cut: Says, when they have ended, whether there should have been more; then
            the last value of a line may be cut, and the line is not believed.

    Yields:
        What was found, piece by piece.
    """
    if kind is Kind.TEXT:
        yield from _read_text(blocks, is_cut)
    else:
        yield from _read_bodies(blocks)


def _read_bodies(blocks: Iterator[bytes]) -> Iterator[Portion]:
    decoder = DrainDecoder(budget=Budget(lines=sys.maxsize))
    for block in blocks:
        batch = decoder.receive_data(block)
        yield Portion(list(batch.events), batch.other)
    batch = decoder.receive_eof()
    yield Portion(list(batch.events), batch.other)


def _read_text(
    blocks: Iterator[bytes], is_cut: Callable[[], bool]
) -> Iterator[Portion]:
    """Cut the blocks at newlines; of a line that is too long nothing is kept."""
    reader = _TextReader()
    rest, skipping = b"", False
    for block in blocks:
        *lines, rest = (rest + block).split(b"\n")
        if skipping and lines:
            del lines[0]
            skipping = False
        portion = Portion()
        if len(rest) > LINE_LIMIT_BYTES:
            if not skipping:
                portion.found.append(Unparsed(reason=Reason.FRAME_TOO_LARGE))
            rest, skipping = b"", True
        reader.read(lines, portion)
        yield portion
    portion = Portion()
    if rest and is_cut():
        portion.found.append(Unparsed(reason=Reason.TRUNCATED))
    elif not skipping:
        reader.read([rest], portion)
    yield portion


class _TextReader:
    """Reads lines of text; knows strangers by what stands before their message."""

    def __init__(self) -> None:
        # There is time for all of the grammar here, and a budget would make the
        # result depend on the order of the lines.
        self._budget = Budget(lines=sys.maxsize)
        self._strangers: set[bytes] = set()
        self._open: BrokerLog | None = None
        self._below_stranger = False
        self._trace_lines = 0

    def read(self, lines: list[bytes], portion: Portion) -> None:
        """Read whole lines into `portion`."""
        strangers = self._strangers
        for line in lines:
            blank = line.find(b" ")
            origin = line[blank : line.find(b"]:", blank, blank + _ORIGIN_BYTES)]
            if origin in strangers:
                portion.others += 1
                self._below_stranger = True
            elif len(line) > LINE_LIMIT_BYTES:
                portion.found.append(Unparsed(reason=Reason.FRAME_TOO_LARGE))
            else:
                self._read_line(line, origin, portion)

    def _read_line(self, line: bytes, origin: bytes, portion: Portion) -> None:
        parsed = maybe_parse_tail_line(line.rstrip(b"\r"))
        if parsed is None:
            parsed = _maybe_parse_papertrail(line.rstrip(b"\r"))
            origin = b""  # of such a line it is anything
        if parsed is None:
            self._read_headerless(line.rstrip(), portion)
            return
        self._open, self._below_stranger = None, False
        header, message = parsed
        for family in FAMILIES:
            if family.kind_of(header.app, header.proc) is not None:
                events = family.parse(header, message, True, self._budget)  # noqa: FBT003 (a whole line)
                portion.found += (_date(event, header, message) for event in events)
                if events and isinstance(events[-1], BrokerLog):
                    self._open, self._trace_lines = events[-1], 0
                return
        portion.others += 1
        self._below_stranger = True
        if origin:
            if len(self._strangers) >= _STRANGERS_LIMIT:
                self._strangers.clear()
            self._strangers.add(origin)

    def _read_headerless(self, line: bytes, portion: Portion) -> None:
        """Read what has no header: more of a broker's line, or no line at all."""
        if not line:
            return
        if self._below_stranger:
            portion.others += 1  # more of what a dyno prints
            return
        above = self._open
        if above and self._trace_lines < _TRACE_LINES and _TRACE.match(line):
            self._trace_lines += 1
            text = line.decode("utf-8", "replace")
            portion.found.append(
                BrokerContinuation(above.addon, above.node, above.timestamp, text)
            )
            return
        portion.found.append(
            Unparsed(reason=Reason.BAD_HEADER, excerpt=line[:_EXCERPT_BYTES])
        )


def _date(event: Event, header: Header, message: bytes) -> Found:
    if isinstance(event, DrainLoss):
        return TextLoss(header.timestamp, message, event)
    return event


def _maybe_parse_papertrail(line: bytes) -> tuple[Header, bytes] | None:
    r"""Read a line of an archive: ``ID\tGENERATED_AT\t…\tPROGRAM\tMESSAGE``."""
    columns = line.split(b"\t", _PAPERTRAIL_TABS)
    if len(columns) <= _PAPERTRAIL_TABS:
        return None
    source, _, ps = columns[-2].partition(b"/")
    # Older archives write a blank inside the time, which ends it in a line of Heroku's.
    time = columns[1].replace(b" ", b"T", 1).replace(b" ", b"")
    return maybe_parse_tail_line(b"%s %s[%s]: %s" % (time, source, ps, columns[-1]))
