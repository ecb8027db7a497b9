"""Resident memory over many frames: it must stay flat.

Once through the decoder alone and once through the agent's whole path behind HTTP. The
slope is that of a line through the second half, when what is bounded has filled up.
"""

import argparse
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from agent.change import Origin
from agent.clock import read_clock
from parsers import DrainDecoder
from tests.benchmarks.workload import bodies
from tests.engines import Drain

PAGE_BYTES = 4096
FRAMES_PER_BODY = 10  # so that the memory for retries is full after a million frames


def resident_mib() -> float:
    """Read this process's resident memory."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * PAGE_BYTES / (1 << 20)


def decoder() -> Callable[[int, bytes], object]:
    """Make what feeds the decoder alone."""
    one = DrainDecoder()
    return lambda _, body: one.decode(body)


def agent() -> Callable[[int, bytes], object]:
    """Make what feeds the agent's engine, each body under a new frame id."""
    drain = Drain()
    return lambda number, body: drain.receive(
        body,
        read_clock(),
        Origin(drain_token=b"d.x", request_id=b"%032d" % number, announced=b"100"),
    )


PARTS = {"decoder": decoder, "agent": agent}


def main() -> None:
    """Print the memory after every tenth of the frames, and the slope."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--frames", type=int, default=10_000_000)
    parser.add_argument("--part", choices=PARTS, help="[default: each in turn]")
    options = parser.parse_args()
    if options.part:
        measure(options.part, options.frames)
        return
    for part in PARTS:  # each in a process of its own
        command = [sys.executable, "-m", "tests.benchmarks.bench_memory"]
        command += ["--part", part, "--frames", str(options.frames)]
        subprocess.run(command, check=True)


def measure(part: str, frames: int) -> None:
    """Feed `part` and print its table."""
    feed = PARTS[part]()
    work = bodies(100_000, 0.01, FRAMES_PER_BODY)
    requests = frames // FRAMES_PER_BODY
    millions, sizes = [], []
    print(f"| million frames | resident MiB, {part} |")
    print("|---|---|")
    for number in range(requests):
        body = work[number % len(work)]
        feed(number, body)
        if (number + 1) % (requests // 10) == 0:
            millions.append((number + 1) * FRAMES_PER_BODY / 1e6)
            sizes.append(resident_mib())
            print(f"| {millions[-1]:g} | {sizes[-1]:.1f} |", flush=True)
    slope = statistics.linear_regression(millions[5:], sizes[5:]).slope
    print(f"\nSlope of the second half, {part}: {slope:.3f} MiB per million frames\n")


if __name__ == "__main__":
    main()
