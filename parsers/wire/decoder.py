"""From the bytes of a drain to records: octet-counted frames as Logplex writes them.

95 to 99 % of a drain are unrelated frames, and skipping them is what costs time. For
them the decoder reads five bytes for the count and a few for the *origin* (HOSTNAME,
APP-NAME, PROCID); an origin that was once parsed in full and belongs to no family is
recognised by its first bytes from then on. Only frames of unknown origin have their
header parsed, and only frames of a family their message.
"""

from collections.abc import Iterator

from parsers.errors import Reason, refuse
from parsers.families import Budget, may_own, maybe_find_owner, parse_message
from parsers.records import Batch, FrameKind, Header
from parsers.wire.foreign import IN_TIMESTAMP, ORIGIN_BYTES, ForeignFrames
from parsers.wire.framing import (
    LOOKAHEAD_BYTES,
    POSSIBLE_HEAD,
    find_next_frame,
    is_partial,
    is_settled,
    is_whole,
    last_two_frames,
    leads_on,
    locate_frame,
    may_lack_digit,
)
from parsers.wire.known import KnownHeaders
from parsers.wire.recovery import is_cut, look_back, look_back_from_text
from parsers.wire.syslog import maybe_parse_header

DEFAULT_FRAME_LIMIT_BYTES = 65_536
"""Logplex lets 10,240 bytes through and splits dyno lines at 10,000."""

SLICE_BYTES = 16_384
"""Decoded between two pauses: 0.1 ms mostly; 80 ms for a body made to be slow."""

_DENSE_RECORDS = 200
_LOCAL0 = 16  # RFC 5424, table 1
# The decoder looks back for a swallowed frame this often in a body; then it only goes
# forward, which keeps the work linear for bodies made to be slow.
_LOOK_BACKS = 32


class DrainDecoder:
    """Turns the bytes of one drain, whole or in pieces, into records.

    `decode` takes a whole body. For a stream, call `receive_data` with bytes as they
    come, `flush` when none came for a while, and `receive_eof` at the end. The decoder
    can be used for any number of bodies, one after the other: what it learns about
    unrelated origins makes the next one cheaper.

    Args:
        frame_limit_bytes: Larger frames are refused.
        budget: What the slow grammar may read; shared with the caller, who refills it.
        local0_only: Trust lines of facility local0 alone, as add-ons write; a dyno,
            whatever its process type is called, writes as local7.
    """

    def __init__(
        self,
        *,
        frame_limit_bytes: int = DEFAULT_FRAME_LIMIT_BYTES,
        budget: Budget | None = None,
        local0_only: bool = False,
    ) -> None:
        self._known = KnownHeaders(frame_limit_bytes)
        self._limit = frame_limit_bytes
        self._budget = budget if budget is not None else Budget(65_536)
        self._local0_only = local0_only
        self._foreign = ForeignFrames(frame_limit_bytes)
        self._reset(b"")

    def _reset(self, body: bytes) -> None:
        self._body = body
        self._position = 0  # where the next count must stand
        # From where the counts have been followed without fault: a frame of the last
        # few, and the one after it that was read with care.
        self._followed = self._careful = 0
        self._lost = False  # inside a stretch without readable counts
        self._look_backs = _LOOK_BACKS

    def decode(self, body: bytes) -> Batch:
        """Decode a whole body.

        Args:
            body: Octet-counted frames, glued together.

        Returns:
            Its records and counts. Never raises for what `body` holds.
        """
        self._reset(body)
        return self.receive_eof()

    def maybe_count_foreign(self, body: bytes) -> int | None:
        """Count the frames of a body that holds nothing else than known foreign ones.

        Quicker than `decode`, which finds the same, and most bodies are such.

        Args:
            body: Octet-counted frames, glued together.

        Returns:
            The number of frames; None for a body that has to be decoded.
        """
        position, skipped = self._foreign.skip(body, 0, len(body))
        # A final newline may have been trimmed from the body.
        return skipped if 0 <= position - len(body) <= 1 else None

    def decode_in_slices(
        self, body: bytes, batch: Batch, slice_bytes: int = SLICE_BYTES
    ) -> Iterator[None]:
        """Decode a whole body as `decode` does, with a pause after each slice.

        Until the last one the decoder must not be used for another body.

        Args:
            body: Octet-counted frames, glued together.
            batch: An empty one, which is filled.
            slice_bytes: The frames that begin in this many bytes make a slice; known
                foreign frames in front of them are skipped with it, which takes 3 ms
                for 1 MiB at most. A slice is smaller where bytes hold very many records.
        """
        self._reset(body)
        end, step = len(body), slice_bytes
        while self._position < end:
            before = len(batch.records)
            if not self._lost:
                self._skip_foreign(batch, end, end + 1)
            self._run(batch, min(self._position + step, end))
            # Many records from few bytes took long, and more of them may follow.
            is_dense = len(batch.records) - before > _DENSE_RECORDS
            step = slice_bytes // 8 if is_dense else slice_bytes
            yield
        self._reset(b"")

    def receive_data(self, data: bytes) -> Batch:
        """Take more bytes; decode what further bytes cannot change.

        Args:
            data: The next piece, of any size.

        Returns:
            What is certain now. A frame is, once its own last byte or the head of the
            next frame shows that its count was right. Behind a fault up to three frames'
            worth of bytes wait, because only what follows tells where frames go on.
        """
        self._body += data
        batch = Batch()
        self._run(batch, len(self._body) - 3 * (self._limit + LOOKAHEAD_BYTES))
        while not self._lost and self._take_settled(batch):
            pass
        self._trim()
        return batch

    def flush(self) -> Batch:
        """Decode what only further bytes would confirm, because none came for a while.

        Returns:
            All whole frames that are left. A frame of which bytes are missing waits.
        """
        batch = Batch()
        self._look_backs = _LOOK_BACKS
        while self._position < len(self._body):
            stop = len(self._body) - LOOKAHEAD_BYTES
            if self._lost:
                if self._position >= stop:
                    break
                self._resynchronise(self._position, stop)
            elif not self._take_settled(batch):
                if is_partial(self._body, self._position, self._limit):
                    break
                self._take_frame(batch, max(stop, self._position))
        self._trim()
        return batch

    def receive_eof(self) -> Batch:
        """Decode the rest; the decoder is then ready for another body."""
        batch = Batch()
        self._run(batch, len(self._body))
        self._reset(b"")
        return batch

    def _trim(self) -> None:
        """Drop what has been decoded, except for the frames that a fault looks back to."""
        keep, _ = last_two_frames(
            self._body, self._followed, self._position, self._limit
        )
        self._followed = self._careful = min(keep, 1)  # a digit may stand before it
        keep -= self._followed
        self._body = self._body[keep:]
        self._position -= keep

    def _run(self, batch: Batch, stop: int) -> None:
        """Decode the frames that begin before `stop`."""
        while self._position < stop:
            if self._lost:
                self._resynchronise(self._position, stop)
                continue
            # A final newline may have been trimmed from the body.
            self._skip_foreign(batch, stop, len(self._body) + 1)
            if self._position < stop and not self._take_known(batch, stop):
                self._take_frame(batch, stop)

    def _take_settled(self, batch: Batch) -> bool:
        """Decode frames that no further byte can change; False when there is none."""
        end = len(self._body)
        self._skip_foreign(batch, end, end)
        if self._may_lack_digit() or not is_settled(
            self._body, self._position, self._limit
        ):
            return False
        frame = locate_frame(self._body, self._position, self._limit)
        if isinstance(frame, Reason) or not maybe_parse_header(
            self._body[frame[0] : frame[1]]
        ):
            return False
        self._take_frame(batch, end)
        return True

    def _skip_foreign(self, batch: Batch, stop: int, end: int) -> None:
        """Skip the frames of known foreign origin that begin before `stop`.

        One that does not end before `end` is left for the careful way.
        """
        start = self._position
        self._position, skipped = self._foreign.skip(self._body, start, stop)
        if self._position > end:
            skipped -= 1
            _, self._position = last_two_frames(
                self._body, start, len(self._body), self._limit
            )
        batch.other += skipped

    def _take_frame(self, batch: Batch, stop: int) -> None:
        """Decode the frame at the position, which may be anything."""
        body, position = self._body, self._position
        frame = self._locate_frame()
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
        owner = maybe_find_owner(header.app, header.proc)
        if owner is None or not self._is_trusted(header, owner[1]):
            batch.other += 1
            self._followed, self._careful = self._careful, position
            self._remember_foreign(position)
            self._position = end
            return
        self._known.learn(content, message_start, owner, header)
        self._followed = self._careful = position
        self._position = end
        complete = is_whole(body, start, end, self._limit)
        if complete:
            batch.count(owner[1])
        else:
            self._fault(batch, Reason.MISCOUNTED, stop)
            content = self._cut(content, start)
        batch.records += parse_message(
            owner, header, content[message_start:], self._budget, complete=complete
        )
        if header.bad_timestamp:
            batch.records.append(refuse(Reason.BAD_TIMESTAMP, content))

    def _take_known(self, batch: Batch, stop: int) -> bool:
        """Decode the frames up to the first unknown header; False when there is none."""
        body, position = self._body, self._position
        first = position
        # Behind a newline and another byte, that one may be a digit of the count here.
        while position < stop and body[position - 2 : position - 1] != b"\n":
            known = self._known.maybe_locate(body, position)
            if known is None:
                break
            owner, header, start, end = known
            batch.count(owner[1])
            message = body[start:end]
            batch.records += parse_message(owner, header, message, self._budget)
            self._followed = self._careful = position
            self._position = position = end
        return position > first

    def _locate_frame(self) -> tuple[int, int] | Reason:
        """Find the frame at the position, if its count is not the rest of another."""
        body, position = self._body, self._position
        if (
            body[position - 2 : position - 1] == b"\n"  # seldom, so it is asked first
            and self._may_lack_digit()
            and leads_on(body, position - 1, self._limit)
        ):
            return Reason.MISCOUNTED
        return locate_frame(body, position, self._limit)

    def _cut(self, content: bytes, start: int) -> bytes:
        """Cut the content of a miscounted frame where another one begins."""
        content = content[: max(self._position - start, 0)]
        swallowed = POSSIBLE_HEAD.search(content)
        return content if swallowed is None else content[: swallowed.start()]

    def _may_lack_digit(self) -> bool:
        """Say whether the frame before may hold the first digit of the count here."""
        followed = self._followed < self._position
        return followed and may_lack_digit(self._body, self._position)

    def _is_trusted(self, header: Header, kind: FrameKind) -> bool:
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
        batch.malformed += 1
        batch.records.append(refuse(Reason.BAD_HEADER, content))
        if self._looks_like_text(content):
            return
        self._followed, self._careful = self._careful, self._position
        self._position = end

    def _fault(
        self, batch: Batch, reason: Reason, stop: int, at: int | None = None
    ) -> None:
        """Count one malformed frame and go on where the counts agree again."""
        body = self._body
        fault = self._position if at is None else at
        batch.malformed += 1
        batch.records.append(refuse(reason, body, self._position))
        if is_cut(body, fault, self._limit):
            self._go_on(len(body))
            return
        end = len(body) if reason is Reason.TRUNCATED else fault
        found = None
        if self._look_backs > 0:
            self._look_backs -= 1
            found = look_back(body, self._followed, fault, end, self._limit)
        if found is None:
            self._resynchronise(end, stop)
        else:
            self._go_on(found)

    def _looks_like_text(self, content: bytes) -> bool:
        """Move behind a foreign frame whose text this is; False if there is none."""
        if content.startswith(b"<") or b">1 " in content[:7] or not self._look_backs:
            return False  # a header with a damaged byte, most likely
        self._look_backs -= 1
        found = look_back_from_text(
            self._body, self._followed, self._position, self._limit
        )
        if found is not None:
            self._go_on(found)
        return found is not None

    def _go_on(self, position: int) -> None:
        self._position = self._followed = self._careful = position

    def _resynchronise(self, fault: int, stop: int) -> None:
        """Move to the next frame that counts confirm, or be lost until more bytes come."""
        found = find_next_frame(self._body, fault, stop, self._limit)
        self._lost = found is None
        self._go_on(max(stop, fault) if found is None else found)

    def _remember_foreign(self, position: int) -> None:
        """Learn the origin of the frame at `position` if no family can own it."""
        body = self._body
        space = body.find(b" ", position + IN_TIMESTAMP)
        origin = body[space : space + ORIGIN_BYTES]
        _, *fields = origin.split(b" ")
        if len(fields) < 3 or not fields[2]:  # noqa: PLR2004 (HOSTNAME, APP-NAME, PROCID)
            return
        if not may_own(fields[1], fields[2]):
            self._foreign.learn(origin)
