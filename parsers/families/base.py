"""What a family of log lines is: whose lines it recognises and how it reads them."""

from collections.abc import Callable
from dataclasses import dataclass, field

from parsers.records import FrameKind, Header, Record


@dataclass(slots=True)
class Budget:
    """How many bytes the slow grammar may read, in a second and in one request.

    Bytes and not lines, because the grammar takes up to 25 µs for a byte, and more for
    each byte of a longer message: one line of 10 kB costs as much as a thousand usual
    ones. The bound per request keeps its worst case at 40 ms.

    Attributes:
        bytes_per_second: Bytes in a full budget; None lets the grammar read all.
        bytes_per_request: Bytes between two calls of `refill`, and so of one line.
    """

    bytes_per_second: int | None = None
    bytes_per_request: int = 1_536
    _left: int = field(init=False, default=0)
    _left_of_request: int = field(init=False, default=0)
    _refilled_at: float = field(init=False, default=float("-inf"))

    def __post_init__(self) -> None:
        self._left = self.bytes_per_second or 0
        self._left_of_request = self.bytes_per_request

    def refill(self, now: float) -> None:
        """Begin a request: fill the budget if a second has passed since the last time.

        Args:
            now: Seconds on any clock that only goes forward.
        """
        self._left_of_request = self.bytes_per_request
        if now - self._refilled_at >= 1.0:
            self._left = self.bytes_per_second or 0
            self._refilled_at = now

    def spend(self, size: int) -> bool:
        """Take the bytes of one line out of the budget; False where they exceed it."""
        if self.bytes_per_second is None:
            return True
        if size > min(self._left, self._left_of_request):
            return False
        self._left -= size
        self._left_of_request -= size
        return True


Parse = Callable[[FrameKind, Header, bytes, bool, Budget], list[Record]]
"""Kind, header, message, whether its end can be trusted, grammar budget: to records.

The end cannot be trusted where a wrong count may have cut or stretched it.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One kind of log line that the parsers read.

    Attributes:
        kind_of: APP-NAME and PROCID to the kind of frame, None for unrelated lines.
        may_own: APP-NAME and the first bytes of PROCID to whether the line could be
            of this family; False is a promise that `kind_of` answers None.
        parse: One line of the family to records; refusals are records too.
    """

    kind_of: Callable[[bytes, bytes], FrameKind | None]
    may_own: Callable[[bytes, bytes], bool]
    parse: Parse
