"""Lines a second of the agent's parsers and of mtail, whole process, one core each.

mtail (Debian's package) reads the same lines from a file, which spares it HTTP and
framing, and extracts the same eleven gauges, with one expression for each as its
documentation does it, and with a single one for the whole line, which is faster and knows
the order of the samples. The agent's side reads drain bodies of 100 frames, with the
compiled parsers and with the pure ones. Both print an exposition at the end, and the values
must be equal.
"""

import argparse
import itertools
import os
import resource
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from tests.benchmarks.workload import bodies, lines

FOLDER = Path(__file__).parent
PROGRAMS = ("one_expression", "expression_per_metric")
VERSIONS = ("compiled", "pure")
NAMES = {
    "load_avg_1m": "load_avg_1m",
    "load_avg_5m": "load_avg_5m",
    "load_avg_15m": "load_avg_15m",
    "read_iops": "read_iops",
    "write_iops": "write_iops",
    "memory_total": "memory_total_bytes",
    "memory_free": "memory_free_bytes",
    "memory_used": "memory_used_ratio",
    "memory_cached": "memory_cached_bytes",
    "bytes_in": "bytes_in_per_second",
    "bytes_out": "bytes_out_per_second",
}

Values = dict[tuple[str, str, str], float]


def run(command: list[str]) -> tuple[float, float, str]:
    """Run a command on one core; return processor and wall seconds, and output."""
    started = time.perf_counter()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        ["taskset", "-c", "0", *command],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "GOMAXPROCS": "1"},
    )
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return used, wall, done.stdout


def values(text: str, prefix: str, names: dict[str, str]) -> Values:
    """Read the eleven gauges out of an exposition."""
    found: Values = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            name = names.get(sample.name.removeprefix(prefix))
            if name:
                key = (name, sample.labels["addon"], sample.labels["broker"])
                found[key] = sample.value
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--shares", type=float, nargs="+", default=[0.01, 0.1, 1.0])
    options = parser.parse_args()
    print(
        "| Kafka | mtail program | agent | agent / mtail, cpu | min–max | wall "
        "| mtail cpu s | agent cpu s |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for share in options.shares:
        with tempfile.TemporaryDirectory() as folder:
            log, packed = write_work(share, options.lines, Path(folder))
            for program, version in itertools.product(PROGRAMS, VERSIONS):
                row = compare(program, version, log, packed, options.rounds)
                print(f"| {share:.0%} | {program} | {version} | {row}", flush=True)


def write_work(share: float, count: int, folder: Path) -> tuple[Path, Path]:
    """Write the same frames as lines, and as bodies behind their lengths."""
    work = bodies(count, share, 100)
    log, packed = folder / "kafka.log", folder / "bodies"
    log.write_bytes(lines(work))
    packed.write_bytes(b"".join(struct.pack(">I", len(one)) + one for one in work))
    return log, packed


def compare(program: str, version: str, log: Path, packed: Path, rounds: int) -> str:
    """Run both in turn; return the columns of one row."""
    mtail = ["mtail", "--one_shot", "--one_shot_format", "prometheus"]
    mtail += ["--progs", str(FOLDER / f"{program}.mtail"), "--logs", str(log)]
    ours = [sys.executable, "-m", "tests.benchmarks.read_bodies", str(packed)]
    ours.append(version)
    theirs_used, ours_used, walls = [], [], []
    theirs = mine = ""
    for _ in range(rounds):
        mtail_seconds, mtail_wall, theirs = run(mtail)
        agent_seconds, agent_wall, mine = run(ours)
        walls.append(mtail_wall / agent_wall)
        theirs_used.append(mtail_seconds)
        ours_used.append(agent_seconds)
    expected = values(theirs, "", NAMES)
    same = {name: name for name in NAMES.values()}
    if expected != values(mine, "heroku_kafka_", same) or not expected:
        sys.exit("mtail and the agent do not agree")
    ratios = [a / b for a, b in zip(theirs_used, ours_used, strict=True)]
    return (
        f"**{statistics.median(ratios):.1f}** "
        f"| {min(ratios):.1f}–{max(ratios):.1f} | {statistics.median(walls):.1f} "
        f"| {statistics.median(theirs_used):.2f} "
        f"| {statistics.median(ours_used):.2f} |"
    )


if __name__ == "__main__":
    main()
