"""Parameters of a query, as all routes of the API take them."""

from collections.abc import Iterable, Sequence


def read_parameters(
    items: Iterable[tuple[str, str]], known: Sequence[str]
) -> dict[str, list[str]]:
    """Collect the values of each parameter.

    Args:
        items: Names and values. Values of one name add up, whether it is repeated or
            they stand behind it with commas between.
        known: Names of all parameters.

    Raises:
        ValueError: One sentence that says what is wrong and what would be right.
    """
    given: dict[str, list[str]] = {}
    for name, value in items:
        if name not in known:
            message = f"{name} is not known; there are {', '.join(known)}"
            raise ValueError(message)
        given.setdefault(name, []).extend(value.split(","))
    return given


def parse_count(name: str, text: str, lowest: int, highest: int) -> int:
    """Read a number within bounds.

    Raises:
        ValueError: It is none.
    """
    is_number = text.isascii() and text.isdigit() and len(text) <= len(str(highest))
    if not is_number or not lowest <= int(text) <= highest:
        message = f"{name}={text!r} is no number from {lowest} to {highest}"
        raise ValueError(message)
    return int(text)
