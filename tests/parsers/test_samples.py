"""What the fast path makes of metric messages, and where it declines."""

import pytest

from parsers import Reason
from parsers.families.kafka.samples import (
    MAX_SAMPLES,
    cut_last_token,
    maybe_scan_samples,
)


def test_quotes_are_left_to_the_grammar() -> None:
    assert maybe_scan_samples(b'source="MY KAFKA" addon=a sample#b=1') is None


def test_the_first_source_and_addon_count() -> None:
    line = maybe_scan_samples(b"source=A addon=a sample#x=1 source=B addon=b")

    assert line is not None
    assert (line.source, line.addon) == ("A", "a")


@pytest.mark.parametrize("addon", [b"", b"-x", b"a/b", b"a" * 129, b"\xff"])
def test_what_is_no_name_is_no_addon(addon: bytes) -> None:
    line = maybe_scan_samples(b"source=A addon=%s sample#x=1" % addon)

    assert line is not None
    assert line.addon is None
    assert [problem.reason for problem in line.problems] == [Reason.BAD_ADDON]


def test_a_refusal_says_where() -> None:
    line = maybe_scan_samples(b"source=A addon=a sample#x=1 sample#y=?")

    assert line is not None
    (problem,) = line.problems
    assert (problem.reason, problem.offset) == (Reason.BAD_NUMBER, 28)
    assert problem.excerpt == b"sample#y=?"


def test_no_more_samples_than_the_limit_are_kept() -> None:
    message = b"addon=a" + b"".join(
        b" sample#n%d=1" % n for n in range(MAX_SAMPLES + 9)
    )
    line = maybe_scan_samples(message)

    assert line is not None
    assert len(line.samples) == MAX_SAMPLES
    assert len(line.problems) == 9


def test_names_are_remembered_within_bounds() -> None:
    for number in range(5000):
        line = maybe_scan_samples(b"source=A addon=a sample#n%d=1" % number)
        assert line is not None
        assert line.samples == {(f"n{number}", ""): 1.0}


@pytest.mark.parametrize(
    ("message", "kept"),
    [
        (b"a=1 b=2", b"a=1"),
        (b"a=1 b=2 ", b"a=1"),
        (b"a=1\tb=2\n", b"a=1"),
        (b"a=1", b""),
        (b"", b""),
    ],
)
def test_the_last_token_can_be_cut(message: bytes, kept: bytes) -> None:
    assert cut_last_token(message) == kept
