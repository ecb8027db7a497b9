"""A bar for whoever waits in front of a terminal; nothing where there is none."""

import contextlib
from collections.abc import Callable, Iterator, Sequence

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

from agent.replay.archives import Source


@contextlib.contextmanager
def showing_progress(
    sources: Sequence[Source], *, is_terminal: bool
) -> Iterator[Callable[[int], None]]:
    """Show how far the reading is, on standard error.

    Args:
        sources: What is going to be read; a pipe among them has no end to show.
        is_terminal: Whether anybody looks.

    Yields:
        What to tell the bytes that have been read since.
    """
    if not is_terminal:
        yield lambda _: None
        return
    sizes = [source.size_bytes for source in sources]
    known = [size for size in sizes if size is not None]
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(binary_units=True),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    with progress:
        total = sum(known) if len(known) == len(sizes) else None
        task = progress.add_task("reading", total=total)

        def advance(size: int) -> None:
            progress.advance(task, size)
            if progress.finished:
                progress.update(task, description="summing up")

        yield advance
