"""Durations in Prometheus notation, as options, thresholds and queries take them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.clock import parse_duration

SIZES = {
    "y": 31_536_000,
    "w": 604_800,
    "d": 86_400,
    "h": 3_600,
    "m": 60,
    "s": 1,
    "ms": 0.001,
}
NUMBERS = st.integers(min_value=0, max_value=10_000)
SOME_UNITS = st.fixed_dictionaries({}, optional=dict.fromkeys(SIZES, NUMBERS))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("5m", 300.0),
        ("1h30m", 5400.0),
        ("1d12h", 129_600.0),
        ("1w", 604_800.0),
        ("1y", 31_536_000.0),
        ("1m30s500ms", 90.5),
        ("0.5s", 0.5),
        ("1.5h", 5400.0),
        ("30", 30.0),
        ("0", 0.0),
        ("0s", 0.0),
        ("1h0m", 3600.0),
        ("999999999d", 86_399_999_913_600.0),
    ],
)
def test_a_duration_becomes_seconds(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@given(SOME_UNITS)
def test_a_duration_is_the_sum_of_its_units(amounts: dict[str, int]) -> None:
    text = "".join(f"{amounts[unit]}{unit}" for unit in SIZES if unit in amounts)
    seconds = sum(number * SIZES[unit] for unit, number in amounts.items())

    if seconds:
        assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "soon", "5x", "5M", "m", "-5m", "+5", " 5m", "5m ", "1h 30m"),
        *("30m1h", "5m5m", "1.5h30m", "1h30", "1h0.5m", ".5s", "5.s", "5,5s"),
        *(
            "nan",
            "inf",
            "1e3",
            "1e400",
            "0x10",
            "1_000s",
            "1us",
            "\u0665m",
            "5m\n",
            "5m\0",
        ),
        # The library reads these as an hour, or as nothing.
        *("1h99999999999s", "1h4294967296s", "999999999999y1s"),
        *("1000000000d", "999999999y", "999999999y1d", "9" * 10_000 + "s"),
    ],
)
def test_anything_else_is_an_invalid_duration(
    text: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ValueError, match="invalid duration") as raised:
        parse_duration(text)

    assert str(raised.value) == (
        f"invalid duration {text!r}: expected a number and a unit, e.g. 30s or 5m"
    )
    assert capfd.readouterr() == ("", "")


@given(st.text(alphabet="0123456789.smhdwyeE+-", max_size=24))
def test_no_text_raises_anything_else(text: str) -> None:
    try:
        seconds = parse_duration(text)
    except ValueError:
        return

    assert 0 <= seconds < 86_400 * 1e9
