"""From the bytes of a drain to events: the front of the parsers.

Cost sits in frames that are nobody's here: 95 to 99 % of a drain. The walk over them
reads five bytes for the count and a few for the *origin* (HOSTNAME, APP-NAME, PROCID);
an origin that once turned out to be a stranger's is known by its first bytes from
then on. Only frames of unknown origin have their header parsed, and only frames of
our families their message.
"""

from parsers.errors import Reason, refuse
from parsers.families import FAMILIES, Budget, Family
from parsers.records import Batch, FrameKind, Header
from parsers.wire.framing import (
    LOOKAHEAD_BYTES,
    STEPS,
    find_feet,
    is_whole,
    last_two_frames,
    locate_frame,
)
from parsers.wire.syslog import maybe_parse_header

DEFAULT_FRAME_LIMIT_BYTES = 65_536
"""Logplex lets 10,240 bytes through and splits dyno lines at 10,000."""

# " host heroku route", " host app web.1 - ": long enough to tell a PROCID from ours,
# short enough to hold next to nothing of the message.
_ORIGIN_BYTES = 18
_STRANGERS_LIMIT = 4096
_LOCAL0 = 16  # RFC 5424, table 1
# A body may send us back to look for a swallowed frame this often; then only forward,
# which keeps the work linear for bodies made to be slow.
_LOOK_BACKS = 32
# Where a search for the blank behind TIMESTAMP may start: behind "335 <4>1 " and at
# most on the first characters of TIMESTAMP.
_IN_TIMESTAMP = 11
# Where that blank stands in nine frames out of ten: "335 <158>1 " and a timestamp
# with six fraction digits, which is how Logplex stamps dyno and router lines. Only a
# frame without any timestamp could have text of its own there instead.
_USUAL_ORIGIN = _IN_TIMESTAMP + 32


class DrainDecoder:
    """Turns the bytes of one drain, whole or in pieces, into events.

    Call `receive_data` with bytes as they come and `receive_eof` at their end; or
    `decode` with a whole body. The decoder can be used for any number of bodies, one
    after the other: what it learns about strangers makes the next one cheaper.

    Args:
        frame_limit_bytes: Larger frames are refused.
        budget: How many lines the slow grammar may read; shared with the caller,
            who refills it.
        families: Whose lines to parse.
        local0_only: Believe lines of facility local0 alone, as add-ons write; a
            dyno, whatever its process type is called, writes as local7.
    """

    def __init__(
        self,
        *,
        frame_limit_bytes: int = DEFAULT_FRAME_LIMIT_BYTES,
        budget: Budget | None = None,
        families: tuple[Family, ...] = FAMILIES,
        local0_only: bool = False,
    ) -> None:
        self._limit = frame_limit_bytes
        self._budget = budget if budget is not None else Budget(lines=1000)
        self._families = families
        self._local0_only = local0_only
        self._steps = {
            count: step for count, step in STEPS.items() if step <= frame_limit_bytes
        }
        self._strangers: set[bytes] = set()
        self._reset(b"")

    def _reset(self, body: bytes) -> None:
        self._body = body
        self._position = 0  # where the next count must stand
        self._followed = 0  # from where the counts have been followed without fault
        self._lost = False  # inside a stretch without readable counts
        self._look_backs = _LOOK_BACKS

    def decode(self, body: bytes) -> Batch:
        """Decode a whole body.

        Args:
            body: Octet-counted frames, glued together.

        Returns:
            Its events and counts. Never raises for what `body` holds.
        """
        self._reset(body)
        return self.receive_eof()

    def receive_data(self, data: bytes) -> Batch:
        """Take more bytes; decode what further bytes cannot change.

        Args:
            data: The next piece, of any size.

        Returns:
            What is certain now. The last two frames' worth of bytes wait, because
            only what follows a frame shows whether its count was right.
        """
        self._body += data
        batch = Batch()
        self._run(batch, len(self._body) - 2 * (self._limit + LOOKAHEAD_BYTES))
        keep, _ = last_two_frames(
            self._body, self._followed, self._position, self._limit
        )
        self._body = self._body[keep:]
        self._position -= keep
        self._followed = 0
        return batch

    def receive_eof(self) -> Batch:
        """Decode the rest; the decoder is then ready for another body."""
        batch = Batch()
        self._run(batch, len(self._body))
        self._reset(b"")
        return batch

    def _run(self, batch: Batch, stop: int) -> None:
        """Decode the frames that begin before `stop`."""
        while self._position < stop:
            if self._lost:
                self._find_feet(self._position, self._position, stop)
                continue
            start = self._position
            passed = self._pass_strangers(stop)
            batch.other += passed
            if self._position > len(self._body) + 1:
                # The last stranger is cut: take that one again, with care.
                batch.other -= 1
                _, self._position = last_two_frames(
                    self._body, start, len(self._body), self._limit
                )
            if self._position < stop:
                self._take_frame(batch, stop)

    def _pass_strangers(self, stop: int) -> int:
        """Walk over frames of known strangers; return how many.

        About as fast as `find` and `int` on the counts alone.
        """
        body, steps, strangers = self._body, self._steps, self._strangers
        find = body.find
        position, passed = self._position, 0
        while position < stop:
            step = steps.get(body[position : position + 5])
            if step is None:
                break
            place = position + _USUAL_ORIGIN
            if body[place : place + _ORIGIN_BYTES] not in strangers:
                place = find(b" ", position + _IN_TIMESTAMP)
                if body[place : place + _ORIGIN_BYTES] not in strangers:
                    break
            position += step
            passed += 1
        self._position = position
        return passed

    def _take_frame(self, batch: Batch, stop: int) -> None:
        """Decode the frame at the position, which may be anything."""
        body, position = self._body, self._position
        frame = locate_frame(body, position, self._limit)
        if isinstance(frame, Reason):
            self._fault(batch, frame, stop)
            return
        start, end = frame
        content = body[start:end]
        parsed = maybe_parse_header(content)
        if parsed is None:
            self._refuse_header(batch, content, end, stop)
            return
        header, message_start = parsed
        for family in self._families:
            kind = family.kind_of(header.app, header.proc)
            if kind is not None and self._is_believed(header, kind):
                break
        else:
            batch.other += 1
            self._remember_stranger(position)
            self._position = end
            return
        self._followed, self._position = position, end
        complete = is_whole(body, start, end, self._limit)
        if not complete:
            self._fault(batch, Reason.MISCOUNTED, stop)
            content = content[: max(self._position - start, 0)]
        else:
            batch.count(kind)
        message = content[message_start:]
        batch.events += family.parse(header, message, complete, self._budget)
        if header.bad_timestamp:
            batch.events.append(refuse(Reason.BAD_TIMESTAMP, content))

    def _is_believed(self, header: Header, kind: FrameKind) -> bool:
        """Say whether the facility fits; the log pipeline writes as local5."""
        if not self._local0_only or kind is FrameKind.PLATFORM:
            return True
        return header.pri is not None and header.pri >> 3 == _LOCAL0

    def _refuse_header(self, batch: Batch, content: bytes, end: int, stop: int) -> None:
        """Count a frame without a readable header; doubt its count if none follows."""
        follows = locate_frame(self._body, end, self._limit)
        if end < len(self._body) and isinstance(follows, Reason):
            self._fault(batch, Reason.BAD_HEADER, stop, at=end)
            return
        self._position = end
        batch.malformed += 1
        batch.events.append(refuse(Reason.BAD_HEADER, content))

    def _fault(
        self, batch: Batch, reason: Reason, stop: int, at: int | None = None
    ) -> None:
        """Count one malformed frame and go on where the counts agree again."""
        body = self._body
        fault = self._position if at is None else at
        batch.malformed += 1
        batch.events.append(refuse(reason, body, self._position))
        doubtful = self._position
        if self._look_backs > 0:
            self._look_backs -= 1
            doubtful, _ = last_two_frames(body, self._followed, fault, self._limit)
        if reason is Reason.TRUNCATED:
            fault = len(body)
        self._find_feet(doubtful + 1, fault, stop)

    def _find_feet(self, doubtful: int, fault: int, stop: int) -> None:
        """Move to the next believable frame, or be lost until more bytes come."""
        feet = find_feet(self._body, doubtful, fault, stop, self._limit)
        self._lost = feet is None
        self._position = max(stop, fault) if feet is None else feet
        self._followed = self._position

    def _remember_stranger(self, position: int) -> None:
        """Learn the origin of the frame at `position` if it can never be ours."""
        body = self._body
        space = body.find(b" ", position + _IN_TIMESTAMP)
        origin = body[space : space + _ORIGIN_BYTES]
        _, *fields = origin.split(b" ")
        if len(fields) < 3 or not fields[2]:  # noqa: PLR2004 (HOSTNAME, APP-NAME, PROCID)
            return
        if any(family.may_own(fields[1], fields[2]) for family in self._families):
            return
        if len(self._strangers) >= _STRANGERS_LIMIT:
            self._strangers.clear()
        self._strangers.add(origin)
