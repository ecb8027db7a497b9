"""Reads the runbooks: their sections, their blocks of code, the commands in them."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ALERTS = Path(__file__).parents[2] / "alerts"
RUNBOOKS = ALERTS / "runbooks"
INDEX = RUNBOOKS / "README.md"

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^(#+ .+)$", re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_THRESHOLD = re.compile(r"`([a-z]+\.[a-z_]+)`")


@dataclass(frozen=True, slots=True)
class Page:
    """A runbook, or their index."""

    path: Path
    text: str

    @property
    def prose(self) -> str:
        """The text without its blocks of code."""
        return _BLOCK.sub("", self.text)

    @property
    def sections(self) -> list[tuple[str, str]]:
        """Headings, with what stands below each of them."""
        _, *rest = _HEADING.split(self._text_without_block_comments())
        return list(zip(rest[::2], (one.strip() for one in rest[1::2]), strict=True))

    @property
    def sentence(self) -> str:
        """What stands below the title."""
        return " ".join(self.sections[0][1].split())

    @property
    def queries(self) -> list[str]:
        """The lines of PromQL blocks; each is a query."""
        return [
            line
            for kind, body in _BLOCK.findall(self.text)
            if kind == "promql"
            for line in body.splitlines()
        ]

    @property
    def commands(self) -> list[list[str]]:
        """The words of each command of the console blocks, pipes taken apart."""
        return [
            command
            for kind, body in _BLOCK.findall(self.text)
            if kind == "console"
            for line in body.splitlines()
            for command in split_pipes(line)
        ]

    @property
    def block_kinds(self) -> set[str]:
        return {kind for kind, _ in _BLOCK.findall(self.text)}

    @property
    def links(self) -> list[str]:
        """What links point to, other sites left out."""
        return [
            link for link in _LINK.findall(self.prose) if not link.startswith("https:")
        ]

    @property
    def thresholds(self) -> set[str]:
        """Names that are written as thresholds are: `load.warning`."""
        return set(_THRESHOLD.findall(self.prose))

    def _text_without_block_comments(self) -> str:
        return _BLOCK.sub(lambda found: found[0].replace("\n#", "\n "), self.text)


def split_pipes(line: str) -> Iterator[list[str]]:
    """Split a line that begins with a prompt into commands, and them into words."""
    assert line.startswith("$ "), line
    words = shlex.shlex(line[2:], posix=True, punctuation_chars="|")
    words.whitespace_split = True
    command: list[str] = []
    for word in words:
        if word == "|":
            yield command
            command = []
        else:
            command.append(word)
    yield command


def read_page(path: Path) -> Page:
    return Page(path, path.read_text("utf-8"))


def read_runbooks() -> dict[str, Page]:
    """Read all runbooks, by the name of the alert."""
    return {
        path.stem: read_page(path)
        for path in sorted(RUNBOOKS.glob("*.md"))
        if path != INDEX
    }


def read_all_pages() -> list[Page]:
    return [*read_runbooks().values(), read_page(INDEX)]


def find_anchors(page: Page) -> set[str]:
    """Find what a link can point to inside a page."""
    titles = [heading.lstrip("# ") for heading, _ in page.sections]
    return {re.sub(r"[^\w -]", "", one).lower().replace(" ", "-") for one in titles}
