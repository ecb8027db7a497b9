"""Seconds of one scrape in process, by number of brokers: snapshot and rendering."""

import argparse
import statistics
import time

from prometheus_client.exposition import choose_encoder

from agent.clock import read_clock
from agent.engine import Engine
from agent.metrics.exposition import render
from agent.metrics.specs import SAMPLE_ROWS
from agent.settings import Limits, Settings
from parsers import MetricLine


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    print("| brokers | snapshot, on the loop | rendering, in a thread | size |")
    print("|---|---|---|---|")
    for brokers in (8, 1_000, 10_000):
        engine = filled(brokers)
        encode, _ = choose_encoder("")
        snapshots, renders, size = [], [], 0
        for _ in range(options.rounds):
            started = time.perf_counter()
            snapshot = engine.snapshot(read_clock())
            between = time.perf_counter()
            size = len(render(snapshot.series(), encode))
            snapshots.append(between - started)
            renders.append(time.perf_counter() - between)
        print(
            f"| {brokers:,} | {statistics.median(snapshots) * 1e3:.2f} ms "
            f"| {statistics.median(renders) * 1e3:.1f} ms | {size / 1e3:,.0f} kB |"
        )


def filled(brokers: int) -> Engine:
    """Make an engine with `brokers` brokers, eight to a cluster."""
    settings = Settings(limits=Limits(clusters=brokers))
    engine, now = Engine(settings), read_clock()
    samples = {(row.sample, row.units[0]): 0.123 for row in SAMPLE_ROWS}
    for number in range(brokers):
        line = MetricLine(
            addon=f"kafka-animated-{number // 8}",
            broker=str(number % 8),
            source="KAFKA",
            timestamp=now.wall,
            samples=samples,
            message=b"",
        )
        engine.state.apply_metrics(line, now)
    return engine


if __name__ == "__main__":
    main()
