"""Debian's Prometheus on loopback, with a history instead of targets."""

import contextlib
import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import yaml
from promql_parser import parse_duration

from alerts.demo.stack import free_port, run_process, wait_until_ready
from dashboards.preview.recording import Points

_RULES_SECONDS, _EVALUATION_SECONDS = 25 * 3_600, 60
_RECORD = re.compile(r"\b\w+:\w+:\w+\b")


class QueryError(Exception):
    """Prometheus rejects a query; the message is its own."""


@dataclass(frozen=True, slots=True)
class Series:
    """One series of an answer: points are seconds since the epoch and values."""

    labels: dict[str, str]
    points: list[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Prometheus:
    """A running server."""

    url: str

    def query(self, expression: str, at: float) -> list[Series]:
        """Run an instant query of a vector, at seconds since the epoch; see `ask`."""
        data = self.ask("query", query=expression, time=str(at))
        return [_read_series(one["metric"], [one["value"]]) for one in data["result"]]

    def query_range(
        self, expression: str, start: float, end: float, step: float
    ) -> list[Series]:
        """Run a range query: seconds since the epoch, and a step in seconds."""
        times = {"start": str(start), "end": str(end), "step": str(step)}
        data = self.ask("query_range", query=expression, **times)
        return [_read_series(one["metric"], one["values"]) for one in data["result"]]

    def ask(self, path: str, **parameters: str) -> Any:
        """Call the HTTP API.

        Raises:
            QueryError: Prometheus rejects the query.
            httpx2.RequestError: It does not answer.
        """
        url = f"{self.url}/api/v1/{path}"
        answer = httpx2.get(url, params=parameters, timeout=30, trust_env=False)
        if answer.is_error:
            raise QueryError(answer.text)
        return answer.json()["data"]


def _read_series(labels: dict[str, str], points: list[Any]) -> Series:
    return Series(labels, [(at, float(value)) for at, value in points])


@contextlib.contextmanager
def serve_history(
    folder: Path, points: Points, end: int, rules: Path | None = None
) -> Iterator[Prometheus]:
    """Serve a history.

    Args:
        folder: For the server's files.
        points: What was scraped.
        end: When it ends, in seconds since the epoch.
        rules: Prometheus rules, which are evaluated over the last 25 hours.

    Raises:
        subprocess.CalledProcessError: promtool rejects the history or the rules.
        AgentError: The server does not start.
    """
    data = folder / "data"
    data.mkdir(parents=True)
    _import(points, folder)
    if rules is not None:
        _evaluate_rules(folder, rules, end)
    with _serve(folder) as server:
        yield server


def _import(points: Points, folder: Path) -> None:
    if not points.series:
        return
    file = folder / "points.txt"
    points.write(file)
    command = "promtool tsdb create-blocks-from --max-block-duration=1000h openmetrics"
    words = [*command.split(), str(file), str(folder / "data")]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, timeout=120)  # noqa: S603 (no input of others)
    file.unlink()


@contextlib.contextmanager
def _serve(folder: Path) -> Iterator[Prometheus]:
    address = f"127.0.0.1:{free_port()}"
    options = {
        "config.file": "/dev/null",
        "storage.tsdb.path": folder / "data",
        "web.listen-address": address,
        "log.level": "error",
    }
    words = ["prometheus", *(f"--{name}={value}" for name, value in options.items())]
    with run_process(words, folder):
        wait_until_ready(f"http://{address}/-/ready", folder)
        yield Prometheus(f"http://{address}")


def _evaluate_rules(folder: Path, rules: Path, end: int) -> None:
    """Add what rules would have recorded, those first on which others depend.

    promtool can do so for recording rules only, and not if one depends on another.
    Alerts keep to their ``for``, not to ``keep_firing_for``.
    """
    groups = yaml.safe_load(rules.read_text(encoding="utf-8"))["groups"]
    waiting = [rule for group in groups for rule in group["rules"]]
    start, step = end - _RULES_SECONDS, _EVALUATION_SECONDS
    while waiting:
        missing = {rule["record"] for rule in waiting if "record" in rule}
        ready = [
            rule
            for rule in waiting
            if missing.isdisjoint(_RECORD.findall(rule["expr"]))
        ]
        waiting = [rule for rule in waiting if rule not in ready]
        found = Points()
        with _serve(folder) as server:
            for rule in ready:
                for series in server.query_range(rule["expr"], start, end, step):
                    _add_series(found, rule, series)
        _import(found, folder)


def _add_series(found: Points, rule: dict[str, Any], series: Series) -> None:
    labels = {**series.labels, **rule.get("labels", {})}
    if "record" in rule:
        for at, value in series.points:
            found.add(_name(rule["record"], labels), at, value)
        return
    hold = parse_duration(rule["for"]).total_seconds() if "for" in rule else 0
    since = before = float("-inf")
    for at, _ in series.points:
        if at - before > _EVALUATION_SECONDS:
            since = at
        before = at
        state = "firing" if at - since >= hold else "pending"
        alert = {**labels, "alertname": rule["alert"], "alertstate": state}
        found.add(_name("ALERTS", alert), at, 1.0)


def _name(metric: str, labels: dict[str, str]) -> str:
    own = {label: labels[label] for label in sorted(labels) if label != "__name__"}
    return metric + "{" + ",".join(f"{k}={json.dumps(v)}" for k, v in own.items()) + "}"
