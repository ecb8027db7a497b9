"""The page, ``watch`` and ``capacity`` mark values by the user's thresholds."""

import io
import json
import re
from pathlib import Path

import pytest
from rich.console import Console

from agent.alerting.thresholds import choose_thresholds
from agent.clock import Moment
from agent.settings import Settings
from agent.watch.report import render_report
from agent.watch.session import Session
from tests.serving import CREDENTIALS, PASSWORD, USER, run_command, running, serving
from tests.tail_lines import ADDON, METRICS

STAMP = 1776264796.0  # 2026-04-15T14:53:16Z
NOW = Moment(STAMP + 5, 1000.0)
INFO = f"""\
=== KAFKA_URL

Plan:       heroku-kafka:standard-0
Partitions: [··········] 11000 / 12000 partition replicas (partitions x replication factor)
Data Size:  [████████··] 120.00 GB / 150.00 GB (80.00%)
Add-on:     {ADDON}
"""
COMMANDS = ["serve", "watch", "demo", "capacity"]


def advise(*arguments: str, environ: dict[str, str] | None = None) -> list[str]:
    """Run ``capacity`` and return its advice."""
    done = run_command(
        *("capacity", "-", "--format", "json", *arguments),
        stdin=INFO.encode(),
        environ=environ,
    )
    assert done.returncode == 0, done.stderr.decode()
    (cluster,) = json.loads(done.stdout)
    return list(cluster["advice"])


def draw_styles(name: str, *settings: str) -> str:
    """Draw ``watch`` in colour and return the style of the text `name`."""
    session = Session(Settings(thresholds=choose_thresholds(None, settings)))
    session.receive_data(METRICS + b"\n", NOW)
    console = Console(file=io.StringIO(), record=True, force_terminal=True, width=160)
    console.print(render_report(session, NOW, console, events=0, ended=True))
    assert name in console.export_text(clear=False)
    found = re.search(
        rf'<span style="([^"]*)">\s*{re.escape(name)}\s*</span>',
        console.export_html(inline_styles=True),
    )
    return found[1] if found else ""


def meters(page: str) -> dict[str, tuple[float, float]]:
    """Find the meters of the page: from where on they are yellow, and red."""
    found = re.findall(
        r'<label>([\w ]+) <meter min="0" max="1" low="([\d.]+)" high="([\d.]+)"', page
    )
    return {name: (float(low), float(high)) for name, low, high in found}


def test_the_packaged_thresholds_mark_the_capacity_report() -> None:
    assert advise() == [
        "Partition replicas at 92%: watch it.",
        "Data at 80%: watch it.",
    ]


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (("data.critical=0.78", "data.warning=0.77"), "Data at 80%: shorten retention"),
        (("data.watch=0.79",), "Data at 80%: watch it"),
        (("partitions.critical=90%",), "Partition replicas at 92%: delete topics"),
        ((f"{ADDON}:data.critical=0.8", f"{ADDON}:data.warning=0.79"), "shorten"),
    ],
)
def test_a_threshold_marks_the_capacity_report(
    settings: tuple[str, ...], sentence: str
) -> None:
    advice = advise(*(word for one in settings for word in ("--set", one)))

    assert any(sentence in one for one in advice)


def test_a_value_below_the_threshold_is_not_marked() -> None:
    given = {"HEROKU_KAFKA_AGENT_SET": "data.watch=0.81,data.warning=0.82"}

    assert advise(environ=given) == ["Partition replicas at 92%: watch it."]


def test_the_numbers_of_another_cluster_change_nothing() -> None:
    assert advise("--set", "kafka-other-1:data.watch=0.1") == advise()


def test_the_colour_of_the_capacity_report_follows_the_thresholds() -> None:
    given = {"FORCE_COLOR": "1", "TERM": "xterm-256color"}
    done = run_command(
        *("capacity", "-", "--set", "data.critical=0.78", "--set", "data.warning=0.77"),
        stdin=INFO.encode(),
        environ=given,
    )

    bars = re.findall(r"(Data|Partition replicas) +\x1b\[(\d+)m", done.stdout.decode())
    assert bars == [("Data", "31"), ("Partition replicas", "33")]


@pytest.mark.parametrize(
    ("settings", "colour"),
    [
        ((), ""),
        (("memory.warning=0.3",), "808000"),
        (("memory.warning=0.2", "memory.critical=0.3"), "bold"),
        ((f"{ADDON}:memory.warning=0.3",), "808000"),
        (("kafka-other-1:memory.warning=0.3",), ""),
        (("load.warning=0.001", "load.headroom=0.0005"), ""),
    ],
)
def test_a_threshold_marks_memory_in_the_terminal(
    settings: tuple[str, ...], colour: str
) -> None:
    style = draw_styles("31.9%", *settings)

    assert colour in style if colour else style == ""


@pytest.mark.parametrize(
    ("settings", "colour"),
    [
        ((), ""),
        (("load.warning=0.004", "load.headroom=0.003"), "808000"),
        (
            ("load.critical=0.005", "load.warning=0.004", "load.headroom=0.003"),
            "bold",
        ),
    ],
)
def test_a_threshold_marks_load_in_the_terminal(
    settings: tuple[str, ...], colour: str
) -> None:
    style = draw_styles("0.005", *settings)

    assert colour in style if colour else style == ""


def test_the_page_has_the_packaged_thresholds() -> None:
    with running(Settings(port=0, drain_credentials=(CREDENTIALS,))) as agent:
        assert agent.request("POST", "/api/capacity", INFO.encode()).status == 200
        page = agent.request("GET", "/").body.decode()

    assert meters(page) == {"Data": (0.75, 0.9), "Partition replicas": (0.8, 0.95)}


def test_options_of_serve_change_the_meters_of_the_page(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(
        "data: {watch: 0.4}\n"
        f"clusters: {{{ADDON}: {{partitions: {{warning: 0.5}}}}}}\n"
    )
    with serving(
        *("--port", "0", "--drain-credentials", f"{USER}:{PASSWORD}"),
        *("--thresholds", str(file), "--set", "data.critical=0.85"),
        environ={"HEROKU_KAFKA_AGENT_SET": "data.critical=0.99"},
    ) as agent:
        other = INFO.replace(ADDON, "kafka-other-1")
        for text in (INFO, other):
            assert agent.request("POST", "/api/capacity", text.encode()).status == 200
        _, first, second = agent.request("GET", "/").body.decode().split("<h2 id=")[:3]

    assert meters(first) == {"Data": (0.4, 0.85), "Partition replicas": (0.5, 0.95)}
    assert meters(second) == {"Data": (0.4, 0.85), "Partition replicas": (0.8, 0.95)}


@pytest.mark.parametrize("command", COMMANDS)
def test_contradictory_thresholds_are_refused_as_by_alerts(command: str) -> None:
    words = [command, *(["-"] if command == "capacity" else [])]
    given = ("--set", "data.warning=0.95", "--set", "load.wraning=1")
    expected = run_command("alerts", *given)
    contradiction = run_command(*words, *given[:2], stdin=INFO.encode())
    unknown = run_command(*words, *given, stdin=INFO.encode())

    assert contradiction.returncode == unknown.returncode == 2
    assert b"data.warning (0.95) must be below data.critical (0.9)" in (
        contradiction.stderr
    )
    assert unknown.stderr == expected.stderr
    assert contradiction.stdout == unknown.stdout == b""


def test_serve_names_wrong_thresholds_beside_other_problems() -> None:
    done = run_command("serve", "--host", "0.0.0.0", "--set", "load.warning=high")

    assert done.returncode == 2
    assert b"refusing to listen on 0.0.0.0" in done.stderr
    assert b"load.warning: 'high' is no positive number" in done.stderr
