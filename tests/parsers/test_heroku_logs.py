"""One line of ``heroku logs``."""

import pytest

from parsers import maybe_parse_heroku_logs_line


@pytest.mark.parametrize(
    "line",
    [
        b"2026-04-15T14:53:16.000000+00:00 app[heroku-kafka.2]: source=KAFKA",
        b"\x1b[38;5;185m2026-04-15T14:53:16+00:00 app[heroku-kafka.2]:\x1b[39m source=KAFKA",
        b"\x00\x002026-04-15T14:53:16+00:00 app[heroku-kafka.2]: source=KAFKA",
        b"2026-04-15T07:53:16-07:00 app[heroku-kafka.2]: source=KAFKA\x1b[0m",
    ],
)
def test_a_line_has_source_process_time_and_message(line: bytes) -> None:
    parsed = maybe_parse_heroku_logs_line(line)

    assert parsed is not None
    header, message = parsed
    assert (header.app, header.proc) == (b"app", b"heroku-kafka.2")
    assert header.timestamp == 1776264796
    assert message == b"source=KAFKA"


def test_a_message_may_be_empty() -> None:
    parsed = maybe_parse_heroku_logs_line(b"2026-04-15T14:53:16+00:00 app[web.1]:")

    assert parsed is not None
    assert parsed[1] == b""


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"Fetching logs...",
        b"soon app[web.1]: x",
        b"2026-04-15T14:53:16Z app: x",
        b"my-app | 2026-04-15T14:53:16+00:00 app[web.1]: x",
    ],
)
def test_chatter_is_no_line(line: bytes) -> None:
    assert maybe_parse_heroku_logs_line(line) is None
