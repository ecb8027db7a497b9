"""The header of one frame, in all dialects that have been seen."""

import pytest

from parsers import maybe_parse_header

START = b"<134>1 2026-04-15T14:53:16+00:00 host app heroku-kafka.2"


@pytest.mark.parametrize(
    ("rest", "message"),
    [
        pytest.param(b" - text", b"text", id="logplex"),
        pytest.param(b" - - text", b"text", id="nil_structured_data"),
        pytest.param(b' - [meta id="1"] text', b"text", id="structured_data"),
        pytest.param(b' - [a b="\\"\\]"][c] text', b"text", id="two_escaped_elements"),
        pytest.param(b" 10 text", b"text", id="message_id"),
        pytest.param(
            b" - [Controller id=1] text", b"[Controller id=1] text", id="text"
        ),
        pytest.param(b" - - ", b"", id="empty_behind_nil"),
        pytest.param(b" - ", b"", id="empty"),
        pytest.param(b" -", b"", id="stripped"),
        pytest.param(b"", b"", id="no_message_id"),
        pytest.param(b" - a\nb\x00\xff", b"a\nb\x00\xff", id="any_bytes"),
    ],
)
def test_the_message_starts_behind_the_header(rest: bytes, message: bytes) -> None:
    parsed = maybe_parse_header(START + rest)

    assert parsed is not None
    header, start = parsed
    assert (header.app, header.proc, header.pri) == (b"app", b"heroku-kafka.2", 134)
    assert (START + rest)[start:] == message


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"x",
        b"<134>1",
        b"<134>1 2026-04-15T14:53:16+00:00 host app",
        b"<134>2 a b c d",
        b"<1344>1 - h a p - x",
        b"134 1 - h a p - x",
        b"<134>1 - h\n a p - x",
    ],
)
def test_too_few_or_broken_fields_are_no_header(frame: bytes) -> None:
    assert maybe_parse_header(frame) is None


@pytest.mark.parametrize(("stamp", "bad"), [(b"-", False), (b"soon", True)])
def test_a_missing_timestamp_is_none_and_a_broken_one_is_marked(
    *, stamp: bytes, bad: bool
) -> None:
    parsed = maybe_parse_header(b"<134>1 " + stamp + b" host app web.1 - x")

    assert parsed is not None
    assert parsed[0].timestamp is None
    assert parsed[0].bad_timestamp is bad
