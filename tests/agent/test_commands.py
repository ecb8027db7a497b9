"""A forked command cannot be told from ``python -m agent``."""

import signal
import subprocess
import sys

import pytest

from tests.commands import command_words
from tests.serving import TIMEOUT_SECONDS, clean_environ
from tests.tail_lines import METRICS

INTERPRETER = (sys.executable, "-m", "agent")


@pytest.mark.parametrize(
    ("arguments", "text", "environ"),
    [
        (("--version",), b"", {}),
        (("simulate", "--speed", "fast"), b"", {}),
        (("explain", "-"), METRICS + b"\n", {}),
        (("watch",), METRICS, {"HEROKU_KAFKA_AGENT_ADDON": "kafka-a"}),
        (("capacity", "missing.txt"), b"", {}),
    ],
)
def test_output_and_exit_code_are_the_same(
    arguments: tuple[str, ...], text: bytes, environ: dict[str, str]
) -> None:
    ended = [
        subprocess.run(
            [*words, *arguments],
            input=text,
            capture_output=True,
            env={**clean_environ(), **environ},
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
        for words in (INTERPRETER, command_words())
    ]

    assert ended[0].stdout + ended[0].stderr
    for name in ("returncode", "stdout", "stderr"):
        assert getattr(ended[0], name) == getattr(ended[1], name)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_signal_ends_both_in_the_same_way(number: signal.Signals) -> None:
    def end(*words: str) -> int:
        with subprocess.Popen(
            [*words, "serve", "--port", "0"],
            stderr=subprocess.PIPE,
            env=clean_environ(),
        ) as process:
            assert process.stderr
            assert b"agent.listening" in process.stderr.readline()
            process.send_signal(number)
            process.stderr.read()  # to the end: the command itself is gone as well
            return process.wait(TIMEOUT_SECONDS)

    assert end(*INTERPRETER) == end(*command_words())
