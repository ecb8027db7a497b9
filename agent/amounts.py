"""Writing amounts for people."""

_SIZES = ((1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))


def write_amount(value: float, *, is_bytes: bool) -> str:
    """Write a number, with its unit where it counts bytes."""
    if not is_bytes:
        return f"{value:,.0f}"
    for size, unit in _SIZES:
        if value >= size:
            return f"{value / size:,.1f} {unit}"
    return f"{value:.0f} B"
