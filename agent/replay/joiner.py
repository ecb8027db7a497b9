"""Joins broker lines with what continues them, while an archive is read in order."""

from collections.abc import Iterable, Iterator

from agent.state.log_events import join_continuations
from parsers import BrokerContinuation, BrokerLog, Reason, Record, Unparsed

_OPEN_NODES = 1024
"""Nodes of which the newest line is held back, since more of it may come."""


class Joiner:
    """Holds back the newest line of each node until the node's next one.

    Call `receive` with the records of one archive, in order, and `receive_eof` at its
    end.
    """

    def __init__(self) -> None:
        self._open: dict[tuple[str, str], BrokerLog] = {}

    def receive(self, records: Iterable[Record]) -> Iterator[Record]:
        """Take records.

        Args:
            records: In their order.

        Yields:
            The same, with lines made whole and no continuation among them.
        """
        for one in records:
            if isinstance(one, BrokerLog):
                yield from self._begin(one)
            elif isinstance(one, BrokerContinuation):
                yield from self._continue(one)
            else:
                yield one

    def receive_eof(self) -> Iterator[Record]:
        """Yield what is still held back."""
        yield from self._open.values()
        self._open.clear()

    def _begin(self, line: BrokerLog) -> Iterator[BrokerLog]:
        before = self._open.pop((line.addon, line.node), None)
        if before is not None:
            yield before
        elif len(self._open) >= _OPEN_NODES:
            yield self._open.pop(next(iter(self._open)))
        self._open[line.addon, line.node] = line

    def _continue(self, more: BrokerContinuation) -> Iterator[Record]:
        key = (more.addon, more.node)
        line = self._open.get(key)
        joined = [] if line is None else join_continuations([line, more])
        if len(joined) == 1 and isinstance(joined[0], BrokerLog):
            self._open[key] = joined[0]
        else:
            yield Unparsed(reason=Reason.NO_LEVEL)
