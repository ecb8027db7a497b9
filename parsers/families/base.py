"""What a family of log lines is: whose lines it recognises and how it reads them."""

from collections.abc import Callable
from dataclasses import dataclass, field

from parsers.records import FrameKind, Header, Record


@dataclass(slots=True)
class Budget:
    """How many lines the slow grammar may read; refilled once a second.

    Attributes:
        lines_per_second: Lines in a full budget; None lets the grammar read all.
    """

    lines_per_second: int | None = None
    _left: int = field(init=False, default=0)
    _refilled_at: float = field(init=False, default=float("-inf"))

    def __post_init__(self) -> None:
        self._left = self.lines_per_second or 0

    def refill(self, now: float) -> None:
        """Fill the budget where the last time was a second or more ago.

        Args:
            now: Seconds on any clock that only goes forward.
        """
        if now - self._refilled_at >= 1.0:
            self._left = self.lines_per_second or 0
            self._refilled_at = now

    def spend(self) -> bool:
        """Take one line out of the budget; False when it is used up."""
        if self.lines_per_second is None:
            return True
        if self._left <= 0:
            return False
        self._left -= 1
        return True


Parse = Callable[[Header, bytes, bool, Budget], list[Record]]
"""Header, message, whether its end can be trusted, grammar budget: to records.

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
