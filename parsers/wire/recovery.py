"""Where frames go on after a fault, so that no text inside a frame becomes a frame.

A message may hold whole frames with right counts; once the count in front of it is
damaged they look like any others. So a fault is explained first: `explain_fault` lists
where the frames next to it end if one byte of their counts or contents was replaced,
removed or inserted. The true end is on that list, and from there counts agree. The
*last* end that the counts lead to is taken, because text inside a frame can only come
before it. If no single byte explains the fault, `find_next_frame` looks for the next
place from which counts agree. Neither knows anything of what a frame says.
"""

import re
from collections.abc import Iterable, Iterator

from parsers.errors import Reason
from parsers.wire.framing import (
    HEAD,
    LOOKAHEAD_BYTES,
    MAX_COUNT_DIGITS,
    is_head_or_end,
    leads_on,
    locate_frame,
)

# A look-ahead, so that overlapping places are found: a message may end in digits
# that stand right before the count of the next frame.
_POSSIBLE_HEAD = re.compile(
    rb"(?=" + HEAD.pattern + rb"(?:[0-9]{4}-[0-9]{2}-[0-9]{2}|- ))"
)
_COUNT = re.compile(rb"[1-9][0-9]{0,%d} " % (MAX_COUNT_DIGITS - 1))
_PRI = re.compile(rb"<[0-9]{1,3}>1 ")
_PRI_WITHIN = MAX_COUNT_DIGITS + 2 + len("<191>1 ")
_CUT_HEAD = re.compile(
    rb"[1-9][0-9]{0,%d}(?: (?:<[0-9]{0,3}(?:>(?:1 ?)?)?)?)?\Z" % (MAX_COUNT_DIGITS - 1)
)


def is_cut(body: bytes, position: int, limit_bytes: int) -> bool:
    """Say whether the body ends within the frame at `position`, or within its head."""
    if _CUT_HEAD.match(body, position):
        return True
    frame = locate_frame(body, position, limit_bytes)
    return frame is Reason.TRUNCATED and HEAD.match(body, position) is not None


def find_content(body: bytes, position: int) -> int:
    """Return where the content of the frame at `position` begins, if its count is bad."""
    pri = _PRI.search(body, position, position + _PRI_WITHIN)
    if pri is not None:
        return pri.start()
    count = _COUNT.match(body, position)
    return position if count is None else count.end()


def find_head(content: bytes) -> int:
    """Return where a head stands in `content`, or its length."""
    match = _POSSIBLE_HEAD.search(content)
    return len(content) if match is None else match.start()


def explain_fault(
    body: bytes, suspects: Iterable[int], limit_bytes: int
) -> int | None:
    """Find where frames go on if one damaged byte explains a fault.

    Args:
        body: Everything.
        suspects: Where the frames begin that may be damaged. The last one is the place
            where no frame was found.
        limit_bytes: The largest frame that is accepted.

    Returns:
        Position of the count of the frame to go on with, or the length of `body`; None
        where no single byte explains the fault.
    """
    places: set[int] = set()
    again: dict[int, int] = {}  # the end of a frame -> its count, one byte away
    for position in suspects:
        for place in (position - 1, position + 1):
            frame = locate_frame(body, max(place, 0), limit_bytes)
            if not isinstance(frame, Reason):
                places.add(place)
                again[frame[1]] = place
    for edits in (_usual_edits, _lost_digits):
        for position in suspects:
            places |= _possible_ends(body, position, limit_bytes, edits)
        last = _last_place(body, places, limit_bytes, again)
        if last is not None:
            return last
    return None


def _last_place(body, places, limit_bytes, again):
    places = {place for place in places if _is_possible(body, place)}
    failed: set[int] = set()
    for place in sorted(places):
        path = _follow(body, place, max(places), limit_bytes, failed)
        if path:
            last = max(path & places)
            return again[last] if again.get(last) in path else last
    return None


def _is_possible(body: bytes, place: int) -> bool:
    return place == len(body) or (
        place >= 0 and _POSSIBLE_HEAD.match(body, place) is not None
    )


def _possible_ends(body: bytes, position: int, limit_bytes: int, edits) -> set[int]:
    """Return where the frame at `position` ends if one byte of it is damaged."""
    start = find_content(body, position)
    text = body[position:start]
    sizes = {int(edit) for edit in edits(text) if _COUNT.fullmatch(edit)}
    if _COUNT.fullmatch(text):
        sizes |= {int(text) - 1, int(text) + 1}
    ends = {start + size for size in sizes if size <= limit_bytes}
    # A newline may have been trimmed from the body.
    return {end - (end == len(body) + 1) for end in ends}


def _usual_edits(text: bytes) -> Iterator[bytes]:
    """Undo that one byte was replaced or inserted, or the first or last one lost."""
    yield text + b" "
    for byte in b"123456789":
        yield b"%c%b" % (byte, text)
    for at in range(len(text)):
        yield text[:at] + text[at + 1 :]
        for byte in b"0123456789 ":
            yield b"%b%c%b" % (text[:at], byte, text[at + 1 :])


def _lost_digits(text: bytes) -> Iterator[bytes]:
    """Undo that one digit was lost."""
    for at in range(1, len(text) + 1):
        for byte in b"0123456789":
            yield b"%b%c%b" % (text[:at], byte, text[at:])


def _follow(
    body: bytes, position: int, horizon: int, limit_bytes: int, failed: set[int]
) -> set[int]:
    """Follow the counts from head to head until they pass `horizon`.

    Returns:
        Where the frames begin; nothing if the counts do not agree.
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
            return path
        frame = locate_frame(body, position, limit_bytes)
        if isinstance(frame, Reason):
            break
        position = frame[1]
    failed |= path
    return set()


def find_swallowed_frame(
    body: bytes, doubtful: int, fault: int, limit_bytes: int
) -> int | None:
    """Find a frame that one with too large a count holds.

    Only a head from which the counts lead across the fault without a break is taken.

    Args:
        body: Everything.
        doubtful: From where a count may have been wrong.
        fault: Where a count should have been.
        limit_bytes: The largest frame that is accepted.

    Returns:
        Position of its count, or None.
    """
    failed: set[int] = set()
    for match in _POSSIBLE_HEAD.finditer(body, doubtful, fault + LOOKAHEAD_BYTES):
        if match.start() >= fault:
            break
        if _leads_across(body, match.start(), fault, limit_bytes, failed):
            return match.start()
    return None


def find_next_frame(
    body: bytes, fault: int, stop: int, limit_bytes: int
) -> int | None:
    """Find the next head at or behind a fault whose count leads on.

    Args:
        body: Everything.
        fault: Where a count should have been.
        stop: The frame must begin before this.
        limit_bytes: The largest frame that is accepted.

    Returns:
        Position of its count, or None.
    """
    for match in _POSSIBLE_HEAD.finditer(body, fault, stop + LOOKAHEAD_BYTES):
        if match.start() >= stop:
            break
        if leads_on(body, match.start(), limit_bytes):
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
    if position == len(body) or (position > fault and is_head_or_end(body, position)):
        return True
    failed.update(visited)
    return False


