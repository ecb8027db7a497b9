"""Properties of delivery: order, repetition and neighbours change no result."""

import itertools

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from agent.change import Origin
from agent.clock import Moment
from agent.state.telemetry import Telemetry
from tests.engines import Drain, exposition
from tests.frames import frame

START = 1_776_264_796
NOW = Moment(float(START + 200), 1000.0)

Request = tuple[bytes, Origin]

names = st.sampled_from(["read-iops", "write-iops", "load-avg-1m", "brand-new"])
brokers = st.sampled_from(["heroku-kafka.0", "heroku-kafka.1", "heroku-kafka"])


@st.composite
def deliveries(draw: st.DrawFn) -> list[Request]:
    """Requests of which no two lines have the same timestamp."""
    offsets = draw(st.lists(st.integers(0, 199), unique=True, min_size=1, max_size=12))
    requests = []
    for number, offset in enumerate(offsets):
        minute, second = divmod(53 * 60 + 16 + offset, 60)
        pairs = draw(st.dictionaries(names, st.integers(0, 99), min_size=1))
        samples = " ".join(f"sample#{name}={value}" for name, value in pairs.items())
        line = (
            f"<134>1 2026-04-15T14:{minute:02}:{second:02}+00:00 host app "
            f"{draw(brokers)} - source=KAFKA addon=kafka-a {samples}\n"
        )
        body = frame(line.encode())
        requests.append((body, Origin(request_id=b"%d" % number)))
    return requests


def deliver(requests: list[Request]) -> tuple[dict[tuple[str, str], float], Telemetry]:
    """Apply requests to a new agent; return what it exports, and its counters."""
    drain = Drain()
    for body, origin in requests:
        drain.receive(body, NOW, origin)
    exported = {
        (sample.name, str(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(
            exposition(drain.engine, NOW).decode()
        )
        for sample in family.samples
        if not family.name.startswith("heroku_kafka_agent_")
    }
    return exported, drain.engine.telemetry


@given(deliveries(), st.randoms(use_true_random=False))
def test_the_order_of_requests_changes_nothing_that_is_exported(
    requests: list[Request], random: object
) -> None:
    shuffled = list(requests)
    random.shuffle(shuffled)  # type: ignore[attr-defined] # hypothesis hands in Random

    assert deliver(requests)[0] == deliver(shuffled)[0]


@given(deliveries(), st.data())
def test_repeating_requests_changes_nothing_that_is_exported(
    requests: list[Request], data: st.DataObject
) -> None:
    times = data.draw(
        st.lists(st.integers(1, 3), min_size=len(requests), max_size=len(requests))
    )
    repeated = list(
        itertools.chain.from_iterable(
            [request] * count for request, count in zip(requests, times, strict=True)
        )
    )

    once, counted_once = deliver(requests)
    often, counted_often = deliver(repeated)

    assert often == once
    assert counted_often.frames == counted_once.frames
    assert counted_often.duplicate_requests == len(repeated) - len(requests)


@given(st.lists(st.binary(max_size=300), max_size=8))
def test_the_exposition_of_any_input_is_valid(messages: list[bytes]) -> None:
    header = b"<134>1 2026-04-15T14:53:16+00:00 host app heroku-kafka.2 - "
    body = b"".join(
        frame(header + b"addon=kafka-a sample#x=1 " + message) for message in messages
    )

    exported, _ = deliver([(body, Origin())])

    assert len(exported) == len(set(exported))
