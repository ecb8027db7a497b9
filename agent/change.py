"""What one batch of records changes: prepared, perhaps made durable, then committed."""

from collections import defaultdict
from functools import partial
from typing import Any, NamedTuple

from msgspec import Struct, field

from agent.clock import Moment
from agent.kafka.classifier import Verdict
from agent.metrics.specs import Drop
from agent.state.log_events import LogEvent
from parsers import (
    BrokerContinuation,
    BrokerLog,
    DrainLoss,
    FrameKind,
    MetricLine,
    Reason,
)

_no_counts: "partial[defaultdict[Any, int]]" = partial(defaultdict, int)
"""In C, unlike a lambda, since it is called for each request."""


class Origin(NamedTuple):
    """Where a batch comes from.

    Attributes:
        drain_token: ``Logplex-Drain-Token``; empty where there is none (Shield, text).
        request_id: What stays the same when the request is tried again:
            ``Logplex-Frame-Id``, else log-shuttle's ``X-Request-Id``, else empty.
        announced: ``Logplex-Msg-Count`` as sent; empty where there is none.
        addons: The only add-ons whose lines it may bring; empty for all.
        is_request: Whether it is a request of a drain, whose losses count once for
            all of its tries; else a loss is known by its line.
        numbers_equal_lines: Whether equal lines were really written as often as they
            come. In text that is followed live they count once, since recent lines are
            printed again after a reconnect.
    """

    drain_token: bytes = b""
    request_id: bytes = b""
    announced: bytes = b""
    addons: frozenset[str] = frozenset()
    is_request: bool = True
    numbers_equal_lines: bool = True


class NewMetrics(NamedTuple):
    """A metric line that was not received before.

    Attributes:
        line: The line.
        key: Its identity; None without a timestamp.
    """

    line: MetricLine
    key: bytes | None


class NewLog(NamedTuple):
    """A broker line that was not received before.

    Attributes:
        line: The line, with the trace that belongs to it.
        verdict: What it means.
        key: Its identity; None without a timestamp.
        event: What is remembered of it.
        size: Memory that the event takes, in bytes.
    """

    line: BrokerLog
    verdict: Verdict
    key: bytes | None
    event: LogEvent
    size: int


class NewLoss(NamedTuple):
    """A reported loss that is counted once, other than by its request.

    Attributes:
        loss: What the log pipeline reports.
        key: Its identity; None where the request tells it from a repetition.
    """

    loss: DrainLoss
    key: bytes | None


NewLine = NewMetrics | NewLog | NewLoss | BrokerContinuation


class Change(Struct, kw_only=True):
    """A batch, judged: what is new, repeated, refused. Nothing is applied yet.

    A `Struct`, since one is made for each request, and a dataclass takes 1 µs longer.

    Attributes:
        origin: Where it comes from.
        now: When it was received.
        revision: The engine's, when the batch was compared with what it remembers.
        request: Identity of the request; None without an id.
        known_losses: Messages that earlier tries of the request reported as dropped by
            its own drain; None for a new request.
        own_losses: The same, as this try reports it.
        frames: Frames of each kind, in the order of `FrameKind`.
        miscounted: Whether the number of frames differs from the announced one.
        lines: What is new, in order.
        keys: Identities of the new lines.
        repeated: Lines that were received before, by kind of frame.
        refused: Frames, lines and values that could not be parsed, by reason.
        dropped: Samples and lines that the origin may not bring, by reason.
        faults: Exceptions that cost one line each.
    """

    origin: Origin
    now: Moment
    revision: int
    request: bytes | None = None
    known_losses: int | None = None
    own_losses: int = 0
    frames: tuple[int, ...] = ()
    miscounted: bool = False
    lines: list[NewLine] = field(default_factory=list)
    keys: set[bytes] = field(default_factory=set)
    repeated: dict[FrameKind, int] = field(default_factory=_no_counts)
    refused: dict[Reason, int] = field(default_factory=_no_counts)
    dropped: dict[Drop, int] = field(default_factory=_no_counts)
    faults: list[Exception] = field(default_factory=list)

    @property
    def is_duplicate(self) -> bool:
        """Whether the whole request was applied before."""
        return self.known_losses is not None
