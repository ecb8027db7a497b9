"""Where frames go on after a fault, so that no text inside a frame becomes a frame.

A message may hold whole frames with right counts. Once the count in front of it is
damaged, they look like any others. A fault is therefore explained first: the frames
next to it end at one of a few places if one byte was replaced, removed or inserted,
and the true end is among them. From there the counts agree up to the last of these
places, and text inside a frame can only come before the true end. So the *last* place
that the counts lead to is taken: this may lose frames, but forges none.

Frames of a family hold no text of others. What looks like a frame inside one of them is
a frame that it swallowed, and no explanation is needed. If no single byte explains a
fault, frames go on where the counts agree again.
"""

import re
from collections.abc import Callable, Iterator

from parsers.errors import Reason
from parsers.families import maybe_find_owner
from parsers.records import Header
from parsers.wire.framing import (
    HEAD,
    MAX_COUNT_DIGITS,
    POSSIBLE_HEAD,
    find_swallowed_frame,
    last_two_frames,
    leads_on,
    locate_frame,
)
from parsers.wire.syslog import maybe_parse_header

_COUNT = re.compile(rb"[1-9][0-9]{0,%d} " % (MAX_COUNT_DIGITS - 1))
_PRI = re.compile(rb"<[0-9]{1,3}>1 ")
_HEAD_BYTES = len("1234567 <191>1 ") + 1  # one byte may have been inserted
_CUT_HEAD = re.compile(
    rb"[1-9][0-9]{0,%d}(?: (?:<[0-9]{0,3}(?:>(?:1 ?)?)?)?)?\Z" % (MAX_COUNT_DIGITS - 1)
)
_HEADER_BYTES = 300  # enough for HOSTNAME, APP-NAME and PROCID at their longest

_Edits = Callable[[bytes], Iterator[bytes]]


def is_cut(body: bytes, position: int, limit_bytes: int) -> bool:
    """Say whether the body ends within the frame at `position`, or within its head.

    What is left of the frame then holds no further one. A frame of a family is not
    taken for cut, because its count may be too large.
    """
    if _CUT_HEAD.match(body, position):
        return True
    return (
        locate_frame(body, position, limit_bytes) is Reason.TRUNCATED
        and HEAD.match(body, position) is not None
        and not _is_owned(body, position, limit_bytes)
    )


def look_back(
    body: bytes, followed: int, fault: int, end: int, limit_bytes: int
) -> int | None:
    """Find where frames go on from the frames that may be the cause of a fault.

    Args:
        body: Everything.
        followed: From where counts lead to the fault.
        fault: Where a count should have been.
        end: The counts of a frame that was swallowed must lead across this place.
        limit_bytes: The largest frame that is accepted.

    Returns:
        Position of the count of the frame to go on with, or the length of `body`; None
        where neither a damaged byte nor a swallowed frame is the cause.
    """
    before, last = last_two_frames(body, followed, fault, limit_bytes)
    suspects = sorted({last, fault})
    if _maybe_read_header(body, last, limit_bytes) is None:
        suspects = sorted({before, *suspects})
    first, found = suspects[0], None
    while suspects and _is_owned(body, suspects[0], limit_bytes):
        suspects.pop(0)
    if first not in suspects:
        stop = suspects[0] if suspects else end
        found = find_swallowed_frame(body, first + 1, stop, end, limit_bytes)
    if found is None and suspects:
        found = _explain_fault(body, suspects, limit_bytes)
        if found is None:
            found = find_swallowed_frame(body, before + 1, end, end, limit_bytes)
    return found


def look_back_from_text(
    body: bytes, followed: int, position: int, limit_bytes: int
) -> int | None:
    """Find where frames go on if the count at `position` may be text of a message.

    Args:
        body: Everything.
        followed: From where counts lead to `position`.
        position: Where a frame without a header begins, which the next one follows.
        limit_bytes: The largest frame that is accepted.

    Returns:
        The place that `look_back` would return if one damaged byte is the cause.
    """
    _, last = last_two_frames(body, followed, position, limit_bytes)
    if _maybe_read_header(body, last, limit_bytes) is None or _is_owned(
        body, last, limit_bytes
    ):
        return None
    return _explain_fault(body, [last, position], limit_bytes)


def _maybe_read_header(body: bytes, position: int, limit_bytes: int) -> Header | None:
    """Read the header of the frame at `position`, whose count may be damaged."""
    frame = locate_frame(body, position, limit_bytes)
    end = len(body) if isinstance(frame, Reason) else frame[1]
    start = _find_content(body, position)
    parsed = maybe_parse_header(body[start : min(end, start + _HEADER_BYTES)])
    return None if parsed is None else parsed[0]


def _is_owned(body: bytes, position: int, limit_bytes: int) -> bool:
    header = _maybe_read_header(body, position, limit_bytes)
    return header is not None and maybe_find_owner(header.app, header.proc) is not None


def _find_content(body: bytes, position: int) -> int:
    """Return where the frame's content begins behind a count that may be damaged."""
    pri = _PRI.search(body, position, position + _HEAD_BYTES)
    if pri is not None:
        return pri.start()
    count = _COUNT.match(body, position)
    return position if count is None else count.end()


def _explain_fault(body: bytes, suspects: list[int], limit_bytes: int) -> int | None:
    """Find the last place where frames may go on if one byte is damaged.

    Lost digits explain a fault only where no count stands one byte away from its
    place: they make a frame up to ten times as long, and many places possible.
    """
    shifted = {place + step for place in suspects for step in (-1, 1)}
    places, path = set(shifted), set[int]()
    for edits in (_usual_edits, _lost_digits):
        for position in suspects:
            places |= _possible_ends(body, position, limit_bytes, edits)
        places = {place for place in places if _may_go_on(body, place)}
        path = _first_path(body, places, limit_bytes)
        if not path.isdisjoint(shifted):
            break
    if not path:
        return None
    last = max(path & places)
    for place in path & shifted:
        # The frame itself is sound: its count only stands one byte away.
        frame = locate_frame(body, place, limit_bytes)
        if not isinstance(frame, Reason) and frame[1] == last:
            return place
    return last


def _may_go_on(body: bytes, place: int) -> bool:
    if place == len(body):
        return True
    return place >= 0 and POSSIBLE_HEAD.match(body, place) is not None


def _possible_ends(
    body: bytes, position: int, limit_bytes: int, edits: _Edits
) -> set[int]:
    """Return where the frame at `position` ends if one byte of it is damaged."""
    start = _find_content(body, position)
    count = body[position:start]
    sizes = {int(edit) for edit in edits(count) if _COUNT.fullmatch(edit)}
    if _COUNT.fullmatch(count):
        sizes |= {int(count) - 1, int(count) + 1}
    ends = {start + size for size in sizes if size <= limit_bytes}
    # A final newline may have been trimmed from the body.
    return {end - (end == len(body) + 1) for end in ends}


def _usual_edits(count: bytes) -> Iterator[bytes]:
    """Undo that a byte was replaced or inserted, or that the first or last was lost.

    The first digit of a count is lost when a byte of the frame before it is.
    """
    yield count + b" "
    for digit in b"123456789":
        yield b"%c%b" % (digit, count)
    for at in range(len(count)):
        yield count[:at] + count[at + 1 :]
        for byte in b"0123456789 ":
            yield b"%b%c%b" % (count[:at], byte, count[at + 1 :])


def _lost_digits(count: bytes) -> Iterator[bytes]:
    """Undo that a digit behind the first one was lost."""
    for at in range(1, len(count) + 1):
        for digit in b"0123456789":
            yield b"%b%c%b" % (count[:at], digit, count[at:])


def _first_path(body: bytes, places: set[int], limit_bytes: int) -> set[int]:
    """Follow the counts from the first of `places` from which they lead past all.

    Returns:
        Where the frames begin; nothing where the counts do not agree.
    """
    failed: set[int] = set()
    for place in sorted(places):
        path = _follow(body, place, max(places), limit_bytes, failed)
        if path:
            return path
    return set()


def _follow(
    body: bytes, position: int, horizon: int, limit_bytes: int, failed: set[int]
) -> set[int]:
    """Follow the counts from head to head until they lead past `horizon`.

    `failed` remembers from where they do not, which keeps the work linear.
    """
    path: set[int] = set()
    while True:
        position += body.startswith(b"\n", position)
        path.add(position)
        if position == len(body):
            return path
        if position in failed or not HEAD.match(body, position):
            break
        if position > horizon:
            return path if leads_on(body, position, limit_bytes) else set()
        frame = locate_frame(body, position, limit_bytes)
        if isinstance(frame, Reason):
            break
        position = frame[1]
    failed |= path
    return set()
