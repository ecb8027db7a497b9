"""What readers cost the drain, and what they are sent.

The agent knows 100 clusters, each broker of which reports once a minute. Printed are the
longest wait of another request while one answer is read, the sizes of the answers, and,
with ``--drain``, the drain's latency at a fixed rate without readers, and beside ten tabs
of the page and a Prometheus.
"""

import argparse
import contextlib
import http.client
import os
import re
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from tests.benchmarks.bench_server import BASIC, CLIENTS, server
from tests.benchmarks.workload import bodies
from tests.frames import frame

CLUSTERS = 100
STEP_SECONDS = 30
TABS = 10
TAB_SECONDS = 5.0
CHARTED = 10  # clusters near the window of a tab

SAMPLES = (
    "sample#load-avg-1m={0:.3f} sample#load-avg-5m=0.2 sample#load-avg-15m=0.1 "
    "sample#read-iops={0:.3f} sample#write-iops=5{0:.3f} sample#memory-total=16098868kB "
    "sample#memory-free=5035944kB sample#memory-cached=6003400kB "
    "sample#memory-percentage-used=0.31{0:.3f} "
    "sample#bytes-in-per-second=123{0:.3f}kB sample#bytes-out-per-second=99{0:.3f}kB"
)


def name(cluster: int) -> str:
    return f"kafka-animated-{cluster:05}"


def line(cluster: int, broker: int, at: float) -> bytes:
    """Write one broker's samples; values vary with place and time."""
    stamp = datetime.fromtimestamp(at, UTC).isoformat()
    samples = SAMPLES.format(
        (cluster * 31 + broker * 7 + at / STEP_SECONDS) % 1000 / 1e3
    )
    text = f"source=KAFKA addon={name(cluster)} {samples}"
    return frame(f"<134>1 {stamp} host app heroku-kafka.{broker} - {text}".encode())


class Client:
    """One connection that is kept open."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)

    def get(self, path: str, **headers: str) -> bytes:
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        self.connection.request("GET", path, headers={"Authorization": BASIC, **named})
        return self.connection.getresponse().read()

    def post(self, body: bytes) -> None:
        self.connection.request("POST", "/logs", body, {"Authorization": BASIC})
        self.connection.getresponse().read()


def fill(port: int, brokers: int, points: int) -> None:
    """Let the agent know all brokers, with some points of history."""
    client, now = Client(port), time.time()
    for cluster in range(CLUSTERS):
        for age in range(points - 1, -1, -1):
            at = now - age * STEP_SECONDS
            client.post(b"".join(line(cluster, one, at) for one in range(brokers)))


def read_cursor(page: bytes) -> str:
    found = re.search(rb'data-next="([^"]+)"', page)
    return found[1].decode() if found else ""


def longest_wait(port: int, path: str) -> tuple[float, float, int]:
    """Read `path` with curl; return the longest wait of others, the time, the size."""
    command = [
        *("taskset", "-c", "1", "curl", "-s", "-o", "/dev/null"),
        *("-H", f"Authorization: {BASIC}", "-w", "%{time_total} %{size_download}"),
        f"http://127.0.0.1:{port}{path}",
    ]
    client, longest = Client(port), 0.0
    client.get("/-/healthy")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as reader:
        while reader.poll() is None:
            started = time.perf_counter()
            client.get("/-/healthy")
            longest = max(longest, time.perf_counter() - started)
            time.sleep(0.001)
        assert reader.stdout is not None
        seconds, size = reader.stdout.read().split()
    return longest, float(seconds), int(size)


def print_stalls(port: int, brokers: int, rounds: int) -> None:
    for path in ("/api/clusters", "/", "/metrics"):
        found = [longest_wait(port, path) for _ in range(rounds)]
        print(
            f"| {brokers} | `{path}` | "
            f"**{statistics.median(one[0] for one in found) * 1e3:.1f} ms** | "
            f"{max(one[0] for one in found) * 1e3:.1f} ms | "
            f"{statistics.median(one[1] for one in found) * 1e3:,.0f} ms | "
            f"{found[0][2] / 1e3:,.0f} kB |",
            flush=True,
        )


def print_sizes(port: int, brokers: int) -> None:
    client = Client(port)
    page = client.get("/")
    since = read_cursor(page)
    client.post(line(1, 0, time.time()))
    for what, path in (
        ("page", "/"),
        ("page, one broker's line later", f"/?since={since}"),
        ("JSON", "/api/clusters"),
        ("JSON of one cluster", f"/api/clusters?cluster={name(1)}"),
        ("JSON, one broker's line later", f"/api/clusters?since={since}"),
        ("exposition", "/metrics"),
    ):
        plain = len(client.get(path))
        small = len(client.get(path, Accept_Encoding="gzip"))
        print(f"| {brokers} | {what} | {plain:,} | {small:,} |", flush=True)


def keep_tab(port: int, stop: threading.Event, first_wait: float) -> None:
    """Do what the page does in a browser."""
    client, gzip = Client(port), {"Accept_Encoding": "gzip"}
    names = ",".join(name(one) for one in range(CHARTED))
    stop.wait(first_wait)
    since = read_cursor(client.get("/"))
    client.get(f"/api/clusters?cluster={names}" if since else "/api/clusters", **gzip)
    while not stop.wait(TAB_SECONDS):
        if not since:  # an agent that sends no changes
            client.get("/")
            client.get("/api/clusters")
            continue
        next_since = read_cursor(client.get(f"/?since={since}"))
        client.get(f"/api/clusters?cluster={names}&since={since}", **gzip)
        since = next_since


def keep_scraping(port: int, stop: threading.Event) -> None:
    while not stop.wait(1.0):
        Client(port).get("/metrics", Accept_Encoding="gzip")


def keep_reporting(port: int, brokers: int, stop: threading.Event) -> None:
    """Let each broker report once a minute."""
    client, turn = Client(port), 0
    everybody = [(one, other) for other in range(brokers) for one in range(CLUSTERS)]
    share = len(everybody) // 60 + 1
    while not stop.wait(1.0):
        chosen = [everybody[(turn + n) % len(everybody)] for n in range(share)]
        client.post(b"".join(line(*one, time.time()) for one in chosen))
        turn += share


@contextlib.contextmanager
def reading(port: int, *, tabs: int, is_scraped: bool) -> Iterator[None]:
    stop = threading.Event()
    threads = [
        threading.Thread(target=keep_tab, args=(port, stop, TAB_SECONDS * n / TABS))
        for n in range(tabs)
    ]
    if is_scraped:
        threads.append(threading.Thread(target=keep_scraping, args=(port, stop)))
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def load_drain(port: int, folder: Path, rate: int, seconds: int) -> list[float]:
    """Post at a fixed rate; return the latencies in milliseconds, in order."""
    (body,) = bodies(100, 0.01, 100)
    (folder / "body").write_bytes(body)
    log = folder / "log"
    log.unlink(missing_ok=True)
    subprocess.run(
        [
            *("taskset", "-c", "1", "h2load", "--h1", f"-c{CLIENTS}"),
            *(f"--rps={rate // CLIENTS}", f"-n{rate * seconds}"),
            # Started 101 ms apart, so that they do not all send at one tick.
            *("-r1", "--rate-period=101ms"),
            *("-d", str(folder / "body"), f"--log-file={log}"),
            *("-H", f"Authorization: {BASIC}", f"http://127.0.0.1:{port}/logs"),
        ],
        capture_output=True,
        check=True,
    )
    answers = [text.split("\t") for text in log.read_text().splitlines()]
    assert all(status == "204" for _, status, _ in answers)
    # Without the first seconds, in which the clients are started.
    warm = min(int(start) for start, _, _ in answers) + 3_000_000
    return sorted(int(took) / 1e3 for start, _, took in answers if int(start) > warm)


def print_latencies(
    port: int, brokers: int, rounds: int, rate: int, seconds: int
) -> None:
    stop = threading.Event()
    reporter = threading.Thread(target=keep_reporting, args=(port, brokers, stop))
    reporter.start()
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(rounds):
            for tabs, is_scraped in ((0, False), (0, True), (TABS, True)):
                with reading(port, tabs=tabs, is_scraped=is_scraped):
                    times = load_drain(port, Path(folder), rate, seconds)
                print(
                    f"| {brokers} | {tabs} | {int(is_scraped)} "
                    f"| {times[len(times) // 2]:.2f} ms "
                    f"| **{times[int(len(times) * 0.99)]:.2f} ms** "
                    f"| {times[int(len(times) * 0.999)]:.1f} ms | {times[-1]:.1f} ms |",
                    flush=True,
                )
    stop.set()
    reporter.join()


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--brokers", type=int, default=8, help="brokers of a cluster")
    parser.add_argument("--points", type=int, default=20, help="points of a history")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=15)
    parser.add_argument("--rate", type=int, default=1600, help="requests/s")
    parser.add_argument("--drain", action="store_true", help="measure the drain")
    options = parser.parse_args()
    os.sched_setaffinity(0, {1})
    with server("agent") as (_, port):
        fill(port, options.brokers, options.points)
        if options.drain:
            print("| brokers | tabs | scrapes/s | p50 | p99 | p99.9 | max |")
            print("|---|---|---|---|---|---|---|")
            print_latencies(
                port, options.brokers, options.rounds, options.rate, options.seconds
            )
            return
        print("| brokers | read | others wait | at most | took | size |")
        print("|---|---|---|---|---|---|")
        print_stalls(port, options.brokers, options.rounds)
        print("\n| brokers | answer | bytes | gzip |\n|---|---|---|---|")
        print_sizes(port, options.brokers)


if __name__ == "__main__":
    main()
