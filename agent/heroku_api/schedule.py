"""What the collector asks for, when, and what it counts of that."""

from dataclasses import dataclass, field
from enum import Enum

from agent.heroku_api.client import Outcome


class Endpoint(Enum):
    """What is asked for, in the order of asking: label ``endpoint``.

    The cluster comes last, so that its record holds the others as they are now.
    """

    ADDON = "addon"
    WAIT_STATUS = "wait_status"
    TOPICS = "topics"
    CLUSTER = "cluster"


def _no_requests() -> dict[tuple[Endpoint, Outcome], int]:
    return dict.fromkeys(((one, what) for one in Endpoint for what in Outcome), 0)


@dataclass(slots=True)
class PollerTelemetry:
    """What the collector counts of its own work.

    Attributes:
        requests: Requests by endpoint and by what became of them; all pairs exist from
            the start. See `Outcome` for what each means.
        unseen: Add-ons that are asked about and whose cluster was not seen yet.
    """

    requests: dict[tuple[Endpoint, Outcome], int] = field(default_factory=_no_requests)
    unseen: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True, kw_only=True)
class PollerLimits:
    """What one request may take, and how slow the slowest pace is.

    Attributes:
        timeout_seconds: Time for a whole answer.
        answer_bytes: What is read of one at most.
        slow_seconds: Pause after a refusal, longest pause after faults and longest one
            that a ``Retry-After`` gets; also how long a name is not looked up again.
    """

    timeout_seconds: float = 10.0
    answer_bytes: int = 4_194_304
    slow_seconds: float = 3_600.0


DEFAULT_LIMITS = PollerLimits()


@dataclass(slots=True)
class PollState:
    """One endpoint of one add-on.

    Attributes:
        endpoint: Which one.
        due: When it is asked next, on the event loop's clock.
        answered: When an answer, or a fault, came last; 0 for never.
        held_until: Until when the host has wished to be left alone.
        faults: Faults in a row.
        etag: How the server named what it said last.
        value: What it said last: a JSON object; None for nothing that still holds.
    """

    endpoint: Endpoint
    due: float = 0.0
    answered: float = 0.0
    held_until: float = 0.0
    faults: int = 0
    etag: str | None = None
    value: object = field(default=None, repr=False)  # holds what must not be shown

    def forget(self) -> None:
        """Drop what was said last, so that it is told again in full."""
        self.value = self.etag = None


@dataclass(slots=True)
class Addon:
    """One add-on.

    Attributes:
        given: What the settings call it.
        name: What the platform calls it, once that is known.
        uuid: What the Data API calls it; None where it has to be looked up first.
        plan: Name of its plan.
        polls: Its endpoints, in the order of asking.
    """

    given: str
    name: str
    uuid: str | None = None
    plan: str | None = None
    polls: dict[Endpoint, PollState] = field(
        default_factory=lambda: {one: PollState(one) for one in Endpoint}
    )

    def forget(self) -> None:
        """Drop all that was said of it; its UUID may be another one next time."""
        self.uuid = None
        for poll in self.polls.values():
            poll.forget()
