"""Frames a second of the decoder, beside a bare walk over the frames.

The walk finds each count with ``find`` and ``int`` and does nothing else: the least that
pure Python can do without a table. All candidates run in turn, so that a machine whose
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


def split(body: bytes) -> None:
    """Walk, and split each header: a straightforward parser without any message."""
    position, end = 0, len(body)
    while position < end:
        blank = body.find(b" ", position)
        stop = blank + 1 + int(body[position:blank])
        _, _, _, _app, proc, *_ = body[blank + 1 : stop].split(b" ", 5)
        proc.startswith(b"heroku-kafka")
        position = stop


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
        "| Kafka | frames a body | decoder / walk | min–max | frames/s | split / walk |"
    )
    print("|---|---|---|---|---|---|")
    for share in (0.01, 0.1, 1.0):
        for per_body in (1, 10, 100, 500):
            work = bodies(options.frames, share, per_body)
            decoder = DrainDecoder()
            ratios, rates, splits = [], [], []
            for _ in range(options.passes):
                bare = seconds(walk, work)
                ours = seconds(decoder.decode, work)
                ratios.append(bare / ours)
                rates.append(options.frames / ours)
                splits.append(bare / seconds(split, work))
            print(
                f"| {share:.0%} | {per_body} | **{statistics.median(ratios):.2f}** "
                f"| {min(ratios):.2f}–{max(ratios):.2f} "
                f"| {statistics.median(rates) / 1e6:.2f} M "
                f"| {statistics.median(splits):.2f} |"
            )


if __name__ == "__main__":
    main()
