"""Writes the values and limits of alerts for people, by ``shown_as`` of the rules."""

from collections.abc import Callable, Mapping

from agent.amounts import write_amount

Figure = Callable[[float], str]
"""From a value in its base unit to a text."""

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def write_duration(seconds: float) -> str:
    """Write a duration in its two largest units: ``21 min``, ``1 h 12 min``."""
    rest = round(seconds)
    for position, (size, unit) in enumerate(_UNITS):
        if rest >= size:
            count, rest = divmod(rest, size)
            smaller = _UNITS[position + 1 : position + 2]
            parts = [f"{rest // size} {unit}" for size, unit in smaller if rest // size]
            return " ".join((f"{count} {unit}", *parts))
    return f"{seconds:.2g} s"


def _write_age(seconds: float) -> str:
    """Write the age of a sample or an answer; rules use 0 where none ever came."""
    return write_duration(seconds) if seconds else "never"


def _three_digits(value: float) -> str:
    """Write a number with three significant digits, but never with an exponent."""
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"  # noqa: PLR2004 (four digits)


FIGURES: Mapping[str, Figure] = {
    "age": _write_age,
    "bytes_per_second": lambda value: f"{write_amount(value, is_bytes=True)}/s",
    "count": _three_digits,
    "duration": write_duration,
    "iops": lambda value: f"{_three_digits(value)} IOPS",
    "per_cpu": lambda value: f"{value:.2f} per CPU",
    "per_minute": lambda value: f"{_three_digits(value)} per minute",
    "percentage": lambda value: f"{_three_digits(value * 100)}%",
    "times": lambda value: f"{_three_digits(value)} times",
}
"""By the names in ``alerts/rules.yaml``."""
