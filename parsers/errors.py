"""Why text was refused: a closed set of reasons and the record of one refusal.

Imports nothing of ours. The reasons become the label values of
``heroku_kafka_agent_parse_errors_total``, so the set is closed and small.
"""

from dataclasses import dataclass
from enum import Enum

EXCERPT_BYTES = 80


class Reason(Enum):
    """Why a frame, a line or one value of a line was refused."""

    # Framing (RFC 6587 section 3.4.1)
    BAD_COUNT = "bad_count"
    FRAME_TOO_LARGE = "frame_too_large"
    TRUNCATED = "truncated"
    MISCOUNTED = "miscounted"
    # Header (the Logplex dialect of RFC 5424)
    BAD_HEADER = "bad_header"
    BAD_TIMESTAMP = "bad_timestamp"
    # Metric line
    BAD_BROKER = "bad_broker"
    NO_ADDON = "no_addon"
    BAD_ADDON = "bad_addon"
    NO_SAMPLES = "no_samples"
    BAD_SYNTAX = "bad_syntax"
    BAD_NAME = "bad_name"
    NO_VALUE = "no_value"
    BAD_NUMBER = "bad_number"
    UNKNOWN_UNIT = "unknown_unit"
    DUPLICATE_SAMPLE = "duplicate_sample"
    NOT_A_SAMPLE = "not_a_sample"
    GRAMMAR_BUDGET = "grammar_budget"
    # Broker line
    BAD_NODE = "bad_node"
    NO_LEVEL = "no_level"
    UNKNOWN_LEVEL = "unknown_level"


FRAMING_REASONS = frozenset(
    {Reason.BAD_COUNT, Reason.FRAME_TOO_LARGE, Reason.TRUNCATED, Reason.MISCOUNTED}
)
"""The refusals that are about where a frame ends, not about what it says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unparsed:
    """Text that was not understood: counted, never raised.

    Attributes:
        reason: Why.
        offset: Bytes from the start to the place of the failure: of the body for
            framing, else of the frame, the line or the message.
        excerpt: At most 80 bytes from there. It is untrusted: whoever shows it
            escapes it.
    """

    reason: Reason
    offset: int = 0
    excerpt: bytes = b""


def refuse(reason: Reason, text: bytes, offset: int = 0) -> Unparsed:
    """Build the refusal of `text` at `offset`, with an excerpt from there."""
    return Unparsed(
        reason=reason,
        offset=offset,
        excerpt=bytes(text[offset : offset + EXCERPT_BYTES]),
    )
