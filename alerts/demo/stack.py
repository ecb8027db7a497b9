"""Starts the real programs around an agent: Prometheus with the rules, Alertmanager."""

import contextlib
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from agent.alerting.rules import render_rules
from agent.alerting.thresholds import packaged_thresholds, render_duration
from agent.errors import AgentError
from agent.packaged import find_packaged
from alerts.demo.fast_motion import hasten_routes, hasten_thresholds
from alerts.demo.receiver import Receiver, listening

STEP_SECONDS = 0.5
"""How often Prometheus scrapes and evaluates, real time."""

_RESEND_SECONDS = 60.0  # Prometheus's default, which passes in fast motion as well

_START_SECONDS = 30.0
_STOP_SECONDS = 20.0

_PROMETHEUS = """\
global: {{scrape_interval: {step}ms, scrape_timeout: {step}ms, evaluation_interval: {step}ms}}
rule_files: [{rules}]
alerting:
  alertmanagers: [{{static_configs: [{{targets: ["{alertmanager}"]}}]}}]
scrape_configs:
  - job_name: heroku-kafka-agent
    static_configs: [{{targets: ["{agent}"]}}]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """The running programs.

    Attributes:
        prometheus: Base URL.
        alertmanager: Base URL.
    """

    prometheus: str
    alertmanager: str


def find_programs() -> dict[str, str]:
    """Find Prometheus and Alertmanager, Debian's name of the latter first.

    Raises:
        AgentError: One is not installed.
    """
    found = {
        "prometheus": shutil.which("prometheus"),
        "alertmanager": shutil.which("prometheus-alertmanager")
        or shutil.which("alertmanager"),
    }
    missing = [name for name, path in found.items() if path is None]
    if missing:
        message = (
            f"{' and '.join(missing)} not installed; on Debian: "
            "apt-get install prometheus prometheus-alertmanager"
        )
        raise AgentError(message)
    return {name: path for name, path in found.items() if path is not None}


@contextlib.contextmanager
def running_stack(agent: str, receiver: Receiver, speed: float) -> Iterator[Stack]:
    """Run Prometheus and Alertmanager with our rules and routes in fast motion.

    Args:
        agent: Base URL of an agent that anybody may read.
        receiver: Gets what Alertmanager says.
        speed: Seconds of a story in a real one.

    Yields:
        Where they are, once both are ready.

    Raises:
        AgentError: One is not installed, or does not start.
    """
    programs = find_programs()
    rules = render_rules(hasten_thresholds(packaged_thresholds(), speed))
    with (
        tempfile.TemporaryDirectory(prefix="heroku-kafka-alerts-") as name,
        listening(receiver) as receives,
    ):
        folder = Path(name)
        addresses = {program: f"127.0.0.1:{free_port()}" for program in programs}
        (folder / "rules.yml").write_text(rules, "utf-8")
        example = Path(str(find_packaged("alerts", "alertmanager.example.yml")))
        routes = hasten_routes(example, speed, receives)
        (folder / "alertmanager.yml").write_text(routes, "utf-8")
        (folder / "prometheus.yml").write_text(
            _PROMETHEUS.format(
                step=int(STEP_SECONDS * 1_000),
                rules=folder / "rules.yml",
                alertmanager=addresses["alertmanager"],
                agent=agent.removeprefix("http://"),
            ),
            "utf-8",
        )
        with (
            run_process(_alertmanager(programs, folder, addresses), folder),
            run_process(_prometheus(programs, folder, addresses, speed), folder),
        ):
            for address in addresses.values():
                wait_until_ready(f"http://{address}/-/ready", folder)
            yield Stack(
                prometheus=f"http://{addresses['prometheus']}",
                alertmanager=f"http://{addresses['alertmanager']}",
            )


def _alertmanager(
    programs: dict[str, str], folder: Path, addresses: dict[str, str]
) -> list[str]:
    return [
        programs["alertmanager"],
        f"--config.file={folder / 'alertmanager.yml'}",
        f"--storage.path={folder / 'alertmanager'}",
        f"--web.listen-address={addresses['alertmanager']}",
        "--cluster.listen-address=",
        "--log.level=warn",
    ]


def _prometheus(
    programs: dict[str, str], folder: Path, addresses: dict[str, str], speed: float
) -> list[str]:
    return [
        programs["prometheus"],
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'prometheus'}",
        f"--web.listen-address={addresses['prometheus']}",
        f"--rules.alert.resend-delay={render_duration(_RESEND_SECONDS / speed)}",
        "--log.level=warn",
    ]


@contextlib.contextmanager
def run_process(command: list[str], folder: Path) -> Iterator[None]:
    """Run a program; its output goes to ``programs.log`` in the folder."""
    with (folder / "programs.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603 (ours)
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_until_ready(url: str, folder: Path) -> None:
    """Wait until a program of a folder answers.

    Raises:
        AgentError: It does not; the message ends with its log.
    """
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        with (
            contextlib.suppress(OSError),
            urllib.request.urlopen(url, timeout=2),  # noqa: S310 (loopback)
        ):
            return
        time.sleep(0.1)
    said = (folder / "programs.log").read_text("utf-8", "replace")[-2_000:]
    message = f"{url} does not answer: {said}"
    raise AgentError(message)


def free_port() -> int:
    """Return a port of loopback that is not in use."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
