"""Frames a second of the decoder, beside a bare walk and a plain split parser.

The walk finds each count with ``find`` and ``int`` and does nothing else: the least that
pure Python can do without a table. The split parser is what one writes first: every
header split, the values of Kafka's lines taken with ``partition``. All candidates run in turn, so that a machine whose
speed drifts slows all of them.
"""

import argparse
import statistics
import time
from collections.abc import Callable

from parsers import DrainDecoder
from tests.benchmarks.workload import bodies


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


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--frames", type=int, default=50_000)
    parser.add_argument("--passes", type=int, default=7)
    options = parser.parse_args()
    print(
        "| Kafka | frames a body | decoder / walk | min–max | decoder / split "
        "| min–max | frames/s |"
    )
    print("|---|---|---|---|---|---|---|")
    for share in (0.01, 0.1, 1.0):
        for per_body in (1, 10, 100, 500):
            work = bodies(options.frames, share, per_body)
            decoder = DrainDecoder()
            to_walk, to_split, rates = [], [], []
            for one in work:  # what the first pass learns is not measured
                decoder.decode(one)
            for _ in range(options.passes):
                bare = seconds(walk, work)
                ours = seconds(decoder.decode, work)
                to_walk.append(bare / ours)
                to_split.append(seconds(split, work) / ours)
                rates.append(options.frames / ours)
            print(
                f"| {share:.0%} | {per_body} | **{statistics.median(to_walk):.2f}** "
                f"| {min(to_walk):.2f}–{max(to_walk):.2f} "
                f"| {statistics.median(to_split):.2f} "
                f"| {min(to_split):.2f}–{max(to_split):.2f} "
                f"| {statistics.median(rates) / 1e6:.2f} M |",
                flush=True,
            )


if __name__ == "__main__":
    main()
