"""Resident memory over many frames: it must stay flat."""

import argparse
from pathlib import Path

from agent.clock import read_clock
from agent.pipeline import Delivery, Pipeline
from agent.settings import Settings
from agent.state import State
from agent.telemetry import Telemetry
from tests.benchmarks.workload import bodies

PAGE_BYTES = 4096
FRAMES_PER_BODY = 10  # so that the memory for retries is full after a million frames


def resident_mib() -> float:
    """Read this process's resident memory."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * PAGE_BYTES / (1 << 20)


def main() -> None:
    """Print the memory after every tenth of the frames."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--frames", type=int, default=10_000_000)
    options = parser.parse_args()
    settings = Settings()
    pipeline = Pipeline(settings, State(settings), Telemetry())
    work = bodies(100_000, 0.01, FRAMES_PER_BODY)
    requests = options.frames // FRAMES_PER_BODY
    print("| million frames | resident MiB |")
    print("|---|---|")
    for number in range(requests):
        body = work[number % len(work)]
        delivery = Delivery(body, b"d.x", b"%032d" % number, b"100")
        pipeline.receive(delivery, read_clock())
        if (number + 1) % (requests // 10) == 0:
            done = (number + 1) * FRAMES_PER_BODY / 1e6
            print(f"| {done:g} | {resident_mib():.1f} |", flush=True)


if __name__ == "__main__":
    main()
