"""Broker lines a second through the agent's whole path, hostile ones among them.

A cluster in trouble writes thousands of lines a second, and some of what it writes was
chosen by whoever connects to it. The rate is that of one core, from body to counters and
events; memory must stay flat.
"""

import argparse
import itertools
import time
from collections.abc import Callable, Iterator

from agent.clock import read_clock
from tests.benchmarks.bench_memory import resident_mib
from tests.engines import Drain
from tests.frames import log_frame

LINES_PER_BODY = 100
STORM_PER_SECOND = 100_000 / 60

FETCH = (
    "pri=WARN t=ReplicaFetcherThread-0-2 at=ReplicaFetcherThread [ReplicaFetcher "
    "replicaId=1, leaderId=2, fetcherId=0] "
)


def usual(number: int) -> str:
    """Make the line that a restart writes most."""
    return f"{FETCH}Partition topic-{number}-{number % 32} marked as failed"


def unknown(number: int) -> str:
    """Make a class and a message that no rule knows: every rule is tried."""
    return (
        f"pri=ERROR t=thread-{number} at=Class{number} something new on topic-{number}"
    )


def dump(number: int) -> str:
    """Make a request dump of 9 kB, as fetchers and controllers write them."""
    fetched = ", ".join(
        f"topic-{number}-{one}=PartitionData(fetchOffset={one})" for one in range(180)
    )
    return f"{FETCH}Error in response for fetch request (fetchData={{{fetched}}})"


def nested(number: int) -> str:
    """Make brackets that only the grammar can read, up to its budget."""
    return f"pri=ERROR t=x at=X [A b=c[d[{number}]]] {'[x=[y] ' * 200}"


def bait(number: int) -> str:
    """Make text that is slow for careless regular expressions."""
    return (
        f"pri=ERROR t=x at=X {number} "
        + "a.b." * 500
        + "partition " * 200
        + "-1" * 500
        + "Error " * 300
    )


KINDS: dict[str, Callable[[int], str]] = {
    "usual": usual,
    "unknown class": unknown,
    "9 kB dump": dump,
    "nested brackets": nested,
    "regex bait": bait,
}


def bodies(make: Callable[[int], str]) -> Iterator[bytes]:
    """Make bodies of lines that are never equal, of eight nodes in turn."""
    for start in itertools.count(0, LINES_PER_BODY):
        yield b"".join(
            log_frame(make(number).encode(), str(number % 8))
            for number in range(start, start + LINES_PER_BODY)
        )


def main() -> None:
    """Print rate and memory for each kind of line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help="[default: 5]")
    options = parser.parse_args()
    print(
        "| lines | per second | times 100,000 a minute | MiB half way | MiB at the end |"
    )
    print("|---|---|---|---|---|")
    for name, make in KINDS.items():
        drain = Drain()
        before, spent, lines = resident_mib(), 0.0, 0
        for body in bodies(make):
            started = time.perf_counter()
            drain.receive(body, read_clock())
            spent += time.perf_counter() - started
            lines += LINES_PER_BODY
            if spent < options.seconds / 2:
                before = resident_mib()
            if spent > options.seconds:
                break
        rate = lines / spent
        print(
            f"| {name} | {rate:,.0f} | **{rate / STORM_PER_SECOND:.0f}** "
            f"| {before:.1f} | {resident_mib():.1f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
