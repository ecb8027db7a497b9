"""Laws that hold for any input: P01 to P10, and the law of the two paths."""

import itertools
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers import (
    Batch,
    BrokerLog,
    Budget,
    DrainDecoder,
    FrameKind,
    MetricLine,
    ParserFault,
    Unparsed,
    maybe_parse_header,
    parse_broker_message,
    parse_line,
    parse_metric_message,
)
from parsers.families.kafka.broker_logs import BrokerLine, parse_broker_line
from parsers.families.kafka.contexts import MAX_CONTEXTS, maybe_split_contexts
from parsers.families.kafka.grammar import parse_contexts, parse_subjects
from parsers.families.kafka.references import find_references
from parsers.families.kafka.samples import maybe_scan_samples
from parsers.families.kafka.subjects import (
    BEFORE_MAPPED,
    BEFORE_PARTITION,
    BEFORE_TOPIC,
    BEFORE_TOPICS,
    OPENINGS,
    find_subjects,
)
from parsers.values import UNITS, maybe_parse_timestamp, parse_value
from tests.frames import FULL2, frame

HEADER = b"<134>1 2026-04-15T14:53:16+00:00 host app heroku-kafka.2 - "

stamps = st.sampled_from(
    [
        b"2026-04-15T14:53:16.123456+00:00",
        b"2026-04-15T14:53:16+00:00",
        b"2026-04-15T14:53:16.12+00:00",
        b"2026-04-15T14:53:16Z",
        b"-",
    ]
)
hosts = st.sampled_from([b"host", b"d.73ea7440-270a-435a-a0ea-adf50b4e5f5a", b"h"])
apps = st.sampled_from([b"app", b"heroku", b"kafka", b"a"])
procs = st.sampled_from(
    [
        b"web.1",
        b"router",
        b"worker.12",
        b"heroku-postgres",
        b"heroku-kafka",
        b"heroku-kafka.2",
        b"heroku-kafka-exporter.1",
        b"kafka-animated-39618.0",
        b"logplex",
        b"log-shuttle",
        b"-",
    ]
)
forged = frame(FULL2.replace(b"kafka.2", b"kafka.7"))
texts = st.one_of(
    st.binary(max_size=60),
    st.sampled_from(
        [
            b"source=KAFKA addon=kafka-a sample#read-iops=1",
            b"addon=kafka-a sample#memory-total=5kB sample#x=y\n",
            b"pri=WARN t=main at=Log text",
            b"Error L10 (output buffer overflow): 5 messages dropped since 2026.",
            b"user said:\n" + forged + b"\n",
            b" host app web.1 - " * 8,
            forged * 3,
        ]
    ),
    st.binary(min_size=900, max_size=1500),
)


@st.composite
def lines(draw: st.DrawFn) -> bytes:
    """A frame with a good header and any message."""
    pri = draw(st.sampled_from([b"134", b"190", b"45", b"6"]))
    head = b" ".join([draw(stamps), draw(hosts), draw(apps), draw(procs), b"-"])
    return b"<%s>1 %s %s" % (pri, head, draw(texts))


def naive(frames: list[bytes]) -> Batch:
    """Decode frames one by one and in full: what the decoder must agree with."""
    batch = Batch()
    for content in frames:
        parsed = maybe_parse_header(content)
        if parsed is None:
            batch.malformed += 1
            continue
        header, start = parsed
        kind, records = parse_line(header, content[start:], Budget(9))
        batch.count(kind)
        batch.records += records
    return batch


def kinds(batch: Batch) -> dict[FrameKind, int]:
    return {kind: getattr(batch, kind.value) for kind in FrameKind}


def facts(batch: Batch) -> list[object]:
    """The records without the refusals, which may differ in excerpt and order."""
    assert_sound(batch)
    return [record for record in batch.records if not isinstance(record, Unparsed)]


def assert_sound(batch: Batch) -> None:
    """No line may reach the boundary that a defect of the parsers would cross."""
    faults = [one.error for one in batch.records if isinstance(one, ParserFault)]
    if faults:
        raise faults[0]


def in_pieces(decoder: DrainDecoder, pieces: list[bytes]) -> Batch:
    return joined([*map(decoder.receive_data, pieces), decoder.receive_eof()])


def joined(parts: list[Batch]) -> Batch:
    whole = Batch()
    for part in parts:
        whole.records += part.records
        for kind in FrameKind:
            total = getattr(whole, kind.value) + getattr(part, kind.value)
            setattr(whole, kind.value, total)
    return whole


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_as_many_frames_come_out_as_went_in(messages: list[bytes]) -> None:
    batch = DrainDecoder().decode(b"".join(map(frame, messages)))

    assert batch.frames == len(messages)


@given(st.lists(lines(), max_size=25), st.lists(lines(), max_size=25))
def test_the_decoder_agrees_with_the_naive_one(
    learned: list[bytes], frames: list[bytes]
) -> None:
    decoder = DrainDecoder()
    decoder.decode(b"".join(map(frame, learned)))

    batch = decoder.decode(b"".join(map(frame, frames)))

    wanted = naive(frames)
    assert kinds(batch) == kinds(wanted)
    assert facts(batch) == facts(wanted)


bodies = st.one_of(
    st.lists(lines().map(frame), max_size=12).map(b"".join),
    st.lists(st.one_of(lines().map(frame), st.binary(max_size=40)), max_size=12).map(
        b"".join
    ),
    st.binary(max_size=2000),
)


@given(bodies)
def test_what_the_decoder_has_learned_changes_no_record(body: bytes) -> None:
    decoder = DrainDecoder(frame_limit_bytes=300)

    first, second = decoder.decode(body), decoder.decode(body)

    assert kinds(second) == kinds(first)
    assert second.records == first.records


@given(bodies, st.lists(st.integers(1, 700), min_size=1, max_size=30))
def test_any_split_into_pieces_gives_the_same(body: bytes, sizes: list[int]) -> None:
    pieces, at = [], 0
    for size in itertools.cycle(sizes):
        pieces.append(body[at : at + size])
        at += size
        if at >= len(body):
            break

    whole = DrainDecoder(frame_limit_bytes=300).decode(body)
    parts = in_pieces(DrainDecoder(frame_limit_bytes=300), pieces)

    assert kinds(parts) == kinds(whole)
    assert facts(parts) == facts(whole)


@given(
    st.lists(lines(), max_size=12),
    st.lists(st.integers(1, 700), min_size=1, max_size=30),
)
def test_pauses_at_any_place_change_no_record_of_sound_frames(
    frames: list[bytes], sizes: list[int]
) -> None:
    ended = [line.rstrip(b"\n") + b"\n" for line in frames]
    body = b"".join(map(frame, ended))
    decoder = DrainDecoder()

    parts, at = [], 0
    for size in itertools.islice(itertools.cycle(sizes), 200):
        parts += [decoder.receive_data(body[at : at + size]), decoder.flush()]
        at += size
    parts += [decoder.receive_data(body[at:]), decoder.receive_eof()]

    whole = DrainDecoder().decode(body)
    assert facts(joined(parts)) == facts(whole)
    assert kinds(joined(parts)) == kinds(whole)


@given(st.lists(lines(), min_size=1, max_size=12))
def test_a_stream_releases_each_sound_frame_with_its_last_byte(
    frames: list[bytes],
) -> None:
    decoder = DrainDecoder()
    for content in frames:
        line = content.rstrip(b"\n") + b"\n"
        wanted = DrainDecoder().decode(frame(line))
        if maybe_parse_header(line) is None:
            continue  # what follows decides whether its count was right

        batch = decoder.receive_data(frame(line))

        assert facts(batch) == facts(wanted)
        assert kinds(batch) == kinds(wanted)


@given(bodies)
def test_any_bytes_are_decoded_without_an_exception(body: bytes) -> None:
    batch = DrainDecoder(frame_limit_bytes=500).decode(body)

    assert batch.frames <= len(body)
    assert_sound(batch)


@given(bodies, st.integers(0, 4000), st.binary(min_size=1, max_size=3))
def test_damage_is_decoded_without_an_exception(
    body: bytes, at: int, damage: bytes
) -> None:
    at = min(at, len(body))

    assert_sound(DrainDecoder().decode(body[:at] + damage + body[at + len(damage) :]))


@pytest.mark.parametrize(
    "pattern",
    [
        b"1",
        b"1 ",
        b"9 <",
        b"sample#",
        b'"',
        b"335 <158>1 - h a heroku-kafka.1 - ",
        b"35 <1>1 - ",
        b"9 <1>1 2026-04-15",
        b"1000 <1>1 - h app heroku-kafka.1 - ",
        frame(HEADER + b'sample#a="'),
    ],
)
def test_the_work_grows_no_faster_than_the_body(pattern: bytes) -> None:
    """Four times the bytes may take eight times the work, not sixteen."""

    def work(size: int) -> float:
        body = (pattern * (size // len(pattern) + 1))[:size]
        decoder = DrainDecoder(budget=Budget(100))
        best = float("inf")
        for _ in range(3):
            started = time.process_time()
            decoder.decode(body)
            best = min(best, time.process_time() - started)
        return best

    assert work(1_000_000) < max(8 * work(250_000), 0.05)


@given(st.lists(lines(), max_size=12), st.lists(st.integers(0, 12), max_size=12))
def test_frames_of_others_change_no_kafka_value(
    frames: list[bytes], places: list[int]
) -> None:
    dyno = b"<190>1 2026-04-15T14:53:16.123456+00:00 host app web.1 - " + forged
    mixed = list(frames)
    for place in places:
        mixed.insert(place, dyno)

    alone = DrainDecoder().decode(b"".join(map(frame, frames)))
    among_others = DrainDecoder().decode(b"".join(map(frame, mixed)))

    assert facts(among_others) == facts(alone)


@given(st.lists(lines(), max_size=12))
def test_a_final_newline_changes_no_value(frames: list[bytes]) -> None:
    def values(ending: bytes) -> list[object]:
        body = b"".join(frame(line.rstrip() + ending) for line in frames)
        events = DrainDecoder().decode(body).records
        return [
            event.samples if isinstance(event, MetricLine) else event.text
            for event in events
            if isinstance(event, MetricLine | BrokerLog)
        ]

    assert values(b"\n") == values(b"")


@given(st.integers(0, 999_999), st.integers(0, 2_000_000_000))
def test_equal_instants_are_equal_however_they_are_written(
    micros: int, seconds: int
) -> None:
    moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    fraction = f".{micros:06}".rstrip("0").rstrip(".")
    written = {
        maybe_parse_timestamp(f"{moment}{digits}{zone}".encode())
        for digits in (fraction, f".{micros:06}", f".{micros:06}000")
        for zone in ("Z", "+00:00", "-00:00")
    }

    assert written == {seconds + float(f"0.{micros:06}")}


@given(
    st.floats(allow_nan=False, allow_infinity=False, min_value=-1e290, max_value=1e290),
    st.sampled_from(sorted(UNITS)),
)
def test_a_number_survives_being_written(number: float, unit: bytes) -> None:
    base, factor = UNITS[unit]

    assert parse_value(repr(number).encode() + unit) == (number * factor, base)


def test_damage_at_any_byte_loses_little_and_forges_nothing() -> None:
    """Reliability check R4: one byte of a body of 50 frames is changed."""
    frames = [
        frame(FULL2.replace(b"kafka.2", b"kafka.%d" % number) + b"\n")
        if number % 2
        else frame(
            b"<190>1 2026-04-15T14:53:16.1234+00:00 host app web.1 - x %d\n" % number
        )
        for number in range(50)
    ]
    body = b"".join(frames)
    starts = list(itertools.accumulate(map(len, frames), initial=0))
    original = {line.broker: line.samples for line in metric_lines(body)}
    expected = recovered = 0
    for at in range(len(body)):
        victim = next(n for n in range(50) if starts[n + 1] > at)
        damaged = (
            body[:at] + (b"7" if body[at : at + 1] != b"7" else b"x") + body[at + 1 :]
        )
        found = {line.broker: line.samples for line in metric_lines(damaged)}
        intact = {key: original[key] for key in original if key != str(victim)}
        before = {key for key in intact if int(key or 0) < victim}
        assert all(found.get(key) == original[key] for key in before)
        assert all(found[key] == original[key] for key in found if key in intact)
        after = set(intact) - before
        expected += len(after)
        recovered += sum(key in found for key in after)

    assert recovered >= 0.99 * expected


def metric_lines(body: bytes) -> list[MetricLine]:
    events = DrainDecoder().decode(body).records
    return [event for event in events if isinstance(event, MetricLine)]


names = st.sampled_from(
    [
        b"read-iops",
        b"memory-total",
        b"a.b/c",
        b"9lives",
        b"",
        b"x" * 101,
        b"\xc3\xa9",
        b"a#b",
    ]
)
values = st.one_of(
    st.sampled_from(
        [
            *(
                b"0",
                b"0.0",
                b"16098868kB",
                b"1.",
                b".5",
                b"+2",
                b"-1",
                b"1_000",
                b"0x10",
            ),
            *(b"1e400", b"1.2e-05", b"5parsecs", b"", b"nan", b"inf", b"31%", b"1,5"),
            *(b"9" * 41, b"1.5.2", b"\xd9\xa1", b"=", b"1=2"),
        ]
    ),
    st.floats(allow_nan=False, allow_infinity=False).map(lambda x: repr(x).encode()),
)
tokens = st.one_of(
    st.builds(lambda name, value: b"sample#%s=%s" % (name, value), names, values),
    st.sampled_from(
        [
            *(b"source=KAFKA", b"addon=kafka-a", b"addon=kafka-b", b"addon=", b"addon"),
            *(b"sample#read-iops", b"measure#x=1", b"count#y=2", b"sample.z=1", b"#"),
            *(b"xsample#read-iops=1", b"=", b"==", b"source=", b"addon=a#b", b"note=a"),
        ]
    ),
)
gaps = st.sampled_from([b" ", b"  ", b"\t", b" \t ", b"\r\n", b"\x0b", b"\n"])
quoted = st.sampled_from(
    [b'source="MY KAFKA"', b'addon="kafka-a"', b'note="sample#x=7"', b'a="b', b'x"y"=1']
)


def messages(parts: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    pairs = st.lists(st.tuples(parts, gaps), max_size=14)
    usual = st.sampled_from([b"", b"source=KAFKA addon=kafka-a ", b" "])
    return st.builds(
        lambda start, rest: start + b"".join(a + b for a, b in rest), usual, pairs
    )


@given(st.one_of(messages(tokens), messages(st.binary(max_size=8))))
def test_the_fast_path_and_the_grammar_read_the_same_metrics(message: bytes) -> None:
    fast = maybe_scan_samples(message)
    if fast is None:
        assert b'"' in message
        return
    grammar = parse_metric_message(message)

    assert (fast.addon, fast.source, fast.samples) == (
        grammar.addon,
        grammar.source,
        grammar.samples,
    )
    assert fast.problems == grammar.problems


numbers = st.from_regex(r"[0-9]{1,42}(\.[0-9]{1,42})?", fullmatch=True)


@given(st.lists(numbers, min_size=11, max_size=11))
def test_the_fast_path_and_the_grammar_read_the_same_documented_line(
    written: list[str],
) -> None:
    line = FULL2[len(HEADER) :]
    fresh = iter(written)
    message = re.sub(rb"=[0-9.]+", lambda _: b"=" + next(fresh).encode(), line)

    fast = maybe_scan_samples(message)

    assert fast is not None
    assert fast.samples == parse_metric_message(message).samples


@given(messages(st.one_of(tokens, quoted)))
def test_the_grammar_reads_any_quoted_message(message: bytes) -> None:
    line = parse_metric_message(message)

    assert all(isinstance(value, float) for value in line.samples.values())


broker_parts = st.lists(
    st.one_of(
        st.sampled_from(
            [
                b"pri=WARN",
                b" t=",
                b" at=",
                b"main",
                b"SIGTERM handler",
                b" ",
                b"\n",
                b"\t",
            ]
        ),
        st.sampled_from([b"broker=1 ", b"pri=", b"Log", b"x" * 210, b"\xc3("]),
        st.binary(max_size=4),
    ),
    max_size=10,
).map(b"".join)


@given(st.one_of(broker_parts, broker_parts.map(lambda rest: b"pri=ERROR" + rest)))
def test_the_fast_path_and_the_grammar_read_the_same_broker_lines(
    message: bytes,
) -> None:
    fast = parse_broker_line(message)
    grammar = parse_broker_message(message)

    if isinstance(grammar, BrokerLine):
        assert grammar == fast
    else:
        assert fast is None


context_parts = st.lists(
    st.one_of(
        st.sampled_from(
            ["[", "]", "]:", "],", " ", ", ", ",", "=", ":", "\u2028", "é"]
        ),
        st.sampled_from(["ReplicaFetcher", "replicaId=1", "Partition a-1", "/x", "1"]),
        st.text(max_size=3),
    ),
    max_size=14,
).map("".join)
written_contexts = st.lists(
    st.sampled_from(
        [
            "[ReplicaFetcher replicaId=1, leaderId=2, fetcherId=0] ",
            "[Controller id=0 epoch=12] ",
            "[Admin Manager on Broker 1]: ",
            "[kafka-log-cleaner-thread-0], ",
            "[AddPartitionsToTxnSenderThread-1]",
            "[SslTransportLayer channelId=a key=b[connected local=/1.2.3.4:9], c=d[e[f]]] ",
            "[LeaderEpochCache a.b-c_d-7] ",
        ]
    ),
    max_size=6,
).map("".join)


@given(written_contexts, context_parts)
def test_the_fast_path_and_the_grammar_split_the_same_contexts(
    front: str, rest: str
) -> None:
    fast = maybe_split_contexts(front + rest)
    contexts, message = parse_contexts(front + rest)

    assert len(contexts) <= MAX_CONTEXTS
    assert (front + rest).endswith(message)
    assert fast in (None, (contexts, message))
    if "[" not in (front + rest).replace("[", "", len(contexts)):
        assert fast is not None


message_parts = st.lists(
    st.one_of(
        st.sampled_from([*BEFORE_PARTITION, *BEFORE_MAPPED, *OPENINGS, BEFORE_TOPICS]),
        st.sampled_from([word for word, _ in BEFORE_TOPIC]),
        st.sampled_from(["topic=", ", partition=", "Topic: ", "; Partition: ", "/"]),
        st.sampled_from(
            ["a-1", "orders.v2-13", "__consumer_offsets-36", "x-1-2", "-7"]
        ),
        st.sampled_from(["orders.v2-13", "b-2", ",", ", ", " -> ", "`", ":9096"]),
        st.sampled_from(["/00000000000000000000.log", "mDXBpFY7SxGTjBZpDOdwZw:"]),
        st.sampled_from([".", ". ", "'", ")", " ", "-", "0", "9" * 10, "t" * 250]),
        st.text(max_size=3),
    ),
    max_size=12,
).map("".join)


@given(message_parts)
def test_the_fast_path_and_the_grammar_find_the_same_subjects(message: str) -> None:
    assert find_subjects(message) == parse_subjects(message)


@given(st.text(alphabet="aA.-$_ [](),:=0123456789ErorxceptinE", max_size=400))
def test_any_message_has_references_without_an_exception(message: str) -> None:
    found = find_references((), message)

    assert all(one.topic in message for one in found.partitions)
    assert found.peer in message
    assert found.exception in message
