"""The real Prometheus scrapes the agent and answers from what it read."""

import json
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.documented import ADDON, DOCUMENTED, LOG, METRICS
from tests.frames import frame, log_frame
from tests.serving import (
    PASSWORD,
    USER,
    Agent,
    find_program,
    free_port,
    running,
    wait_for,
)

pytestmark = pytest.mark.slow

CONFIG = """
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: heroku-kafka-agent
    basic_auth: {{username: {user}, password: {password}}}
    static_configs: [{{targets: ["{host}:{port}"]}}]
"""


@pytest.fixture(scope="module")
def agent() -> Iterator[Agent]:
    with running() as agent:
        agent.post(frame(METRICS) + frame(LOG))
        yield agent


@pytest.fixture(scope="module")
def prometheus(agent: Agent, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    program = find_program("prometheus")
    folder = tmp_path_factory.mktemp("prometheus")
    host, port = agent.address
    config = folder / "prometheus.yml"
    config.write_text(CONFIG.format(user=USER, password=PASSWORD, host=host, port=port))
    url = f"http://127.0.0.1:{free_port()}"
    process = subprocess.Popen(
        [
            program,
            f"--config.file={config}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address={url.removeprefix('http://')}",
            "--log.level=error",
        ]
    )
    try:
        wait_for(lambda: query(url, 'up{job="heroku-kafka-agent"} == 1'))
        yield url
    finally:
        process.terminate()
        process.wait(20)


def query(url: str, expression: str) -> dict[frozenset[tuple[str, str]], float]:
    """Ask Prometheus; an empty answer while it is still starting."""
    encoded = urllib.parse.urlencode({"query": expression})
    try:
        with urllib.request.urlopen(
            f"{url}/api/v1/query?{encoded}", timeout=5
        ) as answer:
            result = json.load(answer)["data"]["result"]
    except OSError:
        return {}
    ignored = {"__name__", "instance", "job"}
    return {
        frozenset((k, v) for k, v in one["metric"].items() if k not in ignored): float(
            one["value"][1]
        )
        for one in result
    }


@pytest.mark.parametrize("name", DOCUMENTED)
def test_prometheus_answers_with_the_documented_values(
    prometheus: str, name: str
) -> None:
    labels = frozenset({("addon", ADDON), ("broker", "2")})

    assert query(prometheus, name) == {labels: DOCUMENTED[name]}


def test_prometheus_answers_with_the_documented_log_line(prometheus: str) -> None:
    lines = f'heroku_kafka_log_lines_total{{addon="{ADDON}",node="0"}}'
    wait_for(lambda: query(prometheus, f"{lines} > 0"))
    found = query(prometheus, lines)

    assert {dict(labels)["level"]: value for labels, value in found.items()} == {
        "WARN": 1,
        "ERROR": 0,
        "FATAL": 0,
    }


@pytest.mark.parametrize(
    "series",
    [
        'heroku_kafka_log_lines_total{level="FATAL"',
        'heroku_kafka_log_events_total{urgency="critical"',
    ],
)
def test_increase_sees_a_fatal_line_that_is_a_nodes_first(
    agent: Agent, prometheus: str, series: str
) -> None:
    node = str(len(series))  # one that nobody has heard of
    agent.post(log_frame(b"pri=FATAL t=main at=Kafka$ Halting Kafka.", node))

    increase = f'sum(increase({series},node="{node}"}}[1m])) > 0'
    wait_for(lambda: query(prometheus, increase))


def test_increase_counts_what_is_there(agent: Agent, prometheus: str) -> None:
    """Nothing that was counted before is counted again for being shown at 0."""
    total = f'sum(max_over_time(heroku_kafka_log_lines_total{{addon="{ADDON}",node="0"}}[5m]))'

    wait_for(lambda: query(prometheus, f"{total} > 0"))
    assert query(prometheus, total) == {frozenset(): 1}


def test_prometheus_accepts_creation_times(agent: Agent, prometheus: str) -> None:
    """Without its feature flag, it stores them as series of their own."""
    wait_for(lambda: query(prometheus, "heroku_kafka_log_lines_created > 1e9"))

    assert query(prometheus, 'up{job="heroku-kafka-agent"}') == {frozenset(): 1}


def test_promtool_accepts_the_exposition(agent: Agent) -> None:
    checked = subprocess.run(
        [find_program("promtool"), "check", "metrics"],
        input=agent.request("GET", "/metrics").body,
        capture_output=True,
        timeout=30,
        check=False,
    )

    assert checked.returncode == 0, checked.stderr.decode()
    assert not checked.stderr


def test_the_example_scrape_configuration_is_valid(tmp_path: Path) -> None:
    config = tmp_path / "prometheus.yml"
    config.write_text(
        CONFIG.format(user=USER, password=PASSWORD, host="127.0.0.1", port=9841)
    )
    subprocess.run(
        [find_program("promtool"), "check", "config", config], check=True, timeout=30
    )
