"""What is wrong, and where."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong, or may be.

    Attributes:
        where: File and line, group and rule, or option, or what else leads to it.
        what: One sentence, with the fix where there is one.
        is_warning: It may be meant so.
        check: What pint (cloudflare/pint) calls the check that found it; empty where it
            has none.
    """

    where: str
    what: str
    is_warning: bool = False
    check: str = ""

    def __str__(self) -> str:
        kind = "warning" if self.is_warning else "error"
        return f"{kind}: {self.where}: {self.what}"
