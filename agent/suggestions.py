"""What a wrong name may have been meant to be."""

from collections.abc import Iterable
from difflib import get_close_matches


def suggest(name: str, known: Iterable[str], *, likeness: float = 0.6) -> str:
    """Word the nearest known name as the end of a sentence; empty where none is near."""
    close = get_close_matches(name, list(known), n=1, cutoff=likeness)
    return f"; did you mean {close[0]}?" if close else ""
