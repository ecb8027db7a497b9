"""The decoder: faults cost the least, limits hold, strangers are learned safely."""

import pytest

from parsers import (
    Budget,
    DrainDecoder,
    FrameKind,
    MetricLine,
    Reason,
    Unparsed,
)
from tests.frames import FULL1, FULL2, frame

ROUTER = (
    b"<158>1 2026-04-15T14:53:16.123456+00:00 host heroku router - at=info method=GET "
    b'path="/" host=x.herokuapp.com dyno=web.1 connect=0ms service=3ms status=200\n'
)
DYNO = b"<190>1 2026-04-15T14:53:16.123456+00:00 host app web.1 - order accepted\n"


def brokers(body: bytes, decoder: DrainDecoder | None = None) -> list[str | None]:
    batch = (decoder or DrainDecoder()).decode(body)
    return [event.broker for event in batch.records if isinstance(event, MetricLine)]


def reasons(body: bytes) -> list[Reason]:
    events = DrainDecoder().decode(body).records
    return [event.reason for event in events if isinstance(event, Unparsed)]


def full(broker: int, newline: bytes = b"\n") -> bytes:
    return frame(FULL2.replace(b"kafka.2", b"kafka.%d" % broker) + newline)


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda good: b"x" + good[1:], id="count_is_no_number"),
        pytest.param(lambda good: b"9" + good, id="count_far_too_large"),
        pytest.param(lambda good: b"99999999" + good[3:], id="count_absurd"),
        pytest.param(lambda good: b"%d" % (len(good) - 5) + good[3:], id="one_short"),
        pytest.param(lambda good: b"%d" % (len(good) - 3) + good[3:], id="one_long"),
        pytest.param(lambda good: b"150" + good[3:], id="count_cuts_in_the_middle"),
        pytest.param(lambda good: good[4:], id="count_missing"),
        pytest.param(lambda good: b"0" + good, id="leading_zero"),
        pytest.param(lambda good: good[:100], id="frame_cut"),
        pytest.param(
            lambda good: frame(good[4:].replace(b"4>1 ", b"4> ")), id="no_version"
        ),
        pytest.param(lambda good: good + b"\x00\x01 rubbish ", id="rubbish_behind"),
    ],
)
@pytest.mark.parametrize("newline", [b"\n", b""], ids=["newline", "glued"])
@pytest.mark.parametrize("victim", [0, 1, 5, 9])
def test_a_damaged_frame_loses_no_neighbour(
    damage: object, newline: bytes, victim: int
) -> None:
    assert callable(damage)
    frames = [full(number, newline) for number in range(10)]
    frames[victim] = damage(frames[victim])

    batch = DrainDecoder().decode(b"".join(frames))

    lines = [event for event in batch.records if isinstance(event, MetricLine)]
    others = [line for line in lines if line.broker != str(victim)]
    assert [line.broker for line in others] == [
        str(number) for number in range(10) if number != victim
    ]
    assert batch.malformed or victim == 9  # a trimmed newline at the end is no fault
    (wanted,) = DrainDecoder().decode(full(0)).records
    assert isinstance(wanted, MetricLine)
    for line in lines:
        assert line.samples.items() <= wanted.samples.items()
    for line in others:
        # "0.0" and "0407 <134>1": the 0 may be the count's or the value's.
        ambiguous = damage(b"407 ") == b"0407 " and not newline
        if not (ambiguous and line.broker == str(victim - 1)):
            assert line.samples == wanted.samples


def test_a_count_one_too_large_adds_no_digit_to_the_last_value() -> None:
    first = b"408 " + FULL1
    (line, *_) = [
        event
        for event in DrainDecoder().decode(first + frame(FULL2)).records
        if isinstance(event, MetricLine)
    ]

    assert ("bytes-out-per-second", "") not in line.samples


def test_uncounted_newlines_between_frames_cost_no_value() -> None:
    batch = DrainDecoder().decode(frame(FULL1) + b"\n" + frame(FULL2) + b"\n")

    lines = [event for event in batch.records if isinstance(event, MetricLine)]
    assert [len(line.samples) for line in lines] == [11, 11]


def test_a_swallowed_frame_is_found_again() -> None:
    swallowing = b"%d " % (len(DYNO) + len(full(1)) + 40) + DYNO

    assert brokers(swallowing + full(1) + full(2) + full(3)) == ["1", "2", "3"]


def test_text_behind_a_broken_count_is_not_taken_for_a_swallowed_frame() -> None:
    forged = full(7)
    dyno = frame(DYNO[:-1] + forged + forged)
    broken = b"x" + full(1)[1:]

    assert brokers(full(0) + dyno + broken + full(2)) == ["0", "2"]


def test_text_of_a_dyno_is_never_a_frame() -> None:
    hostile = frame(DYNO + full(7) + b"\n" + full(8))

    assert brokers(full(1) + hostile + full(2)) == ["1", "2"]


def test_a_frame_over_the_limit_is_refused_and_the_next_is_read() -> None:
    large = frame(DYNO + b"x" * 3000)

    decoder = DrainDecoder(frame_limit_bytes=1000)
    batch = decoder.decode(full(1) + large + full(2))

    assert batch.sample == 2
    assert [event.reason for event in batch.records if isinstance(event, Unparsed)] == [
        Reason.FRAME_TOO_LARGE
    ]


def test_a_limit_below_the_usual_frames_holds_too() -> None:
    assert DrainDecoder(frame_limit_bytes=200).decode(full(1)).sample == 0


@pytest.mark.parametrize("repetitions", [1, 3])
def test_strangers_are_counted_and_not_parsed(repetitions: int) -> None:
    decoder = DrainDecoder()
    body = frame(ROUTER) * 3 + full(2) + frame(DYNO) * 4
    for _ in range(repetitions - 1):
        decoder.decode(body)

    batch = decoder.decode(body)

    assert (batch.other, batch.sample, batch.malformed) == (7, 1, 0)


@pytest.mark.parametrize(
    "header",
    [
        b"<134>1 2026-04-15T14:53:16+00:00 host app heroku-kafka.2 - ",
        b"<134>1 2026-04-15T14:53:16.123456+00:00 host app heroku-kafka.2 - ",
        b"<134>1 2026-04-15T14:53:16.12+00:00 host heroku heroku-kafka.2 - ",
        b"<6>1 - host app heroku-kafka.2 - ",
        b"<134>1 2026-04-15T14:53:16Z d.0000-0000 app heroku-kafka.2 - - ",
        b"<134>1 2026-04-15T14:53:16+00:00 h a heroku-kafka.2 - ",
    ],
)
def test_no_learned_stranger_hides_a_kafka_frame(header: bytes) -> None:
    decoder = DrainDecoder()
    names = ("web.1", "router", "heroku-postgres", "heroku-redis", "worker.10", "run.9")
    for app in ("app", "heroku", "kafka", "a"):
        for name in names:
            for stamp in (
                "2026-04-15T14:53:16.123456+00:00",
                "2026-04-15T14:53:16Z",
                "-",
            ):
                other = f"<190>1 {stamp} host {app} {name} - {'x' * 80}\n"
                decoder.decode(frame(other.encode()))

    line = header + b"addon=kafka-a sample#read-iops=1 sample#write-iops=2 " + b"x" * 60
    assert brokers(frame(line), decoder) == ["2"]


def test_many_different_strangers_use_bounded_memory() -> None:
    decoder = DrainDecoder()
    for number in range(10_000):
        line = f"<190>1 2026-04-15T14:53:16Z host app w{number} - {'x' * 80}\n"
        assert decoder.decode(frame(line.encode())).other == 1


def test_the_slow_grammar_reads_no_more_than_its_budget() -> None:
    quoted = frame(FULL2.replace(b"source=KAFKA", b'source="MY KAFKA"'))
    message = len(quoted) - quoted.index(b"source=")
    budget = Budget(3 * message)
    batch = DrainDecoder(budget=budget).decode(quoted * 5)

    assert sum(isinstance(event, MetricLine) for event in batch.records) == 3
    assert not budget.spend(1)


def test_a_request_gets_no_more_of_the_budget_than_its_share() -> None:
    quoted = frame(FULL2.replace(b"source=KAFKA", b'source="MY KAFKA"'))
    message = len(quoted) - quoted.index(b"source=")
    budget = Budget(100 * message, bytes_per_request=3 * message)
    decoder = DrainDecoder(budget=budget)

    for second in (0.0, 0.1):
        budget.refill(second)
        batch = decoder.decode(quoted * 5)
        assert sum(isinstance(event, MetricLine) for event in batch.records) == 3


def test_a_line_that_exceeds_the_share_does_not_use_it_up() -> None:
    quoted = frame(FULL2.replace(b"source=KAFKA", b'source="MY KAFKA"'))
    endless = frame(FULL2 + b' "' + b"a " * 4_000)

    batch = DrainDecoder().decode(endless + quoted)

    assert [type(one) for one in batch.records] == [Unparsed, MetricLine]


def test_local0_only_believes_add_ons_and_the_log_pipeline() -> None:
    decoder = DrainDecoder(local0_only=True)
    l10 = b"<172>1 2014-11-11T08:24:25+00:00 host heroku logplex - Error L10 (x): 1 messages"
    by_dyno = frame(FULL1.replace(b"<134>", b"<190>"))

    batch = decoder.decode(frame(l10) + by_dyno + frame(FULL2))

    assert (batch.platform, batch.other, batch.sample) == (1, 1, 1)


def test_all_frames_are_counted() -> None:
    batch = DrainDecoder().decode(frame(ROUTER) + full(1) + frame(b"x") + b"rubbish")

    assert batch.frames == 3
    assert {kind: getattr(batch, kind.value) for kind in FrameKind} == {
        FrameKind.SAMPLE: 1,
        FrameKind.BROKER_LOG: 0,
        FrameKind.PLATFORM: 0,
        FrameKind.OTHER: 1,
        FrameKind.MALFORMED: 1,
    }


def test_a_broker_that_is_no_number_is_refused() -> None:
    assert reasons(frame(FULL2.replace(b"kafka.2", b"kafka.two"))) == [
        Reason.BAD_BROKER
    ]


def test_a_node_that_is_no_number_is_refused() -> None:
    line = (
        b"<134>1 2026-06-07T22:46:31+00:00 host kafka kafka-a.x - pri=WARN t=a at=B c"
    )

    assert reasons(frame(line)) == [Reason.BAD_NODE]


def test_an_empty_body_holds_nothing() -> None:
    assert DrainDecoder().decode(b"").frames == 0


@pytest.mark.parametrize("cut", [2, 50, 90])
def test_a_cut_frame_of_a_known_stranger_is_malformed_and_nothing_else(
    cut: int,
) -> None:
    decoder = DrainDecoder()
    decoder.decode(frame(ROUTER))

    batch = decoder.decode((full(1) + frame(ROUTER) * 3)[:-cut])

    assert (batch.sample, batch.other, batch.malformed) == (1, 2, 1)


def test_many_faults_in_one_body_each_cost_themselves() -> None:
    damaged = frame(ROUTER) + b"x" + full(1)[1:] + full(2)

    assert brokers(damaged * 60) == ["2"] * 60


def test_a_line_without_samples_is_refused() -> None:
    line = b"<134>1 2026-04-15T14:53:16+00:00 host app heroku-kafka.2 - addon=kafka-a"

    assert reasons(frame(line)) == [Reason.NO_SAMPLES]


def test_escapes_in_quotes_are_undone() -> None:
    line = rb'<134>1 - host app heroku-kafka.2 - source="a\"\\b" addon=k sample#x="1"'
    (event,) = DrainDecoder().decode(frame(line)).records

    assert isinstance(event, MetricLine)
    assert event.source == 'a"\\b'


def test_a_frame_without_a_newline_is_released_by_the_next_head() -> None:
    decoder = DrainDecoder()
    log = FULL2.rstrip() + b" note=x"

    assert decoder.receive_data(frame(log)).records == []
    batch = decoder.receive_data(frame(FULL1)[:20])

    assert [type(one) for one in batch.records] == [MetricLine]


def test_a_frame_that_ends_in_a_digit_waits_for_the_frame_behind_it() -> None:
    decoder = DrainDecoder()
    first = decoder.receive_data(frame(FULL2.rstrip()) + frame(FULL1.rstrip()))

    assert first.records == []  # the digit could be of the next count
    second = decoder.receive_data(frame(FULL1.rstrip() + b"\n"))

    assert [type(one) for one in second.records] == [MetricLine]
    assert [type(one) for one in decoder.flush().records] == [MetricLine] * 2


def test_a_pause_releases_whole_frames_and_keeps_a_partial_one() -> None:
    decoder = DrainDecoder()
    begun = frame(FULL1.rstrip() + b"\n")
    decoder.receive_data(frame(FULL2.rstrip()) + begun[:100])

    (line,) = decoder.flush().records
    assert isinstance(line, MetricLine)
    assert len(line.samples) == 11
    assert decoder.flush().records == []
    (rest,) = decoder.receive_data(begun[100:]).records
    assert isinstance(rest, MetricLine)


def test_a_pause_within_garbage_loses_no_later_frame() -> None:
    decoder = DrainDecoder()
    decoder.receive_data(b"rubbish that is no count " + frame(FULL1)[:9])

    decoder.flush()
    decoder.receive_data(frame(FULL1)[9:] + frame(FULL2))

    batch = decoder.receive_eof()
    assert [type(one) for one in batch.records] == [MetricLine] * 2
