"""``watch`` as a command: pipes, signals, and real terminals."""

import contextlib
import os
import pty
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.commands import command_words
from tests.serving import TIMEOUT_SECONDS, clean_environ, find_program, run_command
from tests.tail_lines import ADDON, LOG, METRICS, PLAIN_METRICS, ROUTER


def test_a_pipe_gets_one_line_for_each() -> None:
    done = run_command("watch", stdin=METRICS + b"\r\n" + ROUTER + b"\n" + LOG)

    assert done.returncode == 0
    metrics, event = done.stdout.splitlines(keepends=True)
    assert metrics == PLAIN_METRICS
    assert event.startswith(
        b"14:53:17 kafka-animated-39618 node 0 WARN replication info A follower"
    )
    assert event.endswith(b"| Partition my-example-topic-16 marked as failed\n")
    assert done.stderr == b"3 lines read; 2 of Kafka; 1 of others\n"


def test_options_are_environment_variables() -> None:
    done = run_command(
        "watch",
        stdin=METRICS,
        environ={"HEROKU_KAFKA_AGENT_ADDON": "kafka-a, kafka-b"},
    )

    assert done.stdout == b""
    assert b"not shown: addon_not_allowed 11" in done.stderr


@pytest.mark.parametrize("option", [("--stale-after", "soon"), ("--events", "-1")])
def test_wrong_options_are_refused(option: tuple[str, str]) -> None:
    assert run_command("watch", *option).returncode == 2


@contextlib.contextmanager
def watching(
    *,
    stdin: int = subprocess.PIPE,
    stdout: int = subprocess.PIPE,
    environ: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        [*command_words(), "watch"],
        stdin=stdin,
        stdout=stdout,
        stderr=subprocess.PIPE,
        env={**clean_environ(), **(environ or {})},
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_each_line_is_flushed_while_the_input_goes_on(number: int) -> None:
    with watching() as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(METRICS + b"\n")
        process.stdin.flush()

        assert process.stdout.readline() == PLAIN_METRICS

        process.send_signal(number)
        assert process.wait(TIMEOUT_SECONDS) == 0


def test_a_reader_who_leaves_ends_it_quietly() -> None:
    with watching() as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        process.stdin.write(METRICS + b"\n" + LOG + b"\n")
        process.stdin.flush()

        assert process.wait(TIMEOUT_SECONDS) == 0
        assert process.stderr.read() == b""


def test_a_terminal_as_input_is_refused_with_the_right_command() -> None:
    controller, terminal = pty.openpty()
    try:
        with watching(stdin=terminal) as process:
            assert process.stderr
            assert process.wait(TIMEOUT_SECONDS) == 2
            said = process.stderr.read()
    finally:
        os.close(controller)
        os.close(terminal)

    assert b"heroku logs --tail -p YOUR-KAFKA-ADD-ON" in said


def show_on_terminal(**environ: str) -> bytes:
    """Run on a terminal of 80 x 24 and return what was written to it."""
    controller, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (24, 80))
    written = b""
    with watching(stdout=terminal, environ=environ) as process:
        os.close(terminal)
        assert process.stdin
        process.stdin.write(METRICS + b"\n" + LOG + b"\n")
        process.stdin.close()
        with contextlib.suppress(OSError):  # EIO: nobody has the terminal any more
            while piece := os.read(controller, 65_536):
                written += piece
        assert process.wait(TIMEOUT_SECONDS) == 0
    os.close(controller)
    return written


def test_the_last_table_stays_on_the_terminal() -> None:
    written = show_on_terminal(TERM="xterm-256color")

    _, last = written.split(b"\x1b[?1049l")
    assert b"ended" in last
    assert b"my-example-topic-16 marked as failed" in last
    assert b"\x1b[1;31m" in last
    assert written.rfind(b"\x1b[?25h") > written.rfind(b"\x1b[?25l")


def test_no_color_is_honoured() -> None:
    written = show_on_terminal(TERM="xterm-256color", NO_COLOR="1")

    _, last = written.split(b"\x1b[?1049l")
    assert ADDON.encode() in last
    assert b"\x1b[1;31m" not in last


def test_a_dumb_terminal_gets_plain_lines() -> None:
    written = show_on_terminal(TERM="dumb")

    assert b"\x1b" not in written
    assert PLAIN_METRICS.rstrip() in written


@dataclass(frozen=True)
class Terminal:
    """A tmux server of its own with one pane, and a FIFO into it."""

    program: Path
    folder: Path

    @property
    def fifo(self) -> Path:
        return self.folder / "logs"

    def tmux(self, *arguments: str) -> str:
        done = subprocess.run(
            [
                self.program,
                "-u",
                "-S",
                self.folder / "tmux",
                "-f",
                os.devnull,
                *arguments,
            ],
            capture_output=True,
            check=True,
            timeout=TIMEOUT_SECONDS,
            env={**clean_environ(), "LC_ALL": "C.UTF-8", "PS1": "$ "},
            text=True,
        )
        return done.stdout

    def type(self, *keys: str) -> None:
        self.tmux("send-keys", *keys)

    def screen(self) -> str:
        return self.tmux("capture-pane", "-p")

    def flags(self) -> str:
        """Say whether the cursor is shown and the other screen is."""
        return self.tmux(
            "display-message", "-p", "#{cursor_flag}#{alternate_on}"
        ).strip()

    def wait_for(self, wanted: Callable[[str], bool]) -> str:
        """Look until the screen is as wanted."""
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while not wanted(screen := self.screen()):
            assert time.monotonic() < deadline, screen
            time.sleep(0.05)
        return screen


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    terminal = Terminal(find_program("tmux"), tmp_path)
    os.mkfifo(terminal.fifo)
    terminal.tmux("new-session", "-d", "-x", "100", "-y", "30", "sh")
    try:
        yield terminal
    finally:
        terminal.tmux("kill-server")


@contextlib.contextmanager
def feeding(terminal: Terminal) -> Iterator[Callable[[bytes], None]]:
    """Start the command in the pane and hand out the other end of its input."""
    command = f"{sys.executable} -m agent watch < {terminal.fifo}"
    terminal.type("-l", command)
    terminal.type("Enter")
    with terminal.fifo.open("wb", buffering=0) as feed:

        def write(line: bytes) -> None:
            feed.write(line + b"\n")

        yield write


def expect_usable(terminal: Terminal) -> str:
    """Expect the shell's own screen, its cursor, and a prompt that obeys."""
    terminal.wait_for(lambda text: "· ended" in text)
    terminal.type("-l", 'echo "exit=$?"')
    terminal.type("Enter")
    screen = terminal.wait_for(lambda text: "exit=0" in text)
    assert terminal.flags() == "10"
    return screen


@pytest.mark.slow
def test_a_real_terminal_shows_lines_as_they_come_and_gets_its_shell_back(
    terminal: Terminal,
) -> None:
    with feeding(terminal) as feed:
        terminal.wait_for(lambda text: "No sample of a Kafka cluster yet" in text)
        feed(METRICS)
        wide = terminal.wait_for(lambda text: "0.005" in text)
        feed(LOG)
        terminal.wait_for(lambda text: "marked as failed" in text)
        assert "load15" in wide

        terminal.tmux("resize-window", "-x", "60", "-y", "12")
        terminal.wait_for(lambda text: "0.005" in text and "load15" not in text)
        terminal.tmux("resize-window", "-x", "100", "-y", "30")
        terminal.wait_for(lambda text: "load15" in text)

        terminal.type("C-z")
        terminal.wait_for(lambda text: "Stopped" in text)
        assert terminal.flags() == "10"
        terminal.type("-l", "fg")
        terminal.type("Enter")
        terminal.wait_for(lambda text: "Ctrl-C ends" in text)
        terminal.type("C-c")
        screen = expect_usable(terminal)

    assert screen.count(ADDON) == 1
    assert "marked as failed" in screen


@pytest.mark.slow
def test_the_last_table_stays_above_the_prompt(terminal: Terminal) -> None:
    with feeding(terminal) as feed:
        feed(METRICS)
        terminal.wait_for(lambda text: "0.005" in text)

    screen = expect_usable(terminal)

    assert "· ended" in screen
    assert "0.005" in screen
