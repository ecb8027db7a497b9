"""``replay`` over an archive: lines a second of one core, by kind of archive.

The whole process is measured, start included: its processor time, and the most memory
it had. The text has the same lines as the bodies, the hostile ones with their newlines
replaced.
"""

import argparse
import gzip
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from tests.benchmarks.workload import bodies, lines

_HEADER = re.compile(
    rb"^<\d+>1 (\S+) \S+ (\S+) (\S+) - (.*)$",
    re.MULTILINE,
)


def main() -> None:
    """Print a row for each kind of archive and share of Kafka's lines."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--lines", type=int, default=200_000)
    options = parser.parse_args()
    print("| Kafka | archive | MB | openmetrics | cpu s | lines/s | MiB at most |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for share in (0.01, 0.1, 1.0):
            # In a process of its own: a child's memory counts from its parent's on.
            with ProcessPoolExecutor(1, get_context("spawn")) as other:
                made = other.submit(archives, Path(folder), options.lines, share)
                found = made.result()
            for name, path in found.items():
                for out in (None, Path(folder) / "history.txt"):
                    measure(f"| {share:.0%} | {name}", path, options.lines, out)


def archives(folder: Path, count: int, share: float) -> dict[str, Path]:
    """Write the same lines as text and as bodies, plain and compressed."""
    work = bodies(count, share, 100)
    text = _HEADER.sub(rb"\1 \2[\3]: \4", lines(work))
    found = {}
    for name, data in (("text", text), ("bodies", b"".join(work))):
        found[name] = folder / name
        found[name].write_bytes(data)
        found[f"{name}, gzip"] = folder / f"{name}.gz"
        found[f"{name}, gzip"].write_bytes(gzip.compress(data, 6))
    return found


def measure(title: str, path: Path, count: int, out: Path | None) -> None:
    """Run the command over an archive and print its row."""
    command = [sys.executable, "-m", "agent", "replay", "--format=json", str(path)]
    if out is not None:
        command.append(f"--openmetrics={out}")
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(process.returncode)
    seconds = usage.ru_utime + usage.ru_stime
    row = (
        f"{path.stat().st_size / 1e6:.0f}",
        "no" if out is None else "yes",
        f"{seconds:.2f}",
        f"**{count / seconds / 1000:,.0f} k**",
        f"{usage.ru_maxrss / 1024:.0f}",
    )
    print(f"{title} | {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
