"""Frames a processor second over loopback, beside a receiver in Go and an empty handler.

Server on core 0, wrk on core 1, in turn. The Go receiver (`go_drain`) is built where Go is
at hand, and left out elsewhere. A loop of idle priority keeps core 1 awake: on a virtual
machine, waking a sleeping core costs the one that wakes it some microseconds, which would
be charged to the server that leaves its client time to sleep.
With ``--scrape`` the drain is loaded at a fixed rate by h2load while ``/metrics`` of many
brokers is read each second, and the drain's latency is printed.
"""

import argparse
import base64
import contextlib
import http.client
import itertools
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.benchmarks.workload import bodies
from tests.frames import FULL2, frame
from tests.serving import free_port

USER, PASSWORD = "bench", "bench"
CREDENTIALS = f"{USER}:{PASSWORD}"
BASIC = "Basic " + base64.b64encode(CREDENTIALS.encode()).decode("ascii")
READY_SECONDS = 15.0
ROUND_SECONDS = 2
SCRAPE_RATE = 1600
SCRAPE_SECONDS = 20
CLIENTS = 16

LUA = """
local bodies, headers, n = {{}}, {{}}, 0
for i = 0, {count} - 1 do
  local file = io.open("{folder}/" .. i, "rb")
  bodies[i] = file:read("*a")
  file:close()
end
local start = tostring(os.time()) .. tostring({{}}):sub(8)
request = function()
  n = n + 1
  return wrk.format("POST", "/logs", {{
    ["Authorization"] = "{basic}",
    ["Content-Type"] = "application/logplex-1",
    ["Logplex-Msg-Count"] = "{per_body}",
    ["Logplex-Frame-Id"] = start .. n,
    ["Logplex-Drain-Token"] = "d.00000000-0000-4000-8000-000000000000",
  }}, bodies[n % {count}])
end
"""


def maybe_build_go(folder: str) -> str | None:
    """Build the receiver in Go; None where Go is not installed."""
    go = shutil.which("go", path=os.environ["PATH"] + ":/usr/local/go/bin")
    if go is None:
        return None
    program = str(Path(folder) / "go_drain")
    source = Path(__file__).with_name("go_drain")
    subprocess.run([go, "build", "-o", program, "."], cwd=source, check=True)
    return program


@contextlib.contextmanager
def server(kind: str, *options: str) -> Iterator[tuple[int, int]]:
    """Run a server on core 0; yield its process id and its port.

    Args:
        kind: ``agent``, ``empty``, or the path of the receiver in Go.
        options: More arguments for the agent.
    """
    port = str(free_port())
    python = (sys.executable, "-m")
    listen = ("-listen", f"127.0.0.1:{port}", "-user", USER, "-password", PASSWORD)
    command = {
        "agent": [
            *(*python, "agent", "serve", "--port", port),
            *("--drain-credentials", CREDENTIALS, *options),
        ],
        "empty": [*python, "tests.benchmarks.empty_server", port, CREDENTIALS],
    }.get(kind, [kind, *listen])
    process = subprocess.Popen(
        ["taskset", "-c", "0", *command],
        env={**os.environ, "GOMAXPROCS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + READY_SECONDS
        while True:
            if process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"the {kind} server did not start")
            with contextlib.suppress(OSError):
                connection = http.client.HTTPConnection("127.0.0.1", int(port))
                connection.request("GET", "/-/ready")
                connection.getresponse().read()
                break
            time.sleep(0.1)
        yield process.pid, int(port)
    finally:
        process.terminate()
        process.wait(15)


@contextlib.contextmanager
def awake() -> Iterator[None]:
    """Keep core 1 from sleeping, at a priority that takes nothing from anybody."""
    loop = subprocess.Popen(
        [*("taskset", "-c", "1", "chrt", "-i", "0"), "sh", "-c", "while :; do :; done"]
    )
    try:
        yield
    finally:
        loop.kill()
        loop.wait()


def cpu_seconds(pid: int) -> float:
    """Read how long a process has run."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wrk(pid: int, port: int, script: Path, connections: int) -> dict[str, float]:
    """Load a server; return rates and latencies."""
    used = cpu_seconds(pid)
    done = subprocess.run(
        [
            *(
                "taskset",
                "-c",
                "1",
                "wrk",
                "-t1",
                f"-c{connections}",
                f"-d{ROUND_SECONDS}s",
            ),
            *("--latency", "-s", str(script), f"http://127.0.0.1:{port}/logs"),
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    if "Non-2xx" in done or "Socket errors" in done:
        sys.exit(done)
    total = int(re.search(r"(\d+) requests in", done)[1])  # type: ignore[index] # wrk prints it
    found = {
        "rate": float(re.search(r"Requests/sec:\s+([\d.]+)", done)[1]),  # type: ignore[index] # wrk prints it
        "per_cpu": total / (cpu_seconds(pid) - used),
    }
    for percentile in ("50", "99"):
        match = re.search(rf"{percentile}%\s+([\d.]+)(us|ms|s)", done)
        assert match
        scale = {"us": 1e-3, "ms": 1.0, "s": 1e3}[match[2]]
        found[f"p{percentile}"] = float(match[1]) * scale
    return found


def compare(
    kinds: Mapping[str, str], share: float, per_body: int, connections: int, rounds: int
) -> None:
    """Print one row.

    Args:
        kinds: What `server` runs, by the names of the columns.
        share: Share of Kafka's lines.
        per_body: Frames in a body.
        connections: Open connections.
        rounds: Measurements of each server.
    """
    # Enough that the share of Kafka's lines is right with one frame in a body, too.
    work = bodies(max(40 * per_body, 4000), share, per_body)
    results: dict[str, list[dict[str, float]]] = {name: [] for name in kinds}
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        for number, body in enumerate(work):
            (Path(folder) / str(number)).write_bytes(body)
        script = Path(folder) / "drain.lua"
        script.write_text(
            LUA.format(count=len(work), folder=folder, basic=BASIC, per_body=per_body)
        )
        stack.enter_context(awake())
        servers = {
            name: stack.enter_context(server(kind)) for name, kind in kinds.items()
        }
        for _ in range(rounds):
            for name, (pid, port) in servers.items():
                results[name].append(wrk(pid, port, script, connections))
    ratios = " | ".join(
        ratio(results["agent"], results[name]) for name in kinds if name != "agent"
    )
    middle = {
        name: statistics.median(one[name] for one in results["agent"])
        for name in results["agent"][0]
    }
    print(
        f"| {share:.0%} | {per_body} | {connections} | {ratios} | {middle['rate']:,.0f} "
        f"| {middle['per_cpu'] * per_body / 1e3:,.0f} k "
        f"| {middle['p50']:.2f} / {middle['p99']:.2f} ms |",
        flush=True,
    )


def ratio(ours: list[dict[str, float]], theirs: list[dict[str, float]]) -> str:
    """Write the ratio of requests a processor second, with its extremes."""
    found = [
        one["per_cpu"] / other["per_cpu"]
        for one, other in zip(ours, theirs, strict=True)
    ]
    return f"**{statistics.median(found):.2f}** | {min(found):.2f}–{max(found):.2f}"


def fill(brokers: int, port: int) -> None:
    """Let the agent know `brokers` brokers, eight to a cluster."""
    for cluster in range(brokers // 8):
        body = b"".join(
            frame(
                FULL2.replace(b"kafka.2", b"kafka.%d" % broker).replace(
                    b"animated-39618", b"animated-%d" % cluster
                )
            )
            for broker in range(8)
        )
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.request("POST", "/logs", body, {"Authorization": BASIC})
        connection.getresponse().read()
        connection.close()


def scrape(port: int, durations: list[float], stop: threading.Event) -> None:
    """Read /metrics once a second until told to stop."""
    while not stop.wait(1.0):
        started = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.request("GET", "/metrics", headers={"Authorization": BASIC})
        connection.getresponse().read()
        connection.close()
        durations.append(time.perf_counter() - started)


def under_scrapes(brokers: int, seconds: int) -> None:
    """Print the drain's latency while /metrics of `brokers` brokers is scraped."""
    os.sched_setaffinity(0, {1})
    with (
        tempfile.TemporaryDirectory() as folder,
        server("agent", "--max-clusters", str(max(brokers, 2))) as (_, port),
    ):
        (body,) = bodies(100, 0.01, 100)
        (Path(folder) / "body").write_bytes(body)
        fill(brokers, port)
        stop, durations = threading.Event(), list[float]()
        scraper = threading.Thread(target=scrape, args=(port, durations, stop))
        if brokers:
            scraper.start()
        log = Path(folder) / "log"
        subprocess.run(
            [
                *("taskset", "-c", "1", "h2load", "--h1", f"-c{CLIENTS}"),
                *(f"--rps={SCRAPE_RATE // CLIENTS}", f"-n{SCRAPE_RATE * seconds}"),
                # Started 101 ms apart, so that they do not all send at one tick.
                *("-r1", "--rate-period=101ms"),
                *("-d", str(Path(folder) / "body"), f"--log-file={log}"),
                *("-H", f"Authorization: {BASIC}"),
                f"http://127.0.0.1:{port}/logs",
            ],
            capture_output=True,
            check=True,
        )
        stop.set()
        if brokers:
            scraper.join()
        answers = [line.split("\t") for line in log.read_text().splitlines()]
        if any(status != "204" for _, status, _ in answers):
            sys.exit("not every request was answered 204")
        # Without the first seconds, in which the clients are started; the columns
        # are the start and the duration in microseconds.
        warm = min(int(start) for start, _, _ in answers) + 2_000_000
        times = sorted(
            int(micros) / 1e3 for start, _, micros in answers if int(start) > warm
        )
        slowest = f"{max(durations) * 1e3:.0f} ms" if durations else "none"
        middle = f"{statistics.median(durations) * 1e3:.0f} ms" if durations else "none"
        print(
            f"| {brokers:,} | {times[len(times) // 2]:.2f} ms "
            f"| **{times[int(len(times) * 0.99)]:.2f} ms** | {times[-1]:.1f} ms "
            f"| {middle} | {slowest} |",
            flush=True,
        )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--kafka", type=float, nargs="+", default=[0.01, 0.1, 1.0])
    parser.add_argument("--frames", type=int, nargs="+", default=[1, 10, 100, 500])
    parser.add_argument("--connections", type=int, nargs="+", default=[1, CLIENTS])
    parser.add_argument("--scrape", action="store_true")
    options = parser.parse_args()
    if options.scrape:
        print(
            "| brokers | drain p50 | drain p99 | drain max | scrape p50 | scrape max |"
        )
        print("|---|---|---|---|---|---|")
        for brokers in (0, 8, 1000, 0, 8, 1000):
            under_scrapes(brokers, SCRAPE_SECONDS)
        return
    with tempfile.TemporaryDirectory() as folder:
        program = maybe_build_go(folder)
        go = {} if program is None else {"Go": program}
        kinds = {"agent": "agent", **go, "empty": "empty"}
        peers = "".join(f"| / {name} | min–max " for name in kinds if name != "agent")
        print(
            f"| Kafka | frames | connections {peers}| requests/s | frames per cpu s "
            "| p50 / p99 |"
        )
        print("|---" * (6 + 2 * (len(kinds) - 1)) + "|")
        for share, connections, per_body in itertools.product(
            options.kafka, options.connections, options.frames
        ):
            compare(kinds, share, per_body, connections, options.rounds)


if __name__ == "__main__":
    main()
