"""Frames a second of the decoder, beside a bare walk and a plain split parser.

The walk finds each count with ``find`` and ``int`` and does nothing else: the least that
pure Python can do without a table. The split parser is what one writes first: every
header split, the values of Kafka's lines taken with ``partition``. The decoder runs with
the compiled extension and without. All candidates run in turn, so that a machine whose
speed drifts slows all of them.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from unittest import mock

from parsers import IMPLEMENTATION, DrainDecoder
from parsers.families.kafka import samples
from parsers.wire import decoder as decoders
from parsers.wire.foreign import ForeignFrames, PureForeignFrames
from tests.benchmarks.workload import bodies

SCANNER = samples._SCANNER


def walk(body: bytes) -> None:
    """Walk over the frames by their counts."""
    position, end = 0, len(body)
    while position < end:
        blank = body.find(b" ", position)
        position = blank + 1 + int(body[position:blank])


def split(body: bytes) -> dict[tuple[bytes, bytes, bytes], float]:
    """Split each header, and the samples of Kafka's lines; trust everything."""
    found: dict[tuple[bytes, bytes, bytes], float] = {}
    position, end = 0, len(body)
    while position < end:
        blank = body.find(b" ", position)
        stop = blank + 1 + int(body[position:blank])
        _, _, _, _app, proc, message = body[blank + 1 : stop].split(b" ", 5)
        if proc.startswith(b"heroku-kafka."):
            labels, *samples = message.split(b"sample#")
            addon = labels.partition(b"addon=")[2].rstrip()
            for sample in samples:
                name, _, text = sample.partition(b"=")
                number = text.rstrip().removesuffix(b"kB")
                found[addon, proc, name] = float(number)
        position = stop
    return found


def seconds(run: Callable[[bytes], object], work: list[bytes]) -> float:
    """Return the processor seconds of one pass."""
    started = time.process_time()
    for body in work:
        run(body)
    return time.process_time() - started


def make_decoders() -> dict[str, Callable[[bytes], object]]:
    """Make a decoder of each version: its name to what decodes a body."""
    pure = make_decoder(PureForeignFrames, None)
    if IMPLEMENTATION == "pure":
        return {"pure": pure}
    return {"compiled": make_decoder(ForeignFrames, SCANNER), "pure": pure}


def make_decoder(foreign: type[object], scanner: object) -> Callable[[bytes], object]:
    """Make a decoder with these parts."""
    with mock.patch.object(decoders, "ForeignFrames", foreign):
        decoder = DrainDecoder()

    def decode(body: bytes) -> None:
        vars(samples)["_SCANNER"] = scanner
        decoder.decode(body)

    return decode


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--frames", type=int, default=50_000)
    parser.add_argument("--passes", type=int, default=7)
    options = parser.parse_args()
    print(
        "| Kafka | frames a body | decoder | decoder / walk | min–max "
        "| decoder / split | min–max | frames/s |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for share in (0.01, 0.1, 1.0):
        for per_body in (1, 10, 100, 500):
            work = bodies(options.frames, share, per_body)
            for version, row in measure(work, options).items():
                print(f"| {share:.0%} | {per_body} | {version} | {row}", flush=True)


def measure(work: list[bytes], options: argparse.Namespace) -> dict[str, str]:
    """Run all candidates in turn; return the columns of each version's row."""
    versions = make_decoders()
    to_walk: dict[str, list[float]] = {version: [] for version in versions}
    to_split: dict[str, list[float]] = {version: [] for version in versions}
    rates: dict[str, list[float]] = {version: [] for version in versions}
    for decode in versions.values():  # what the first pass learns is not measured
        seconds(decode, work)
    for _ in range(options.passes):
        bare, plain = seconds(walk, work), seconds(split, work)
        for version, decode in versions.items():
            ours = seconds(decode, work)
            to_walk[version].append(bare / ours)
            to_split[version].append(plain / ours)
            rates[version].append(options.frames / ours)
    return {
        version: f"**{statistics.median(to_walk[version]):.2f}** "
        f"| {min(to_walk[version]):.2f}–{max(to_walk[version]):.2f} "
        f"| {statistics.median(to_split[version]):.2f} "
        f"| {min(to_split[version]):.2f}–{max(to_split[version]):.2f} "
        f"| {statistics.median(rates[version]) / 1e6:.2f} M |"
        for version in versions
    }


if __name__ == "__main__":
    main()
