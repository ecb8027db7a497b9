"""Lines in which the log pipeline itself says how many messages it lost.

EBNF (Dev Center "Error Codes"; heroku/logplex ``overflow_msg/2``; heroku/log-shuttle
``NewLogplexErrorFormatter``)::

    loss   = [ "Error " ], code, text, [ drain ], number, " messages", … ;
    code   = "L10" | "L11" | "L12" | "L13" ;
    drain  = "drain '", token, "' dropped " ;

The number is the one directly before `` messages``, so a port or another code is
never taken for it.
"""

import re
from typing import cast

from parsers.records import DrainLoss, LossCode

MAX_LOSS = 1_000_000_000
"""One line may report at most this many; the largest one seen in public is 302,626."""

_LOSS = re.compile(
    rb"(?:Error )?(L1[0123])\b[^\n]{0,120}?"
    rb"(?:drain '(d\.[0-9A-Za-z-]{1,64})' dropped )?"
    rb"(?<![0-9])([0-9]{1,40}) messages"
)


def maybe_parse_loss(message: bytes) -> DrainLoss | None:
    """Read the number of lost messages from a line of Logplex or log-shuttle.

    Args:
        message: The message of a line whose PROCID is ``logplex`` or
            ``log-shuttle``; a dyno can print the same text.

    Returns:
        The loss, or None where the line reports none (L14, L15, L20).
    """
    match = _LOSS.match(message)
    if match is None:
        return None
    code, drain, count = match.groups()
    return DrainLoss(
        code=cast("LossCode", code.decode()),
        count=min(int(count), MAX_LOSS),
        drain=None if drain is None else drain.decode(),
    )
