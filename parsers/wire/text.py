"""From pieces of text to records: what ``heroku logs`` prints, or a Papertrail archive.

Only the first line of a message of several lines has a header (heroku/cli,
``log-displayer.ts``). Of the lines without one, those that look like a Java stack trace
below a broker's line continue it, those below an unrelated line belong to that, and the
others are what the ``heroku`` command itself prints.
"""

import re
from collections.abc import Callable

from parsers.errors import Reason, Unparsed, refuse
from parsers.families import Budget, parse_line
from parsers.records import Batch, BrokerContinuation, BrokerLog, FrameKind, Header
from parsers.wire.heroku_logs import maybe_parse_heroku_logs_line
from parsers.wire.lines import LineSplitter
from parsers.wire.papertrail import maybe_parse_papertrail_line

LineFormat = Callable[[bytes], tuple[Header, bytes] | None]
"""A line without its newline to its header and message."""

# heroku/x, logplex/encoding: the stream behind `heroku logs` as curl shows it.
_EVENT_STREAM = re.compile(rb"(?:id|event|retry): ?[^\[\]]*\Z|:[ \r]*\Z")
_EVENT_DATA = b"data: "
# The heroku command marks its own messages with an arrow head (U+203A, U+25B8) or "!".
_TRACE = re.compile(
    rb"\s+(?!!|\xe2\x80\xba|\xe2\x96\xb8)\S|at [\w$.<>/@]+\(|Caused by: |Suppressed: "
    rb"|(?:[\w$]+\.)+[\w$]+(?:: |\Z)|[\w$]+(?:Exception|Error)(?:: |\Z)"
)
_TRACE_LINES = 500
_TIMED_OUT = b"Log stream timed out"  # heroku/cli, log-displayer.ts
_ORIGIN_BYTES = 160
_FOREIGN_LIMIT = 4096


class TextReader:
    """Turns text of one or several line formats into records.

    Call `receive_data` with bytes as they come and `receive_eof` at their end.

    Args:
        formats: Tried in order.
        budget: What the slow grammar may read; unlimited if None.

    Attributes:
        timed_out: Whether the last line says that the log stream timed out.
        skipped: Lines that were longer than `lines.LINE_LIMIT_BYTES`.
    """

    formats: tuple[LineFormat, ...] = (
        maybe_parse_heroku_logs_line,
        maybe_parse_papertrail_line,
    )

    def __init__(self, budget: Budget | None = None) -> None:
        self._budget = budget if budget is not None else Budget()
        self._splitter = LineSplitter()
        # Text before the message of lines that were parsed in full and are unrelated.
        self._foreign: set[bytes] = set()
        self._open: BrokerLog | None = None  # what headerless lines would continue
        self._below_foreign = False
        self._trace_lines = 0
        self.timed_out = False

    @property
    def skipped(self) -> int:
        """Lines that were longer than the limit."""
        return self._splitter.skipped

    def receive_data(self, data: bytes) -> Batch:
        """Take more bytes; read the lines that are whole now.

        Args:
            data: The next piece, of any size.
        """
        before = self.skipped
        batch = self._read(self._splitter.receive_data(data))
        self._count_skipped(batch, before)
        return batch

    def receive_eof(self, *, cut: bool = False) -> Batch:
        """Read the last line where it has no newline.

        Args:
            cut: Whether there should have been more; the last value of the line may be
                cut then, and the line is refused.
        """
        before = self.skipped
        lines = self._splitter.receive_eof()
        if cut and lines:
            batch = Batch(records=[Unparsed(reason=Reason.TRUNCATED)], malformed=1)
        else:
            batch = self._read(lines)
        self._count_skipped(batch, before)
        return batch

    def _count_skipped(self, batch: Batch, before: int) -> None:
        skipped = self.skipped - before
        batch.malformed += skipped
        batch.records += [Unparsed(reason=Reason.FRAME_TOO_LARGE)] * skipped

    def _read(self, lines: list[bytes]) -> Batch:
        batch = Batch()
        foreign = self._foreign
        for line in lines:
            blank = line.find(b" ")
            origin = line[blank : line.find(b"]:", blank, blank + _ORIGIN_BYTES)]
            if origin in foreign:
                batch.other += 1
                self._open, self._below_foreign, self.timed_out = None, True, False
            else:
                self._read_line(line, origin, batch)
        return batch

    def _read_line(self, line: bytes, origin: bytes, batch: Batch) -> None:
        plain = line.strip(b"\x00 \t\r")
        if not plain or _EVENT_STREAM.match(plain):
            return
        plain = plain.removeprefix(_EVENT_DATA)
        for number, line_format in enumerate(self.formats):
            parsed = line_format(plain)
            if parsed is not None:
                # The first blank of any other format stands anywhere.
                self._read_message(*parsed, origin if number == 0 else b"", batch)
                return
        self._read_headerless(line.rstrip(b"\x00 \t\r"), batch)

    def _read_message(
        self, header: Header, message: bytes, origin: bytes, batch: Batch
    ) -> None:
        self._open, self._below_foreign, self.timed_out = None, False, False
        kind, records = parse_line(header, message, self._budget)
        batch.count(kind)
        batch.records += records
        if kind is FrameKind.OTHER:
            self._below_foreign = True
            if origin:
                if len(self._foreign) >= _FOREIGN_LIMIT:
                    self._foreign.clear()
                self._foreign.add(origin)
        elif records and isinstance(records[-1], BrokerLog):
            self._open, self._trace_lines = records[-1], 0

    def _read_headerless(self, line: bytes, batch: Batch) -> None:
        """Read what has no header: more of the line above it, or no log line at all."""
        above = self._open
        if above and self._trace_lines < _TRACE_LINES and _TRACE.match(line):
            self._trace_lines += 1
            batch.count(FrameKind.BROKER_LOG)
            text = line.decode("utf-8", "replace")
            batch.records.append(
                BrokerContinuation(above.addon, above.node, above.timestamp, text)
            )
        elif self._below_foreign and _TIMED_OUT not in line:
            batch.other += 1
        else:
            self.timed_out = _TIMED_OUT in line
            batch.malformed += 1
            batch.records.append(refuse(Reason.BAD_HEADER, line))


class HerokuLogsReader(TextReader):
    """Reads ``heroku logs`` alone."""

    formats = (maybe_parse_heroku_logs_line,)
