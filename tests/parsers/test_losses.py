"""How many messages were lost, in every wording that has been seen."""

import pytest

from parsers.families.log_pipeline import MAX_LOSS, maybe_parse_loss


@pytest.mark.parametrize(
    ("text", "code", "count"),
    [
        (
            b"Error L10 (output buffer overflow): 13 messages dropped since 2016.",
            "L10",
            13,
        ),
        (
            b"Error L12: 222 messages dropped since 2013-11-04T21:31:32.125756+00:00.",
            "L12",
            222,
        ),
        (b"Error L13: 2 messages lost since 2013-11-04T21:31:32+00:00", "L13", 2),
        (
            b"L11 (Tail buffer overflow) -> This tail session dropped 1101 messages",
            "L11",
            1101,
        ),
        (b"Error L10 (output buffer overflow): 0 messages dropped", "L10", 0),
    ],
)
def test_the_number_of_lost_messages_is_read(
    text: bytes, code: str, count: int
) -> None:
    loss = maybe_parse_loss(text)

    assert loss is not None
    assert (loss.code, loss.count, loss.drain) == (code, count, None)


def test_the_drain_that_lost_is_read() -> None:
    loss = maybe_parse_loss(
        b"Error L10 (output buffer overflow): drain 'd.73ea' dropped 42 messages since"
    )

    assert loss is not None
    assert (loss.count, loss.drain) == (42, "d.73ea")


def test_an_absurd_number_is_capped() -> None:
    loss = maybe_parse_loss(b"Error L10 (x): " + b"9" * 40 + b" messages dropped")

    assert loss is not None
    assert loss.count == MAX_LOSS


@pytest.mark.parametrize(
    "text",
    [
        b'Error L14 (certificate validation): error="bad certificate" uri="x:6514/"',
        b"L15: Error displaying log lines. Please try again.",
        b"Error L20 (Tail sessions forbidden) Tail sessions are forbidden.",
        b"Error R14 (Memory quota exceeded) 5 messages",
        b"Error L100: 5 messages dropped",
        b"a dyno says: Error L10 (x): 5 messages dropped",
        b"",
    ],
)
def test_other_lines_report_no_loss(text: bytes) -> None:
    assert maybe_parse_loss(text) is None
