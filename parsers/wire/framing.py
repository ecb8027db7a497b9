"""Octet-counted frames: where one ends, and where the next begins after a fault.

EBNF (RFC 6587 section 3.4.1)::

    body  = { frame } ;
    frame = count, " ", count * octet ;
    count = "0" | nonzero-digit, { digit } ;           (RFC 6587 has no zero)

Bytes are counted, never characters, and newlines mean nothing: Logplex's own L10
frame ends without one, and a message may hold any number. Text inside a frame is
therefore never taken for a frame, unless a count is broken: then `find_next_frame` looks
for the next place from which the counts agree again. It knows nothing of what a
frame says.
"""

import re

from parsers.errors import Reason

MAX_COUNT_DIGITS = 7

_COUNT = re.compile(rb"(0|[1-9][0-9]{0,%d}) " % (MAX_COUNT_DIGITS - 1))
_ANY_COUNT = re.compile(rb"[1-9][0-9]+ ")
_HEAD = re.compile(rb"[1-9][0-9]{0,%d} <[0-9]{1,3}>1 " % (MAX_COUNT_DIGITS - 1))
# A look-ahead, so that overlapping places are found: a message may end in digits
# that stand right before the count of the next frame.
_POSSIBLE_HEAD = re.compile(
    rb"(?=" + _HEAD.pattern + rb"(?:[0-9]{4}-[0-9]{2}-[0-9]{2}|- ))"
)

# A count that is missing, has too many digits, or something else than digits in it: no
# part of a good count looks like this, so none was eaten by the frame before.
_DAMAGED_HEAD = re.compile(
    rb"(?:[0-9]{%d,20} |[^<]{0,8}[^<0-9 ][^<]{0,8})?" % (MAX_COUNT_DIGITS + 1)
    + rb"<[0-9]{1,3}>1 (?:[0-9]{4}-[0-9]{2}-[0-9]{2}|- )"
)

LOOKAHEAD_BYTES = 64
"""Bytes behind a frame that suffice to see whether another one begins there."""

_HEAD_BYTES = 16  # the longest text that _HEAD needs, rounded up


def locate_frame(
    body: bytes, position: int, limit_bytes: int
) -> tuple[int, int] | Reason:
    """Find the frame whose count stands at `position`.

    A count that exceeds the end of the body by exactly one is taken as a frame whose
    final newline was trimmed: hand-made requests and public test data do that.

    Args:
        body: Everything from the first count on.
        position: Where the count must stand.
        limit_bytes: The largest frame that is accepted.

    Returns:
        Start and end of the frame's content, or why there is none.
    """
    match = _COUNT.match(body, position)
    if match is None:
        too_long = _ANY_COUNT.match(body, position, position + LOOKAHEAD_BYTES)
        return Reason.BAD_COUNT if too_long is None else Reason.FRAME_TOO_LARGE
    size = int(match[1])
    if size > limit_bytes:
        return Reason.FRAME_TOO_LARGE
    start = match.end()
    end = start + size
    if end > len(body):
        if end > len(body) + 1 or size < 2:  # noqa: PLR2004 (a newline and something)
            return Reason.TRUNCATED
        end = len(body)
    return start, end


def is_whole(body: bytes, start: int, end: int, limit_bytes: int) -> bool:
    """Say whether the frame at `start` really ends at `end`, as its count says.

    A count that is too small leaves text behind; one that is too large eats digits of
    the next count, and they would become part of the last value.
    """
    if end >= len(body) or body[end - 1 : end] == b"\n":
        # No digit can have been eaten behind the newline, and no value cut before it.
        return True
    if not _is_head_or_end(body, end):
        # Perhaps a frame whose own count or header is broken.
        damaged = _DAMAGED_HEAD.match(body, end) and body[end - 1 : end] != b" "
        return bool(damaged) or _leads_on(body, end, limit_bytes)
    if _leads_on(body, end, limit_bytes):
        return True
    lowest = max(start, end - MAX_COUNT_DIGITS)
    eaten = len(body[lowest:end]) - len(body[lowest:end].rstrip(b"0123456789"))
    return not any(
        _leads_on(body, place, limit_bytes) for place in range(end - eaten, end)
    )


def is_settled(body: bytes, position: int, limit_bytes: int) -> bool:
    """Say whether no further byte can change where the frame at `position` ends.

    A frame that ends in a newline is settled with its last byte; any other one by the
    head of the next frame, unless it ends in a digit, which may be of the next count.
    """
    match = _COUNT.match(body, position)
    if match is None:
        return False
    size, end = int(match[1]), match.end() + int(match[1])
    if not 0 < size <= limit_bytes or end > len(body):
        return False
    if body[end - 1 : end] == b"\n":
        return True
    if body.startswith(b"\n", end):
        return _HEAD.match(body, end + 1) is not None
    return _HEAD.match(body, end) is not None and (
        not body[end - 1 : end].isdigit() or _leads_to_head(body, end, limit_bytes)
    )


def _leads_to_head(body: bytes, position: int, limit_bytes: int) -> bool:
    frame = locate_frame(body, position, limit_bytes)
    return not isinstance(frame, Reason) and _HEAD.match(body, frame[1]) is not None


def is_partial(body: bytes, position: int, limit_bytes: int) -> bool:
    """Say whether the bytes at `position` can be a frame of which some is missing.

    Also true where the frame is whole and behind it stands what may be a part of the
    next frame's head, without which its end cannot be judged.
    """
    rest = len(body) - position
    if rest <= MAX_COUNT_DIGITS and (not rest or body[position:].isdigit()):
        return True
    match = _COUNT.match(body, position)
    if match is None or int(match[1]) > limit_bytes:
        return False
    behind = len(body) - match.end() - int(match[1])
    return behind < 0 or 0 < behind < _HEAD_BYTES


def _leads_on(body: bytes, position: int, limit_bytes: int) -> bool:
    """Say whether the count at `position` leads to another head or to the end."""
    frame = locate_frame(body, position, limit_bytes)
    if isinstance(frame, Reason):
        return False
    return _is_head_or_end(body, frame[1])


def _is_head_or_end(body: bytes, position: int) -> bool:
    """Say whether a frame begins here, or nothing more; a newline may be uncounted."""
    position += body.startswith(b"\n", position)
    return position == len(body) or _HEAD.match(body, position) is not None


def find_next_frame(
    body: bytes, doubtful: int, fault: int, stop: int, limit_bytes: int
) -> int | None:
    """Find the next frame after a fault, or None where there is none.

    Two kinds of place are believed. At or behind the fault: the head of a syslog
    frame whose count leads on. Before it, inside a frame whose count may have been
    too large: only a head from which the counts lead across the fault without a
    break. Text that imitates frames cannot do that, since its author does not know
    the lengths of the frames that follow.

    Args:
        body: Everything.
        doubtful: From where a count may have been wrong.
        fault: Where a count should have been.
        stop: The frame must begin before this.
        limit_bytes: The largest frame that is accepted.

    Returns:
        Position of the count of the frame to go on with.
    """
    failed: set[int] = set()
    for match in _POSSIBLE_HEAD.finditer(body, doubtful, fault + LOOKAHEAD_BYTES):
        if match.start() >= fault:
            break
        if _leads_across(body, match.start(), fault, limit_bytes, failed):
            return match.start()
    for match in _POSSIBLE_HEAD.finditer(body, fault, stop + LOOKAHEAD_BYTES):
        if match.start() >= stop:
            break
        if _leads_on(body, match.start(), limit_bytes):
            return match.start()
    return None


def _leads_across(
    body: bytes, position: int, fault: int, limit_bytes: int, failed: set[int]
) -> bool:
    """Follow the counts from `position`; True if they pass `fault` and still agree.

    `failed` remembers the places from which they do not, which keeps the work linear.
    """
    visited: list[int] = []
    while position < fault:
        frame = locate_frame(body, position, limit_bytes)
        if position in failed or isinstance(frame, Reason):
            failed.update(visited)
            return False
        visited.append(position)
        position = frame[1]
    if position == len(body) or (position > fault and _is_head_or_end(body, position)):
        return True
    failed.update(visited)
    return False


def last_two_frames(
    body: bytes, position: int, end: int, limit_bytes: int
) -> tuple[int, int]:
    """Follow the counts from `position` towards `end`, again and remembering.

    Args:
        body: Everything.
        position: Where a frame begins.
        end: The frames that begin before this are followed.
        limit_bytes: The largest frame that is accepted.

    Returns:
        Where the last frame but one and the last one begin; `position` for frames
        that do not exist. The last one may be broken, the others are not.
    """
    before = last = position
    while position < end:
        before, last = last, position
        frame = locate_frame(body, position, limit_bytes)
        if isinstance(frame, Reason):
            break
        position = frame[1]
    return before, last
