"""Debian's Prometheus on loopback, with a history instead of targets."""

import contextlib
import json
import re
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from dashboards.preview.recording import Points

_WAIT_SECONDS = 60.0
_POLL_SECONDS = 0.05
_STOP_SECONDS = 20.0
_RULES_SECONDS = 25 * 3_600
_EVALUATION_SECONDS = 60
_ONE_BLOCK = "--max-block-duration=1000h"
_RECORD = re.compile(r"\b\w+:\w+:\w+\b")
_DURATION = re.compile(r"(\d+)([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}


class QueryError(Exception):
    """Prometheus refuses a query; the message is its own."""


@dataclass(frozen=True, slots=True)
class Prometheus:
    """A running server.

    Attributes:
        url: Its address, without a slash at the end.
    """

    url: str

    def ask(self, path: str, **parameters: str | list[str]) -> Any:
        """Ask its HTTP API.

        Args:
            path: Behind ``/api/v1/``.
            parameters: Of the query string; ``match`` stands for ``match[]``.

        Returns:
            What the answer's ``data`` holds.

        Raises:
            QueryError: It refuses.
            OSError: It does not answer.
        """
        named = {
            "match[]" if name == "match" else name: value
            for name, value in parameters.items()
        }
        query = urllib.parse.urlencode(named, doseq=True).encode()
        url = f"{self.url}/api/v1/{path}"
        # POST takes long queries; only the routes that read labels by name want GET.
        request = (
            urllib.request.Request(f"{url}?{query.decode()}")  # noqa: S310 (http, ours)
            if path.startswith("label/")
            else urllib.request.Request(url, query)  # noqa: S310 (http, ours)
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 (http, ours)
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            with error:
                text = error.read().decode("utf-8", "replace")
            try:
                message = json.loads(text)["error"]
            except (ValueError, KeyError):
                message = f"HTTP {error.code}"
            raise QueryError(message) from None


@contextlib.contextmanager
def serve_history(
    folder: Path, points: Points, end: int, rules: Path | None = None
) -> Iterator[Prometheus]:
    """Serve a history.

    Args:
        folder: Empty; blocks and configuration go there.
        points: The history.
        end: When it ends, in seconds since the epoch.
        rules: Rules whose records and alerts are part of the history's last hours;
            None for none.

    Yields:
        The server.

    Raises:
        subprocess.CalledProcessError: promtool refuses the history or the rules.
        TimeoutError: The server does not start.
    """
    data = folder / "data"
    data.mkdir(parents=True)
    (folder / "prometheus.yml").write_text("{}\n")
    if points.series:
        _import(points, folder / "history.txt", data)
    if rules is not None and points.series:
        _add_rules(folder, rules, data, end)
    with _serve(folder, data) as server:
        yield server


def _import(points: Points, file: Path, data: Path) -> None:
    points.write(file)
    command = ("tsdb", "create-blocks-from", _ONE_BLOCK, "openmetrics")
    _run("promtool", *command, str(file), str(data))
    file.unlink()


def _run(*command: str) -> None:
    subprocess.run(  # noqa: S603 (our own words)
        command, check=True, stdout=subprocess.DEVNULL, timeout=120
    )


@contextlib.contextmanager
def _serve(folder: Path, data: Path) -> Iterator[Prometheus]:
    address = f"127.0.0.1:{_free_port()}"
    process = subprocess.Popen(  # noqa: S603 (our own words)
        [  # noqa: S607 (found on PATH on purpose)
            "prometheus",
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={data}",
            "--storage.tsdb.retention.time=10y",
            f"--web.listen-address={address}",
            "--log.level=error",
        ]
    )
    try:
        server = Prometheus(f"http://{address}")
        _wait_for(server, process)
        yield server
    finally:
        process.terminate()
        process.wait(_STOP_SECONDS)


def _wait_for(server: Prometheus, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _WAIT_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError, QueryError):
            server.ask("query", query="vector(1)")
            return
        time.sleep(_POLL_SECONDS)
    message = "Prometheus did not start"
    raise TimeoutError(message)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _add_rules(folder: Path, rules: Path, data: Path, end: int) -> None:
    """Work out what rules would have recorded in the last hours.

    promtool does so for recording rules alone, and not where one builds on another.
    Alerts keep to their ``for``, not to ``keep_firing_for``.
    """
    groups = yaml.safe_load(rules.read_text(encoding="utf-8"))["groups"]
    waiting = [rule for group in groups for rule in group["rules"]]
    while waiting:
        missing = {rule["record"] for rule in waiting if "record" in rule}
        ready = [
            rule
            for rule in waiting
            if not missing.intersection(_RECORD.findall(rule["expr"]))
        ]
        waiting = [rule for rule in waiting if rule not in ready]
        found = Points()
        with _serve(folder, data) as server:
            for rule in ready:
                _add_rule(server, rule, end, found)
        if found.series:
            _import(found, folder / "rules.txt", data)


def _add_rule(
    server: Prometheus, rule: dict[str, Any], end: int, found: Points
) -> None:
    result = server.ask(
        "query_range",
        query=rule["expr"],
        start=str(end - _RULES_SECONDS),
        end=str(end),
        step=str(_EVALUATION_SECONDS),
    )["result"]
    for series in result:
        if "alert" in rule:
            _add_alert(found, rule, series)
            continue
        labels = {**series["metric"], **rule.get("labels", {})}
        for at, value in series["values"]:
            found.add(_place(rule["record"], labels), at, float(value))


def _place(name: str, labels: dict[str, str]) -> str:
    pairs = ",".join(
        f"{label}={json.dumps(value)}"
        for label, value in sorted(labels.items())
        if label != "__name__"
    )
    return f"{name}{{{pairs}}}"


def _add_alert(alerts: Points, rule: dict[str, Any], series: dict[str, Any]) -> None:
    labels = {**series["metric"], **rule.get("labels", {}), "alertname": rule["alert"]}
    hold = _seconds(rule.get("for", "0s"))
    since = before = float("-inf")
    for at, _ in series["values"]:
        if at - before > _EVALUATION_SECONDS:
            since = at
        before = at
        state = "firing" if at - since >= hold else "pending"
        alerts.add(_place("ALERTS", {**labels, "alertstate": state}), at, 1.0)


def _seconds(text: str) -> float:
    return sum(
        float(number) * _SECONDS[unit] for number, unit in _DURATION.findall(text)
    )
