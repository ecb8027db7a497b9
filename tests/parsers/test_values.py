"""Numbers, units and timestamps as they come over the wire."""

import pytest

from parsers import Reason
from parsers.values import maybe_parse_timestamp, parse_value


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        (b"0", 0.0, ""),
        (b"0.18462", 0.18462, ""),
        (b"-1", -1.0, ""),
        (b"+2", 2.0, ""),
        (b"1.2e-05", 1.2e-05, ""),
        (b"16098868kB", 16485240832.0, "bytes"),
        (b"15664876.0kB", 16040833024.0, "bytes"),
        (b"1KiB", 1024.0, "bytes"),
        (b"1.5MB", 1572864.0, "bytes"),
        (b"2GB", 2147483648.0, "bytes"),
        (b"7B", 7.0, "bytes"),
        (b"12ms", 0.012, "seconds"),
        (b"134057pages", 134057.0, "pages"),
        (b"31%", 0.31, "ratio"),
    ],
)
def test_a_value_becomes_its_base_unit(text: bytes, value: float, unit: str) -> None:
    parsed = parse_value(text)

    assert not isinstance(parsed, Reason)
    assert parsed[0] == pytest.approx(value)
    assert parsed[1] == unit


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", Reason.NO_VALUE),
        (b"kB", Reason.BAD_NUMBER),
        (b"1_000", Reason.BAD_NUMBER),
        (b"0x10", Reason.BAD_NUMBER),
        (b"1,5", Reason.BAD_NUMBER),
        (b"nan", Reason.BAD_NUMBER),
        (b"1e400", Reason.BAD_NUMBER),
        (b"1 kB", Reason.BAD_NUMBER),
        (b"\xd9\xa1", Reason.BAD_NUMBER),
        (b"5parsecs", Reason.UNKNOWN_UNIT),
        (b"inf", Reason.BAD_NUMBER),
    ],
)
def test_what_is_no_value_is_refused(text: bytes, reason: Reason) -> None:
    assert parse_value(text) is reason


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (b"2026-04-15T14:53:16+00:00", 1776264796.0),
        (b"2026-04-15T14:53:16.61556+00:00", 1776264796.61556),
        (b"2026-04-15T14:53:16.123456789Z", 1776264796.123456789),
        (b"2026-04-15T07:53:16-07:00", 1776264796.0),
        (b"2026-04-15T16:53:16+02:00", 1776264796.0),
        (b"2026-04-15T14:53:16-00:00", 1776264796.0),
        (b"2026-04-15T14:53:16Z+00:00", 1776264796.0),
        (b"2026-04-15t14:53:16z", 1776264796.0),
        (b"2016-12-31T23:59:60Z", 1483228800.0),
    ],
)
def test_a_timestamp_becomes_seconds(text: bytes, seconds: float) -> None:
    assert maybe_parse_timestamp(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"-",
        b"2026-13-45T99:99:99+00:00",
        b"2026-04-15",
        b"2026-04-15T14:53:16",
        b"2026-04-15T14:53:16+99:00",
        b"now",
        b"\xd9\xa22026-04-15T14:53:16Z",
    ],
)
def test_what_is_no_time_is_none(text: bytes) -> None:
    assert maybe_parse_timestamp(text) is None


@pytest.mark.parametrize(
    "text", [b"9999-12-31T23:59:59.9-12:00", b"0001-01-01T00:00:00+12:00"]
)
def test_an_offset_that_leads_out_of_all_years_is_no_time(text: bytes) -> None:
    assert maybe_parse_timestamp(text) is None
