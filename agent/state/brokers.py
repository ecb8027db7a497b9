"""The newest values of one broker, by the lines' own timestamps.

A broker sends lines of one shape every few seconds. So its newest line is kept whole, as
its *row*, and the next one of the same shape takes its place; values, stamps and history
are brought up to date when something needs them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from agent.state.history import STEP_SECONDS, History
from parsers import SampleKey

# Stamps of untrusted samples are moved back by this, so that among themselves the
# newest wins, and any trusted one wins over all of them.
DISTRUST_SECONDS = 1e12
NEVER = float("-inf")

_NO_ROW: Mapping[SampleKey, float] = MappingProxyType({})


@dataclass(slots=True)
class Broker:
    """The newest values of one broker, or of a whole cluster.

    Read `values`, `stamps` and `history` after `settle` only.

    Attributes:
        values: Newest value of each sample.
        stamps: Its timestamp, moved far back where it is not trusted.
        newest: The newest of the stamps, and the row's timestamp.
        last_timestamp: The newest timestamp of any of them; never in the future.
        applied_at: When a value was last applied, on the monotonic clock.
        samples: Samples received, without duplicates.
        history: Some of them over the last hours.
        row: The samples of the newest line, where all of them are newest and trusted.
    """

    values: dict[SampleKey, float] = field(default_factory=dict)
    stamps: dict[SampleKey, float] = field(default_factory=dict)
    newest: float = NEVER
    last_timestamp: float = 0.0
    applied_at: float = NEVER
    samples: int = 0
    history: History = field(default_factory=History)
    row: Mapping[SampleKey, float] = _NO_ROW
    _shape: tuple[SampleKey, ...] = field(init=False, default=())
    _step_end: float = field(init=False, default=NEVER)  # of the row's, in the history

    def settle(self) -> None:
        """Write the row to values, stamps and history."""
        if self.row:
            self.values.update(self.row)
            self.stamps.update(dict.fromkeys(self.row, self.newest))
            self.history.record(self.newest, self.row)
            self.row = _NO_ROW
            self._shape = ()

    def put_row(
        self,
        samples: Mapping[SampleKey, float],
        timestamp: float,
        known: set[SampleKey],
    ) -> bool:
        """Put a trusted line in place of the row, if all of it is to be applied.

        Args:
            samples: The line's, at least one.
            timestamp: The line's.
            known: Samples that have a gauge.

        Returns:
            False, with nothing applied, where each sample has to be judged by itself.
        """
        shape = tuple(samples)  # compared with another by identity, in their order
        same = shape == self._shape
        if (
            timestamp < self.newest
            or min(samples.values()) < 0
            or not (same or known.issuperset(shape))
        ):
            return False
        if not same or timestamp >= self._step_end:
            self.settle()
            self._step_end = (timestamp // STEP_SECONDS + 1) * STEP_SECONDS
        self.row = samples
        self._shape = shape
        self.newest = timestamp
        return True

    def maybe_write(self, key: SampleKey, value: float, stamp: float) -> bool:
        """Write one sample; False where it is older than what is there.

        Call `settle` before.
        """
        if stamp < self.stamps.get(key, NEVER):
            return False
        self.values[key] = value
        self.stamps[key] = stamp
        self.newest = max(self.newest, stamp)
        return True

    def copy_values(self) -> dict[SampleKey, float]:
        """Return the newest value of each sample, in a dict of its own."""
        return {**self.values, **self.row}

    def clear(self) -> None:
        """Forget the values, so that the next ones win whatever their timestamps."""
        self.settle()
        self.values.clear()
        self.stamps.clear()
        self.newest = NEVER

    def distrust(self, wall: float) -> None:
        """Treat stamps that are in the future since our clock was set back as untrusted.

        Else nothing that is received under the new time would win over them.

        Args:
            wall: The present.
        """
        self.settle()
        for key, stamp in self.stamps.items():
            if stamp > wall:
                self.stamps[key] = stamp - DISTRUST_SECONDS
        self.newest = max(self.stamps.values(), default=NEVER)
        self.last_timestamp = min(self.last_timestamp, wall)
