"""The compiled extension does what the pure versions do.

It is compiled from its source for these tests, so they hold whichever version the rest of
the suite runs with, and for the present source.
"""

import re
import sys
from importlib.util import module_from_spec, spec_from_file_location
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Protocol, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import build_speedups
from parsers import Batch, DrainDecoder, SampleKey
from parsers.families.kafka import samples
from parsers.families.kafka.samples import SampleLine, maybe_scan_samples_in_python
from parsers.values import UNITS
from parsers.wire import decoder
from parsers.wire.foreign import ORIGIN_BYTES, PureForeignFrames
from tests.frames import FULL2, frame
from tests.serving import find_program


class Scanner(Protocol):
    """`parsers._speedups.SampleScanner`."""

    def learn(
        self, name: bytes, unit: bytes, key: SampleKey, factor: float
    ) -> None: ...
    def scan(
        self, message: bytes
    ) -> tuple[str, str, dict[SampleKey, float]] | None: ...


CORPUS = Path(__file__).parents[2] / "fixtures" / "fuzz"
DOCUMENTED = FULL2.partition(b" - ")[2]


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    find_program("cc")
    target = tmp_path_factory.mktemp("speedups") / build_speedups.TARGET.name
    build_speedups.compile_extension(target, "-Wall", "-Wextra", "-Werror")
    spec = spec_from_file_location("_speedups", target)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# The walk

ORIGINS = (
    b" host app web.1 - ",
    b" host heroku route",
    b" host app worker.1",
    b" h a web.12 - at=in",
)
STAMPS = (b"2026-04-15T14:53:16.123456+00:00", b"2026-04-15T14:53:16+00:00", b"-", b"")

origins = st.sampled_from([origin[:ORIGIN_BYTES] for origin in ORIGINS])
texts = st.one_of(
    st.binary(max_size=150),
    st.binary(min_size=80, max_size=1000),
    st.sampled_from(ORIGINS).map(lambda origin: origin * 9),
)


@st.composite
def frames(draw: st.DrawFn) -> bytes:
    """A frame, mostly a good one of learned origin, sometimes with a wrong count."""
    head = b"<%s>1 %s" % (
        draw(st.sampled_from([b"4", b"45", b"158", b"x"])),
        draw(st.sampled_from(STAMPS)),
    )
    whole = frame(head + draw(origins) + draw(texts))
    return draw(st.sampled_from([whole] * 9 + [b"0" + whole, whole[:-1], whole[3:]]))


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """Frames, of which a few bytes may be broken and the end be cut."""
    body = bytearray(b"".join(draw(st.lists(frames(), max_size=12))))
    for _ in range(draw(st.integers(0, 2))):
        if body:
            body[draw(st.integers(0, len(body) - 1))] = draw(st.integers(0, 255))
    return bytes(
        body[: draw(st.integers(0, len(body)))] if draw(st.booleans()) else body
    )


@given(
    bodies(),
    st.lists(origins, max_size=4),
    st.sampled_from([0, 100, 300, 65_536]),
    st.data(),
)
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_both_walks_skip_the_same_frames(
    compiled: ModuleType,
    body: bytes,
    learned: list[bytes],
    limit: int,
    data: st.DataObject,
) -> None:
    position = data.draw(st.sampled_from([0, len(body)]) | st.integers(0, len(body)))
    stop = data.draw(st.sampled_from([0, len(body)]) | st.integers(-9, len(body) + 9))
    # At the end of a body an origin may be cut, and is learned like this.
    learned += [origin[: data.draw(st.integers(9, ORIGIN_BYTES))] for origin in learned]
    ours, pure = compiled.ForeignFrames(limit), PureForeignFrames(limit)
    for origin in learned:
        ours.learn(origin)
        pure.learn(origin)

    assert ours.skip(body, position, stop) == pure.skip(body, position, stop)


def test_the_walk_skips_frames_of_learned_origin_alone(compiled: ModuleType) -> None:
    one = frame(b"<158>1 2026-04-15T14:53:16+00:00 host app web.1 - " + b"x" * 99)
    other = one.replace(b"web.1", b"web.2")
    foreign = compiled.ForeignFrames(1000)
    foreign.learn(ORIGINS[0])

    assert foreign.skip(one * 3 + other + one, 0, len(one) * 5) == (len(one) * 3, 3)


def test_too_many_origins_are_forgotten_by_both(compiled: ModuleType) -> None:
    many = [b" host app wb.%05d" % number for number in range(9000)]
    ours, pure = compiled.ForeignFrames(1000), PureForeignFrames(1000)
    for origin in many:
        ours.learn(origin)
        pure.learn(origin)

    for origin in many:
        body = frame(b"<158>1 2026-04-15T14:53:16+00:00" + origin + b" - " + b"x" * 99)
        assert ours.skip(body, 0, 1) == pure.skip(body, 0, 1)


def decode(body: bytes, cuts: list[int]) -> tuple[Batch, list[Batch]]:
    """Decode a body twice as a whole, and in pieces as a stream."""
    whole = DrainDecoder(frame_limit_bytes=500)
    whole.decode(body)
    stream = DrainDecoder(frame_limit_bytes=500)
    pieces = [body[start:end] for start, end in pairwise([0, *sorted(cuts), len(body)])]
    batches = [stream.receive_data(piece) for piece in pieces]
    return whole.decode(body), [*batches, stream.flush(), stream.receive_eof()]


@given(bodies(), bodies(), st.data())
def test_decoders_agree_whole_and_in_pieces(
    compiled: ModuleType, before: bytes, behind: bytes, data: st.DataObject
) -> None:
    body = before + frame(FULL2) + behind
    cuts = data.draw(st.lists(st.integers(0, len(body)), max_size=4))
    results = []
    with pytest.MonkeyPatch.context() as patch:
        for version in (PureForeignFrames, compiled.ForeignFrames):
            patch.setattr(decoder, "ForeignFrames", version)
            results.append(decode(body, cuts))

    assert results[0] == results[1]


# The scan

NAMES = (b"load-avg-1m", b"memory-total", b"x", b"_:/.-y", b"n" * 100)

numbers = st.one_of(
    st.from_regex(rb"[0-9]{1,17}(\.[0-9]{1,17})?", fullmatch=True),
    st.from_regex(rb"[0-9]{39,41}(\.[0-9]{39,41})?", fullmatch=True),
    st.floats(allow_nan=False).map(lambda number: b"%r" % number),
    st.sampled_from([b"", b".5", b"5.", b"1_0", b"nan", b"1e5", b"-1", b"0x1"]),
)
names = st.sampled_from([*NAMES, b"n" * 101, b"", b"unlearned", b'quo"te', b"a b"])
units = st.sampled_from([*UNITS, b"lightyears", b"kb/s", b"="])
blanks = st.sampled_from([b" "] * 9 + [b"  ", b"\t", b"\n", b"\xa0", b""])
labels = st.one_of(
    st.sampled_from(
        [b"KAFKA", b"kafka-a", b"", b'"KAFKA"', b"\xc3\xa9", b"a#b", b"-a"]
    ),
    st.integers(126, 130).map(lambda size: b"a" * size),
)


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    """A metric message, mostly in Heroku's layout."""
    tokens = [b"source=" + draw(labels), b"addon=" + draw(labels)]
    for name, number, unit in draw(
        st.lists(st.tuples(names, numbers, units), max_size=6)
    ):
        key = draw(st.sampled_from([b"sample#"] * 9 + [b"count#", b"", b"sample#="]))
        tokens.append(key + name + b"=" + number + unit)
    if draw(st.integers(0, 9)) == 0:
        tokens = draw(st.permutations(tokens))
    parts = [part for token in tokens for part in (token, draw(blanks))]
    return b"".join(parts)


@pytest.fixture(scope="module")
def scanner(compiled: ModuleType) -> Scanner:
    scanner = cast("Scanner", compiled.SampleScanner())
    documented = re.findall(rb"#([^=]*)=", DOCUMENTED)
    for name in (*NAMES, *documented, b"latency"):
        for unit, (base, factor) in UNITS.items():
            scanner.learn(name, unit, (name.decode(), base), factor)
    return scanner


def check_scan(scanner: Scanner, message: bytes) -> bool:
    """Compare, if the compiled scan answers at all; say whether it does."""
    scanned = scanner.scan(message)
    if scanned is not None:
        assert SampleLine(*scanned) == maybe_scan_samples_in_python(message)
    return scanned is not None


@given(messages())
def test_what_the_compiled_scan_reads_is_what_python_reads(
    scanner: Scanner, message: bytes
) -> None:
    check_scan(scanner, message)


@given(
    st.lists(st.tuples(st.sampled_from(NAMES), numbers, st.sampled_from(list(UNITS))))
)
def test_good_lines_are_read_compiled(
    scanner: Scanner, found: list[tuple[bytes, bytes, bytes]]
) -> None:
    good = {
        (name, UNITS[unit][0]): b" sample#%s=%s%s" % (name, number, unit)
        for name, number, unit in found
        if re.fullmatch(rb"[0-9]{1,40}(\.[0-9]{1,40})?", number)
    }
    message = b"source=KAFKA addon=kafka-a" + b"".join(good.values())

    assert check_scan(scanner, message) is bool(good)


@given(st.from_regex(rb"[0-9]{1,40}(\.[0-9]{1,40})?", fullmatch=True))
def test_numbers_are_converted_as_float_converts_them(
    scanner: Scanner, number: bytes
) -> None:
    scanned = scanner.scan(b"source=K addon=a sample#x=%s" % number)

    assert scanned == ("a", "K", {("x", ""): float(number)})


def test_samples_can_be_forgotten_and_their_keys_are_released(
    compiled: ModuleType,
) -> None:
    scanner = compiled.SampleScanner()
    key = ("x", "")
    held = sys.getrefcount(key)
    message = b"source=K addon=a sample#x=1"
    for _ in range(3):
        scanner.learn(b"x", b"", key, 1.0)
    assert scanner.scan(message) == ("a", "K", {key: 1.0})
    scanner.clear()

    assert scanner.scan(message) is None
    assert sys.getrefcount(key) == held


def test_too_many_names_leave_the_documented_ones_known(
    compiled: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    scanner = compiled.SampleScanner()
    monkeypatch.setattr(samples, "_SCANNER", scanner)
    for number in range(5000):
        message = b"source=A addon=a sample#n%d=1" % number
        assert samples.maybe_scan_samples(message) == maybe_scan_samples_in_python(
            message
        )

    assert check_scan(scanner, DOCUMENTED)
    assert scanner.scan(b"source=A addon=a sample#n1=1") is None
    assert check_scan(scanner, b"source=A addon=a sample#n4999=1")


# References


def test_none_is_returned_with_a_reference(compiled: ModuleType) -> None:
    # Python 3.11 counts those of None; later versions always show the same number.
    scanner, foreign = compiled.SampleScanner(), compiled.ForeignFrames(100)
    held = sys.getrefcount(None)
    for _ in range(1000):
        scanner.scan(b"")
        scanner.clear()
        scanner.learn(b"x", b"", ("x", ""), 1.0)
        foreign.learn(ORIGINS[0])

    assert sys.getrefcount(None) > held - 100


# What only a defect of ours could pass


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("learn", (b"",)),
        ("learn", (b"no blank first",)),
        ("learn", (b" more than 18 bytes long",)),
        ("learn", ("text",)),
        ("skip", (b"body", 0)),
        ("skip", (bytearray(b"body"), 0, 4)),
        ("skip", (b"body", "0", 4)),
        ("skip", (b"body", 0, 1 << 70)),
    ],
)
def test_wrong_arguments_of_the_walk_raise(
    compiled: ModuleType, method: str, arguments: tuple[object, ...]
) -> None:
    with pytest.raises((TypeError, ValueError, OverflowError)):
        getattr(compiled.ForeignFrames(100), method)(*arguments)


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("learn", (b"x", b"", ("x", ""))),
        ("learn", (b"", b"", ("x", ""), 1.0)),
        ("learn", (b"n" * 101, b"", ("x", ""), 1.0)),
        ("learn", (b"x", "", ("x", ""), 1.0)),
        ("learn", (b"x", b"", ("x", ""), "1")),
        ("scan", ("text",)),
    ],
)
def test_wrong_arguments_of_the_scan_raise(
    compiled: ModuleType, method: str, arguments: tuple[object, ...]
) -> None:
    with pytest.raises((TypeError, ValueError)):
        getattr(compiled.SampleScanner(), method)(*arguments)


# What the fuzzers found worth keeping: see tests/fuzz


def read_corpus(name: str) -> list[bytes]:
    return [path.read_bytes() for path in sorted((CORPUS / name).iterdir())]


def test_both_walks_agree_on_the_fuzzers_corpus(compiled: ModuleType) -> None:
    skipped = 0
    for data in read_corpus("walk"):
        limit, stop, count = data[0] * 256, data[1] + data[2] * 256, data[3]
        body = data[4 + count * ORIGIN_BYTES :]
        ours, pure = compiled.ForeignFrames(limit), PureForeignFrames(limit)
        for number in range(count):
            start = 4 + number * ORIGIN_BYTES
            origin = b" " + data[start + 1 : start + ORIGIN_BYTES]
            ours.learn(origin)
            pure.learn(origin)
        found = ours.skip(body, 0, stop)
        assert found == pure.skip(body, 0, stop)
        skipped += found[1]

    assert skipped > 10


def test_both_scans_agree_on_the_fuzzers_corpus(scanner: Scanner) -> None:
    scanned = [check_scan(scanner, message) for message in read_corpus("scan")]

    assert scanned.count(True) > 10
