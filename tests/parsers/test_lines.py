"""Cutting bytes into lines: the same however they are cut, bounded, nothing lost."""

import pytest

from parsers import LINE_LIMIT_BYTES
from parsers.wire.lines import LineSplitter
from tests.tail_lines import LOG, METRICS


def split(data: bytes, step: int | None = None) -> list[bytes]:
    splitter = LineSplitter()
    step = step or len(data)
    lines = [
        line
        for at in range(0, len(data), step)
        for line in splitter.receive_data(data[at : at + step])
    ]
    return lines + splitter.receive_eof()


@pytest.mark.parametrize("step", [1, 7, None])
def test_lines_are_the_same_however_they_are_cut(step: int | None) -> None:
    data = METRICS + b"\r\n\n\x00" + LOG + b"\nhalf"

    assert split(data, step) == [METRICS + b"\r", b"", b"\x00" + LOG, b"half"]


def test_nothing_of_an_unfinished_line_comes_out_before_the_end() -> None:
    splitter = LineSplitter()

    assert splitter.receive_data(METRICS) == []
    assert splitter.receive_eof() == [METRICS]
    assert splitter.receive_eof() == []


@pytest.mark.parametrize("step", [65_536, 50_000_000])
def test_a_very_long_line_is_passed_over_and_counted(step: int) -> None:
    splitter = LineSplitter()
    piece = b"x" * step
    lines = [
        line for _ in range(50_000_000 // step) for line in splitter.receive_data(piece)
    ]

    assert lines + splitter.receive_data(b"\n" + LOG + b"\n") == [LOG]
    assert splitter.skipped == 1


def test_a_line_as_long_as_the_limit_is_kept() -> None:
    line = b"x" * LINE_LIMIT_BYTES

    assert split(line + b"\n" + line + b"y\n" + line) == [line, line]
