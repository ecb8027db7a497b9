"""Numbers with units, and timestamps, to floats in base units.

Heroku's producers print Ruby floats: ``0``, ``0.0``, ``15664876.0kB``,
``1.2e-05``. ``kB`` is 1024 bytes: the documented ``memory-total=16098868kB`` is
what /proc/meminfo reports on a 16 GiB host.
"""

import math
import re
from datetime import UTC, datetime, timedelta, timezone

from parsers.errors import Reason
from parsers.records import BaseUnit

NUMBER = rb"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
"""EBNF: number = [ sign ], digits, [ ".", digits ], [ ( "e" | "E" ), [ sign ], digits ]

Checked before ``float`` sees the text, because ``float`` also takes ``1_000``,
``inf`` and the digits of other scripts.
"""

UNITS: dict[bytes, tuple[BaseUnit, float]] = {
    b"": ("", 1.0),
    b"B": ("bytes", 1.0),
    b"bytes": ("bytes", 1.0),
    **dict.fromkeys((b"kB", b"KB", b"kb", b"KiB"), ("bytes", 1024.0)),
    **dict.fromkeys((b"MB", b"mb", b"MiB"), ("bytes", 1024.0**2)),
    **dict.fromkeys((b"GB", b"gb", b"GiB"), ("bytes", 1024.0**3)),
    **dict.fromkeys((b"TB", b"tb", b"TiB"), ("bytes", 1024.0**4)),
    b"us": ("seconds", 1e-6),
    b"ms": ("seconds", 1e-3),
    b"s": ("seconds", 1.0),
    b"pages": ("pages", 1.0),
    b"%": ("ratio", 0.01),
}
"""Unit as written to base unit and factor (sizes are powers of 1024)."""

_VALUE = re.compile(rb"(" + NUMBER + rb")([A-Za-z%]*)")

_TIMESTAMP = re.compile(
    rb"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(\.\d{1,9})?"
    rb"(?:[Zz](?:\+00:00)?|([+-])(\d\d):?(\d\d))"
)

_FIRST_SECOND = datetime(1, 1, 1, tzinfo=UTC).timestamp()
_LAST_SECOND = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()
_LEAP_SECOND = 60


def parse_value(text: bytes) -> tuple[float, BaseUnit] | Reason:
    """Convert ``16098868kB`` to its value in the base unit, and the unit.

    EBNF: ``value = number, [ unit ]`` with no blank between them.

    Args:
        text: The characters after ``=``.

    Returns:
        The finite value and its base unit, or the reason why there is none.
    """
    match = _VALUE.fullmatch(text)
    if match is None:
        return Reason.BAD_NUMBER if text else Reason.NO_VALUE
    number, unit = match.groups()
    known = UNITS.get(unit)
    if known is None:
        return Reason.UNKNOWN_UNIT
    base, factor = known
    value = float(number) * factor
    return (value, base) if math.isfinite(value) else Reason.BAD_NUMBER


def maybe_parse_timestamp(text: bytes) -> float | None:
    """Convert an RFC 3339 timestamp to seconds since the epoch.

    Takes what has been seen on the wire: 0 to 9 fraction digits, ``Z``, any
    numeric offset, ``Z+00:00`` (heroku/logplex, doc/README.http_input.md), lower
    case, a leap second (read as the second after).

    Args:
        text: The header's TIMESTAMP, or the first word of a ``heroku logs`` line.

    Returns:
        Seconds since the epoch, or None if `text` is no time.
    """
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        return None
    fraction, sign, hours, minutes = match.group(7, 8, 9, 10)
    year, month, day, hour, minute, second = map(int, match.group(1, 2, 3, 4, 5, 6))
    leap = second == _LEAP_SECOND
    zone = UTC
    try:
        if sign is not None:
            offset = timedelta(hours=int(hours), minutes=int(minutes))
            zone = timezone(-offset if sign == b"-" else offset)
        moment = datetime(year, month, day, hour, minute, second - leap, tzinfo=zone)
    except ValueError:
        return None
    seconds = moment.timestamp() + leap + (float(fraction) if fraction else 0.0)
    # An offset can lead out of the years that anybody can write again.
    return seconds if _FIRST_SECOND <= seconds < _LAST_SECOND else None
