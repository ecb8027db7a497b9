"""Headers of Kafka's frames that were read before, recognised by their bytes.

Lines of one broker id and one second share their header, so a busy drain repeats most
headers. A header is learned only if it ends with its first empty MSGID (``-``) and no
structured data follows: its own bytes then decide where it ends.
"""

from parsers.families import Owner
from parsers.records import Header
from parsers.wire.foreign import STEPS
from parsers.wire.framing import is_whole

_COUNT_BYTES = 4  # of the frames in STEPS
_MAX_HEADERS = 1024
_NO_MSGID = b" - "
_STRUCTURED_DATA = (b"- ", b"[")  # how it can begin


class KnownHeaders:
    """The headers that were learned, a bounded number.

    Args:
        limit_bytes: Larger frames are not found.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._headers: dict[bytes, tuple[Owner, Header]] = {}

    def learn(self, content: bytes, start: int, owner: Owner, header: Header) -> None:
        """Learn a header; all are forgotten first where there are too many.

        Args:
            content: The frame without its count.
            start: Where its message begins.
            owner: Whose it is.
            header: The header.
        """
        if header.bad_timestamp or content.find(_NO_MSGID) + len(_NO_MSGID) != start:
            return
        if len(self._headers) >= _MAX_HEADERS:
            self._headers.clear()
        self._headers[content[:start]] = owner, header

    def maybe_locate(
        self, body: bytes, position: int
    ) -> tuple[Owner, Header, int, int] | None:
        """Find the frame whose count stands at `position`.

        Args:
            body: Octet-counted frames.
            position: Where the count must stand.

        Returns:
            Whose it is, its header, where its message begins and where the frame ends;
            None where the header is not known or the count doubtful.
        """
        head = position + _COUNT_BYTES
        end = position + STEPS.get(body[position : head + 1], 0)
        start = body.find(_NO_MSGID, head, end) + len(_NO_MSGID)
        known = self._headers.get(body[head:start])
        if (
            known is None
            or end > len(body)
            or end - head > self._limit
            or body.startswith(_STRUCTURED_DATA, start)
            or not is_whole(body, head, end, self._limit)
        ):
            return None
        owner, header = known
        return owner, header, start, end
