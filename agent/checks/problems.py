"""A problem, and where it was found."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One error or warning.

    Attributes:
        where: File and line, group and rule, or the option that was given.
        what: One sentence, with the fix if there is one.
        is_warning: Whether it may be intended.
    """

    where: str
    what: str
    is_warning: bool = False

    def __str__(self) -> str:
        kind = "warning" if self.is_warning else "error"
        return f"{kind}: {self.where}: {self.what}"
