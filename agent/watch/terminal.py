"""``watch`` from standard input to standard output: reading, drawing, ending."""

import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any, BinaryIO, Protocol

from rich.console import Console
from rich.live import Live

from agent.clock import Moment, read_clock
from agent.watch.plain import (
    describe_loss,
    describe_refusals,
    describe_tally,
    render_plain,
)
from agent.watch.report import render_report
from agent.watch.session import Session, Shown

DRAW_SECONDS = 0.25
"""The screen is drawn at most every so often."""

Handler = Callable[[int, FrameType | None], Any] | int

_IDLE_SECONDS = 1.0  # ages count in seconds
_PIECE_BYTES = 65_536
_PIECES = 16  # what may wait in memory; beyond that the pipe does


class View(AbstractContextManager[None], Protocol):
    """Where the lines are shown; a context while they come, `end` behind it."""

    def show(self, shown: list[Shown], now: Moment) -> None:
        """Show what new lines turned out to be."""

    def tick(self, now: Moment) -> None:
        """Show that time has passed."""

    def end(self, now: Moment) -> None:
        """Show what stays when the input has ended or the user has."""


class PlainView:
    """One line for each line, flushed, so that it can be piped.

    Args:
        session: What is read.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exception: object) -> None:
        pass

    def show(self, shown: list[Shown], now: Moment) -> None:
        """Write a line for each."""
        for one in shown:
            sys.stdout.write(f"{render_plain(one, now)}\n")
            sys.stdout.flush()

    def tick(self, now: Moment) -> None:
        """Do nothing: a file has no clock."""

    def end(self, now: Moment) -> None:
        """Sum up where it does not get into the pipe."""
        del now
        tally = self._session.tally
        losses = [describe_loss(*loss) for loss in sorted(tally.losses.items())]
        summary = [*describe_tally(tally), *describe_refusals(tally), *losses]
        sys.stderr.write(f"{'; '.join(summary)}\n")


class LiveView:
    """The table, drawn again and again on the terminal's other screen.

    That screen leaves the shell's own as it was, and survives a change of size; at the
    end the last table is written below the command.

    Args:
        session: What is read.
        console: The terminal.
        events: Events shown at most.
    """

    def __init__(self, session: Session, console: Console, events: int) -> None:
        self._session = session
        self._console = console
        self._events = events
        self._drawn_at = float("-inf")
        self._drawn_size = console.size
        self._changed = False
        self._live = Live(
            console=console,
            screen=True,
            auto_refresh=False,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __enter__(self) -> None:
        self._changed = True
        self._live.start()

    def __exit__(self, *exception: object) -> None:
        self._live.stop()

    def show(self, shown: list[Shown], now: Moment) -> None:
        """Take note; drawing is the clock's business."""
        del shown, now
        self._changed = True

    def tick(self, now: Moment) -> None:
        """Draw what has changed, or what has aged by a second."""
        waited = now.monotonic - self._drawn_at
        resized = self._console.size != self._drawn_size
        if waited < DRAW_SECONDS:
            return
        if self._changed or resized or waited >= _IDLE_SECONDS:
            self._session.engine.forget(now)
            self._session.evaluate(now)
            self._drawn_at = now.monotonic
            self._drawn_size = self._console.size
            self._changed = False
            self._live.update(
                render_report(
                    self._session, now, self._console, events=self._events, ended=False
                ),
                refresh=True,
            )

    def end(self, now: Moment) -> None:
        """Write the last table to the shell's own screen."""
        self._console.print(
            render_report(
                self._session, now, self._console, events=self._events, ended=True
            )
        )


def run_watch(session: Session, stream: BinaryIO, view: View) -> None:
    """Read `stream` to its end and show what it says.

    Ctrl-C and SIGTERM end it as the end of the input does; Ctrl-Z gives the terminal
    back until the command goes on.

    Args:
        session: Where lines are applied.
        stream: Text of ``heroku logs``, by its file descriptor.
        view: Where they are shown.

    Raises:
        BrokenPipeError: Nobody reads standard output any more.
    """
    pieces: queue.Queue[bytes] = queue.Queue(_PIECES)
    # A daemon: it may sit in read() when everything else has ended.
    threading.Thread(
        target=_read_pieces, args=(stream.fileno(), pieces), daemon=True
    ).start()
    with _noticing_signals() as signals, view:
        while not signals.stopped:
            if signals.suspended:
                signals.suspended = False
                view.__exit__(None, None, None)
                _suspend()
                view.__enter__()
            piece = _maybe_get(pieces)
            now = read_clock()
            if piece is not None:
                view.show(
                    session.receive_data(piece, now)
                    if piece
                    else session.receive_eof(now),
                    now,
                )
                if not piece:
                    break
            view.tick(now)
    view.end(read_clock())


def _read_pieces(descriptor: int, pieces: "queue.Queue[bytes]") -> None:
    """Read in a thread, so that waiting for lines never keeps the screen from drawing.

    The last piece is empty. os.read and not the stream's own methods: those hold a lock
    that the interpreter wants when it exits.
    """
    while True:
        try:
            piece = os.read(descriptor, _PIECE_BYTES)
        except BlockingIOError:  # whoever shares the pipe has set O_NONBLOCK
            time.sleep(DRAW_SECONDS / 10)
            continue
        except OSError:  # the terminal behind it is gone
            piece = b""
        pieces.put(piece)
        if not piece:
            return


def _maybe_get(pieces: "queue.Queue[bytes]") -> bytes | None:
    try:
        return pieces.get(timeout=DRAW_SECONDS)
    except queue.Empty:
        return None


@dataclass(slots=True)
class _Signals:
    """What has been asked by signals; obeyed between two drawings.

    Attributes:
        stopped: Whether to end.
        suspended: Whether to stop until SIGCONT.
    """

    stopped: bool = False
    suspended: bool = False


@contextmanager
def _noticing_signals() -> Iterator[_Signals]:
    """Take note of signals that would interrupt a drawing.

    The second Ctrl-C interrupts after all: a terminal that stands still (Ctrl-S) takes
    no drawing.
    """
    signals = _Signals()
    before: dict[signal.Signals, Handler] = {}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def notice(number: int, frame: FrameType | None) -> None:
        del frame
        if number in (signal.SIGINT, signal.SIGTERM):
            signals.stopped = True
            restore()
        else:
            signals.suspended = True

    noticed = [signal.SIGINT, signal.SIGTERM]
    if sys.platform != "win32":
        noticed.append(signal.SIGTSTP)
    for number in noticed:
        before[number] = signal.signal(number, notice) or signal.SIG_DFL
    try:
        yield signals
    finally:
        restore()


def _suspend() -> None:
    """Stop as Ctrl-Z asks, and return when the shell lets the process go on."""
    if sys.platform != "win32":
        handler = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, handler)
