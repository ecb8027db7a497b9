"""Bodies in slices: the same result, and no slice that keeps others waiting."""

import time
from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings, target
from hypothesis import strategies as st

from parsers import Batch, Budget, DrainDecoder
from parsers.families.kafka.grammar import parse_metric_message
from tests.frames import FULL2, frame
from tests.parsers.test_properties import bodies, facts, kinds

METRICS = b"<134>1 - h a heroku-kafka.1 - "
LOG = b"<134>1 - h kafka kafka-a.1 - "
BLOCKS = (
    b'"',
    b"0 ",
    b"1 x",
    b"4 <1>1",
    b"35 <1>1 - ",
    b"65000 <1>1 - h a heroku-kafka.1 - ",
    b"9 <1>1 2026-04-15",
    b"65000 ",
    frame(FULL2),
    frame(FULL2)[:-1],
    frame(METRICS + b'" ' + b"a " * 400),
    frame(METRICS + b'"" ' * 500),
    frame(METRICS + b's="b" ' * 10_000),
    frame(METRICS + b"s# " * 20_000),
    frame(METRICS + b"sample#=1 " * 6_000),
    frame(METRICS + b"addon=a sample#b=1"),
    frame(LOG + b"pri=WARN t=x at=Y [a b=[" + b"[]" * 300 + b"]] m"),
    frame(LOG + b"pri=WARN " + b"[a b=c, " * 8_000),
    frame(LOG + b"pri=WARN " + b"artition a-" * 5_000),
    frame(LOG + b"pri=WARN " + b"a.AError" * 8_000),
    frame(LOG + b"pri=WARN x"),
    frame(LOG + b"continued"),
    frame(b"<190>1 - h app web.1 - " + frame(FULL2) * 3),
)
SIZE = 65_536


@given(bodies, st.integers(1, 700))
def test_slices_of_any_size_give_what_the_whole_body_gives(
    body: bytes, size: int
) -> None:
    whole = DrainDecoder(frame_limit_bytes=300).decode(body)
    batch = Batch()

    for _ in DrainDecoder(frame_limit_bytes=300).decode_in_slices(body, batch, size):
        pass

    assert kinds(batch) == kinds(whole)
    assert facts(batch) == facts(whole)


def slices(body: bytes) -> Iterator[float]:
    """Yield the processor time that each slice of a body takes."""
    budget = Budget(16_384)
    budget.refill(0.0)
    steps = DrainDecoder(budget=budget).decode_in_slices(body, Batch())
    started = time.process_time()
    for _ in steps:
        ended = time.process_time()
        yield ended - started
        started = ended


def measure(blocks: list[bytes], size: int) -> tuple[float, float]:
    """Return the time of all slices and of the longest one, the best of three."""
    pattern = b"".join(blocks)
    body = (pattern * (size // len(pattern) + 1))[:size]
    runs = [list(slices(body)) for _ in range(3)]
    return min(map(sum, runs)), min(map(max, runs))


@settings(max_examples=20)
@given(st.lists(st.sampled_from(BLOCKS), min_size=1, max_size=6))
@example([b"4 <1>1"])
@example([frame(METRICS + b'" ' + b"a " * 5_000)])
def test_the_worst_body_takes_linear_time_and_no_long_slice(
    blocks: list[bytes],
) -> None:
    """Four times the bytes may take eight times the work; a slice, no more of it."""
    small, small_slice = measure(blocks, SIZE)
    large, large_slice = measure(blocks, 4 * SIZE)
    target(large_slice)

    assert large < max(8 * small, 0.05)
    assert large_slice < max(3 * small_slice, 0.05)


@pytest.mark.parametrize("token", [b"sample#a=1 ", b'sample#a="1" ', b'" ', b'a="\\" '])
def test_the_grammar_of_a_metric_line_takes_linear_time(token: bytes) -> None:
    """Four times the bytes may take eight times the work, in the best of three."""

    def measure_grammar(size: int) -> float:
        message = token * (size // len(token))
        times = []
        for _ in range(3):
            started = time.process_time()
            parse_metric_message(message)
            times.append(time.process_time() - started)
        return min(times)

    assert measure_grammar(16_000) < 8 * measure_grammar(4_000)
