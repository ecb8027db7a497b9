"""What a family of log lines is: who it belongs to and how it is read."""

from collections.abc import Callable
from dataclasses import dataclass

from parsers.records import Event, FrameKind, Header


@dataclass(slots=True)
class Budget:
    """How many lines the slow grammar may still read; refilled by whoever has a clock.

    Attributes:
        lines: Lines left.
    """

    lines: int

    def spend(self) -> bool:
        """Take one line out of the budget; False when it is used up."""
        if self.lines <= 0:
            return False
        self.lines -= 1
        return True


Parse = Callable[[Header, bytes, bool, Budget], list[Event]]
"""Header, message, whether its end can be trusted, grammar budget: to events.

The end cannot be trusted where a wrong count may have cut or stretched it.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One kind of log line that we understand.

    Attributes:
        kind_of: APP-NAME and PROCID to the kind of frame, None for others' lines.
        may_own: APP-NAME and the first bytes of PROCID to whether the line could be
            ours; False is a promise that `kind_of` answers None.
        parse: One line of the family to events; refusals are events too.
    """

    kind_of: Callable[[bytes, bytes], FrameKind | None]
    may_own: Callable[[bytes, bytes], bool]
    parse: Parse
