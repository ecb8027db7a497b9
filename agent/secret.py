"""A text that must not be seen: an access token."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Secret:
    """Holds a secret; shows as stars wherever it is printed.

    Attributes:
        text: The secret itself.
    """

    text: str = field(repr=False)

    def __str__(self) -> str:
        return "****"

    __repr__ = __str__
