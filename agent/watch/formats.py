"""Figures for people: short enough for a column, plain text only."""

from datetime import UTC, datetime

_SCALES = (
    (1 << 50, "PiB"),
    (1 << 40, "TiB"),
    (1 << 30, "GiB"),
    (1 << 20, "MiB"),
    (1 << 10, "KiB"),
)
_AGES = ((86_400, "d"), (3_600, "h"), (60, "m"))
_DAY_SECONDS = 86_400
_EARLIEST = datetime.min.replace(tzinfo=UTC).timestamp()
_LATEST = datetime.max.replace(microsecond=0, tzinfo=UTC).timestamp()
_FULLEST = 1e38  # history is kept in single precision, which turns more to infinity
_STEPS = "▁▂▃▄▅▆▇█"
_PARTS = " ▏▎▍▌▋▊▉"
_PLAIN_STEPS = "_.-=+*#@"


def render_bytes(value: float) -> str:
    """Render bytes in at most eight characters: ``12.3 KiB``, ``512 B``."""
    for size, unit in _SCALES:
        if value >= size:
            return f"{_three_digits(value / size)} {unit}"
    return f"{_three_digits(value)} B"


def render_number(value: float) -> str:
    """Render a load or a rate in five characters where that can be: ``0.005``."""
    if value == 0:
        return "0"
    for limit, digits in ((10, 3), (100, 2), (1000, 1)):
        if abs(value) < limit:
            return f"{value:.{digits}f}"
    return f"{value:.0f}" if abs(value) < 1e5 else f"{value:.0e}"  # noqa: PLR2004 (five digits)


def render_rate(value: float) -> str:
    """Render operations per second in four characters where that can be: ``0.18``."""
    if value == 0:
        return "0"
    for limit, digits in ((10, 2), (100, 1), (10_000, 0)):
        if abs(value) < limit:
            return f"{value:.{digits}f}"
    return f"{value / 1000:.0f}k"


def render_share(value: float) -> str:
    """Render a share of 0 to 1: ``31.9%``."""
    return f"{value:.1%}"


def render_age(seconds: float) -> str:
    """Render an age in its largest unit: ``12s``, ``4m``, ``3h``, ``221d``."""
    for size, unit in _AGES:
        if seconds >= size:
            return f"{seconds // size:.0f}{unit}"
    return f"{max(seconds, 0.0):.0f}s"


def render_clock(timestamp: float) -> str:
    """Render the time of day in UTC: ``15:04:05``."""
    return f"{_date(timestamp):%H:%M:%S}"


def render_recent(timestamp: float, now: float) -> str:
    """Render the time of day, or the day where that is longer ago than one."""
    if abs(now - timestamp) < _DAY_SECONDS:
        return render_clock(timestamp)
    return f"{_date(timestamp):%b %d}"


def render_sparkline(
    values: tuple[float, ...], top: float, width: int, *, ascii_only: bool
) -> str:
    """Draw the last values as a row of blocks that starts at 0.

    Args:
        values: Oldest first.
        top: What a full block stands for; more where a value is larger.
        width: Characters.
        ascii_only: Whether the terminal has no block characters.

    Returns:
        At most `width` characters.
    """
    drawn = tuple(min(value, _FULLEST) for value in values[-width:])
    full = max(top, *drawn) if drawn else top
    steps = _PLAIN_STEPS if ascii_only else _STEPS
    highest = len(steps) - 1
    return "".join(
        steps[round(max(value, 0.0) / full * highest) if full > 0 else 0]
        for value in drawn
    )


def render_bar(share: float, width: int, *, ascii_only: bool) -> str:
    """Draw a share of 0 to 1 as a bar of exactly `width` characters."""
    share = min(max(share, 0.0), 1.0)
    if ascii_only:
        return ("#" * round(share * width)).ljust(width)
    full, part = divmod(round(share * width * len(_PARTS)), len(_PARTS))
    return ("█" * full + (_PARTS[part] if part else "")).ljust(width)


def _three_digits(value: float) -> str:
    if value == int(value) or value >= 99.95:  # noqa: PLR2004 (rounds to 100)
        return f"{value:.0f}" if value < 1e5 else f"{value:.0e}"  # noqa: PLR2004 (five digits)
    return f"{value:.1f}"


def _date(timestamp: float) -> datetime:
    """Convert to a date; an offset can move a line's time out of the calendar."""
    return datetime.fromtimestamp(min(max(timestamp, _EARLIEST), _LATEST), tz=UTC)
