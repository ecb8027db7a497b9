"""Archives of the log stream: what is found in them, whatever form they have."""

import gzip
import io
import json
import os
import random
import re
import subprocess
import sys
import time
import urllib.parse
import urllib.request
import zlib
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from agent.replay import Source, render_figure, render_json, run_replay
from parsers import BrokerLog, DrainDecoder, MetricLine
from tests.documented import ADDON, DOCUMENTED, METRICS
from tests.frames import FULL2, frame
from tests.serving import (
    clean_environ,
    find_program,
    free_port,
    run_command,
    running,
)
from tests.tail_lines import LOG as LOG_LINE
from tests.tail_lines import LOSS, ROUTER
from tests.tail_lines import METRICS as LINE

FIXTURES = Path(__file__).parents[2] / "fixtures"
EXAMPLE = FIXTURES / "example" / "standard-cluster.log"
RECORDED = sorted((FIXTURES / "kafka" / "recorded").glob("*.log"))
ARCHIVES = (EXAMPLE, FIXTURES / "kafka" / "recorded" / "node-failure.log")
BODIES = sorted((FIXTURES / "drain").glob("*.body"))
NOW = 1_800_000_000.0
ROUTER_FRAME = b"<158>1 2026-04-15T14:53:16+00:00 host heroku router - at=info path=/\n"
PAPERTRAIL = (
    b"9001\t2026-04-15T14:53:16Z\t2026-04-15T14:53:17Z\t42\texample-app\t192.0.2.1\t"
    b"Local0\tInfo\tapp/heroku-kafka.2\t" + FULL2.partition(b" - ")[2] + b"\n"
)
COLOURED = re.sub(
    rb"^(\S+ \S+:)",
    b"\x1b[36m\\1\x1b[0m",
    LINE + b"\r\n" + ROUTER + b"\r\n",
    flags=re.MULTILINE,
)
FORMS = {
    "text": LINE + b"\n" + ROUTER + b"\n",
    "text without a newline at its end": ROUTER + b"\n" + LINE,
    "colours and CRLF": COLOURED,
    "Papertrail": PAPERTRAIL,
    "Papertrail of old": PAPERTRAIL.replace(b"15T14:53:16Z", b"15 07:53:16 -0700"),
    "bodies": frame(ROUTER_FRAME) + frame(METRICS),
    "a body whose first count is broken": b"no count " + frame(METRICS),
    "gzip": gzip.compress(frame(METRICS)),
    "gzip of two members": gzip.compress(frame(METRICS)[:99])
    + gzip.compress(frame(METRICS)[99:])
    + bytes(512),
    "text with a frame inside": ROUTER + b" " + frame(METRICS) + LINE,
}

Json = dict[str, Any]
Points = dict[frozenset[tuple[str, str]], list[tuple[float, float]]]


def read(*names: str | Path, stdin: bytes = b"", code: int = 0) -> Json:
    """Run the command; return its JSON."""
    done = run_command("replay", *map(str, names), "--format", "json", stdin=stdin)
    assert done.returncode == code, done.stderr.decode()
    summary: Json = json.loads(done.stdout)
    return summary


def read_here(*archives: bytes, folder: Path | None = None) -> Json:
    """Read archives within this process, the first one from standard input."""
    sources = [Source("-")]
    for number, data in enumerate(archives[1:]):
        assert folder
        path = folder / str(number)
        path.write_bytes(data)
        sources.append(Source(str(path)))
    found = run_replay(sources, io.BytesIO(archives[0]), NOW)
    summary: Json = json.loads(render_json(found))
    return summary


def metric_line(second: int, broker: int = 0, load: float = 0.5) -> bytes:
    """Write a metric line at a second of a day."""
    at = f"2026-04-15T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}+00:00"
    return (
        f"{at} app[heroku-kafka.{broker}]: source=KAFKA addon={ADDON} "
        f"sample#load-avg-1m={load} sample#memory-free={second}kB\n"
    ).encode()


def log_line(second: int, node: int = 0, text: str = "Halting Kafka.") -> bytes:
    """Write a fatal line of a node at a second of an hour."""
    at = f"2026-04-15T00:{second // 60:02}:{second % 60:02}+00:00"
    return (f"{at} kafka[{ADDON}.{node}]: pri=FATAL t=main at=Kafka$ {text}\n").encode()


def broker(summary: Json, name: str = "2") -> Json:
    """Find a broker of the only cluster."""
    (cluster,) = summary["clusters"]
    (found,) = [one for one in cluster["brokers"] if one["broker"] == name]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("form", FORMS)
def test_the_documented_values_come_out_of_every_form(form: str) -> None:
    summary = read_here(FORMS[form])

    found = broker(summary)
    assert {name: one["max"] for name, one in found["gauges"].items()} == DOCUMENTED
    assert found["first"] == found["last"] == "2026-04-15T14:53:16.000Z"
    assert (found["lines"], found["samples"]) == (1, 11)


def test_files_and_standard_input_of_different_kinds_are_read_together(
    tmp_path: Path,
) -> None:
    (tmp_path / "text").write_bytes(LOG_LINE + b"\n" + LOSS + b"\n" + ROUTER)
    (tmp_path / "body.gz").write_bytes(gzip.compress(frame(METRICS)))
    names = (tmp_path / "text", "-", tmp_path / "body.gz")

    summary = read(*names, stdin=gzip.compress(LINE))

    assert [one["kind"] for one in summary["inputs"]] == [
        "text",
        "text",
        "drain bodies",
    ]
    assert summary["lines"] == {
        "metrics": 1,
        "broker_logs": 1,
        "repeated": 1,  # the frame ends in a newline; it is the same line all the same
        "undated": 0,
        "others": 1,
    }
    assert summary["losses"] == {"L11": 1101}
    (node,) = summary["clusters"][0]["nodes"]
    assert node["levels"] == {"WARN": 1, "ERROR": 0, "FATAL": 0}


def test_every_drain_fixture_gives_what_the_decoder_gives() -> None:
    assert BODIES
    for path in BODIES:
        body = path.read_bytes()
        batch = DrainDecoder().decode(body)
        wanted = Counter(type(event) for event in batch.records)

        lines = read_here(body)["lines"]

        assert lines["metrics"] == wanted[MetricLine], path
        assert lines["broker_logs"] == wanted[BrokerLog], path


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_every_recorded_line_counts_once_however_often_the_file_is_given(
    path: Path, tmp_path: Path
) -> None:
    data = path.read_bytes()
    lines = len(re.findall(rb"\]: pri=", data))

    once, twice = read_here(data), read_here(data, data, folder=tmp_path)

    assert once["lines"]["broker_logs"] == lines
    assert not once["refused"]
    assert twice["clusters"] == once["clusters"]
    assert twice["lines"]["repeated"] == lines


def test_a_stack_trace_decides_in_text_as_in_frames() -> None:
    head = "2026-04-15T00:00:00+00:00 kafka[kafka-a-1.0]: "
    line = f"{head}pri=ERROR t=x at=Unheard Failed\n"
    trace = ["Caused by: java.io.IOException: No space left on device", "\tat a.b(C:1)"]
    bare = line + "\n".join(trace)
    headed = line + "\n".join(head + one for one in trace)

    events = [
        read_here(text.encode())["clusters"][0]["nodes"][0]["events"]
        for text in (bare, headed)
    ]

    wanted = {"category": "storage", "urgency": "critical", "count": 1}
    assert events == [[wanted], [wanted]]


def test_lines_of_others_are_counted_and_never_taken_for_the_clusters() -> None:
    data = EXAMPLE.read_bytes()
    ours = re.compile(rb"\S+ (?:app\[heroku-kafka|kafka\[|heroku\[logplex\])")
    others = [line for line in data.splitlines() if not ours.match(line)]

    assert read(EXAMPLE)["lines"]["others"] == len(others) > 400


def test_names_and_values_are_the_exporters() -> None:
    strange = (
        b" sample#disk-used=5GB sample#a.b=3ms sample#topics=3 sample#read-iops=1s"
    )
    body = frame(METRICS.rstrip() + strange) + frame(
        METRICS.replace(b"heroku-kafka.2", b"heroku-kafka")
    )

    (cluster,) = read_here(body)["clusters"]
    with running() as agent:
        agent.post(body)
        exposition = agent.metrics()

    for labels, found in (
        ({"addon": ADDON, "broker": "2"}, cluster["brokers"][0]),
        ({"addon": ADDON}, cluster["cluster"]),
    ):
        assert len(found["gauges"]) >= 11
        for name, figures in found["gauges"].items():
            assert exposition.value(name, **labels) == figures["max"]


def test_the_table_shows_the_numbers_of_the_json() -> None:
    table = run_command("replay", str(EXAMPLE)).stdout.decode()
    summary = read(EXAMPLE)

    rows = [tuple(row.split()) for row in table.splitlines()]
    for one in summary["clusters"][0]["brokers"]:
        for name, figures in one["gauges"].items():
            values = (figures[key] for key in ("min", "mean", "p95", "max"))
            row = (name, str(figures["count"]), *map(render_figure, values))
            assert row in rows
    for node in summary["clusters"][0]["nodes"]:
        levels = map(str, node["levels"].values())
        assert (node["node"], node["first"], node["last"], *levels) in rows
    assert "\x1b" not in table


def test_figures_are_those_of_the_values() -> None:
    loads = [one / 1000 for one in range(20_000)]
    random.Random(1).shuffle(loads)  # noqa: S311 (seeded, not secret)
    text = b"".join(metric_line(n, load=load) for n, load in enumerate(loads))

    load = broker(read_here(text), "0")["gauges"]["heroku_kafka_load_avg_1m"]

    assert (load["count"], load["min"], load["max"]) == (20_000, 0.0, 19.999)
    assert load["mean"] == pytest.approx(9.9995)
    assert load["p95"] == pytest.approx(18.999, rel=0.005)


def test_gaps_are_listed_by_length_and_the_shorter_ones_counted() -> None:
    pauses = [20] * 50 + [61, 200, 90, 3600, 70, 300, 80] + [59]
    seconds = [sum(pauses[:count]) for count in range(len(pauses) + 1)]

    found = broker(read_here(b"".join(map(metric_line, seconds))), "0")

    assert found["interval_seconds"] == 20
    assert found["gaps"]["count"] == 7
    longest = [gap["seconds"] for gap in found["gaps"]["longest"]]
    assert longest == [3600, 300, 200, 90, 80]
    assert found["gaps"]["longest"][0]["start"] == "2026-04-15T00:22:31.000Z"


def test_what_cannot_be_believed_or_named_is_counted() -> None:
    text = b"".join(
        (
            metric_line(1).replace(b"2026", b"1971"),
            metric_line(2).replace(b"2026", b"2999"),
            metric_line(3).replace(b"memory-free=3kB", b"memory-free=3parsecs"),
            metric_line(4).replace(b"memory-free=4kB", b"topics=4"),
            b"something else\n",
        )
    )

    summary = read_here(text)

    assert summary["lines"]["undated"] == 2
    assert summary["refused"] == {"bad_header": 1, "unknown_unit": 1}
    assert summary["dropped"] == {"name_taken": 1}
    found = broker(summary, "0")
    assert (found["lines"], found["first"][:4]) == (4, "2026")


def test_a_line_that_is_too_long_is_passed_over(tmp_path: Path) -> None:
    long = b"x" * (1 << 20) + metric_line(2)
    text = metric_line(1) + long + metric_line(3)
    summary = read_here(text, long * 3, folder=tmp_path)

    assert summary["refused"] == {"frame_too_large": 4}
    assert summary["lines"]["metrics"] == 2


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        pytest.param(lambda data: data[:-20], "ends too early", id="cut"),
        pytest.param(
            lambda data: data[:-60] + bytes(20) + data[-40:],
            "damaged",
            id="overwritten",
        ),
        pytest.param(lambda data: data + b"more", "damaged", id="followed"),
    ],
)
def test_of_damaged_gzip_what_can_be_read_is_used(
    damage: Any, sentence: str, tmp_path: Path
) -> None:
    rng = random.Random(2)  # noqa: S311 (seeded, not secret)
    lines = [metric_line(second, load=rng.random()) for second in range(3000)]
    path = tmp_path / "archive.gz"
    path.write_bytes(damage(gzip.compress(b"".join(lines))))

    done = run_command("replay", str(path), "--format=json")

    assert done.returncode == 1
    assert sentence in done.stderr.decode()
    loads = broker(json.loads(done.stdout), "0")["gauges"]["heroku_kafka_load_avg_1m"]
    assert loads["count"] == json.loads(done.stdout)["lines"]["metrics"]
    assert 2950 < json.loads(done.stdout)["lines"]["metrics"] <= 3000


def test_a_value_that_damage_has_cut_is_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "archive.gz"
    whole = metric_line(1) + metric_line(2)
    compressor = zlib.compressobj(wbits=31)
    cut = compressor.compress(whole[:-4]) + compressor.flush(zlib.Z_SYNC_FLUSH)
    path.write_bytes(cut)

    summary = read(path, code=1)

    assert summary["lines"]["metrics"] == 1
    assert summary["refused"] == {"truncated": 1}


@settings(max_examples=200, deadline=None)
@given(
    start=st.sampled_from([b"", LINE, frame(METRICS), gzip.compress(LINE), PAPERTRAIL]),
    cut=st.integers(0, 400),
    more=st.binary(max_size=200),
)
def test_any_bytes_give_a_summary(start: bytes, cut: int, more: bytes) -> None:
    summary = read_here(start[:cut] + more + start)

    assert set(summary) == {
        *("inputs", "problems", "lines", "losses", "refused", "dropped", "clusters")
    }


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param([], id="none"),
        pytest.param(["{here}/missing"], id="missing"),
        pytest.param(["{here}"], id="directory"),
        pytest.param(["-", "-"], id="standard input twice"),
        pytest.param(["--openmetrics={here}/no/where"], id="no folder"),
        pytest.param(["--openmetrics=-"], id="standard output"),
        pytest.param(["--openmetrics={here}/archive"], id="an input as output"),
    ],
)
def test_wrong_use_ends_with_2_before_anything_is_read(
    arguments: list[str], tmp_path: Path
) -> None:
    archive = tmp_path / "archive"
    archive.write_bytes(LINE)
    out = tmp_path / "history"
    asked = [one.format(here=tmp_path) for one in arguments]
    names = [str(archive), f"--openmetrics={out}"] if asked else []

    done = run_command("replay", *names, *asked)

    assert done.returncode == 2
    assert done.stdout == b""
    assert done.stderr.count(b"\n") == 1
    assert not out.exists()
    assert archive.read_bytes() == LINE


LINES = st.lists(
    st.one_of(
        st.builds(
            metric_line,
            st.integers(0, 7200),
            st.integers(0, 2),
            st.floats(0, 1e6, width=32),
        ),
        st.builds(log_line, st.integers(0, 3599), st.integers(0, 2)),
        st.just(ROUTER + b"\n"),
    ),
    max_size=40,
    unique=True,
)


@settings(max_examples=60, deadline=None)
@given(lines=LINES, data=st.data())
def test_the_order_and_the_cut_of_archives_change_nothing(
    lines: list[bytes], data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    shuffled = data.draw(st.permutations(lines))
    cut = data.draw(st.integers(0, len(lines)))
    folder = tmp_path_factory.mktemp("parts")

    whole = read_here(b"".join(lines))
    parts = read_here(b"".join(shuffled[:cut]), b"".join(shuffled[cut:]), folder=folder)

    del whole["inputs"], parts["inputs"]
    assert parts == whole


def test_lines_that_two_archives_share_count_once(tmp_path: Path) -> None:
    lines = [metric_line(second) for second in range(0, 2000, 20)]
    twice = log_line(5) * 2  # written twice, so it stands twice in each

    summary = read_here(
        twice + b"".join(lines[:70]), b"".join(lines[30:]) + twice, folder=tmp_path
    )

    assert summary["lines"]["metrics"] == 100
    assert summary["lines"]["broker_logs"] == 2
    assert summary["lines"]["repeated"] == 42
    assert broker(summary, "0")["gaps"]["count"] == 0


def test_memory_does_not_grow_with_the_archive(tmp_path: Path) -> None:
    """Ten times the lines take at most a few more MiB, history included."""
    peaks = [peak_mib(count, tmp_path / "history") for count in (15_000, 150_000)]

    assert peaks[1] - peaks[0] < 48


def peak_mib(count: int, out: Path) -> float:
    """Pipe generated lines into the command; return the most memory it had."""
    command = [sys.executable, "-m", "agent", "replay", "-", "--format=json"]
    # A launcher in between: a process starts with the peak of the one that forks it.
    launcher = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, "
        "stdout=subprocess.DEVNULL); "
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", launcher, *command, f"--openmetrics={out}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=clean_environ(),
    )
    assert process.stdin is not None
    for start in range(0, count, 1000):
        process.stdin.write(
            b"".join(
                metric_line(n // 3, n % 3, load=n / 7)
                for n in range(start, start + 1000)
            )
        )
    answer, _ = process.communicate(timeout=40)
    assert process.returncode == 0
    return int(answer) / 1024


def test_a_terminal_is_shown_a_bar_and_a_pipe_is_not(tmp_path: Path) -> None:
    leader, follower = os.openpty()
    subprocess.run(
        [sys.executable, "-m", "agent", "replay", str(EXAMPLE)],
        stdout=subprocess.DEVNULL,
        stderr=follower,
        env={**clean_environ(), "TERM": "xterm", "COLUMNS": "80"},
        check=True,
        timeout=30,
    )
    os.close(follower)
    shown = os.read(leader, 65536)
    os.close(leader)

    assert b"reading" in shown
    assert run_command("replay", str(EXAMPLE)).stderr == b""


def history(*names: str | Path, out: Path, stdin: bytes = b"") -> dict[str, Points]:
    """Write the history; return what the official parser reads from it."""
    arguments = [*map(str, names), f"--openmetrics={out}"]
    done = run_command("replay", *arguments, stdin=stdin)
    assert done.returncode == 0, done.stderr.decode()
    points: dict[str, Points] = {}
    for family in text_string_to_metric_families(out.read_text()):  # type: ignore[no-untyped-call] # prometheus-client's
        for sample in family.samples:
            labels = frozenset(sample.labels.items())
            series = points.setdefault(sample.name, {}).setdefault(labels, [])
            series.append((float(sample.timestamp), sample.value))
    return points


def test_the_history_has_each_value_once_at_its_time(tmp_path: Path) -> None:
    lines = [metric_line(second, load=second / 8) for second in range(0, 2000, 20)]
    cluster = metric_line(7).replace(b"heroku-kafka.0", b"heroku-kafka")
    late, early = tmp_path / "late", tmp_path / "early"
    late.write_bytes(b"".join(lines[40:]) + cluster)
    early.write_bytes(b"".join(lines[:60]) + lines[3].replace(b"=7.5", b"=8.5"))

    points = history(late, early, out=tmp_path / "history")

    (series,) = points["heroku_kafka_load_avg_1m"].values()
    assert len(series) == 100
    start = series[0][0]
    assert [(time - start, value) for time, value in series if time - start != 60] == [
        (second, second / 8) for second in range(0, 2000, 20) if second != 60
    ]
    ((labels, value),) = points["heroku_kafka_cluster_memory_free_bytes"].items()
    assert (dict(labels), value) == ({"addon": ADDON}, [(start + 7, 7168.0)])


def test_the_counters_of_the_history_grow_from_0_minute_by_minute(
    tmp_path: Path,
) -> None:
    text = b"".join(log_line(second) for second in (65, 70, 200)) + metric_line(300)

    points = history("-", out=tmp_path / "history", stdin=text)

    lines = points["heroku_kafka_log_lines_total"]
    counts = {
        dict(labels)["level"]: [value for _, value in series]
        for labels, series in lines.items()
    }
    assert counts == {"WARN": [0] * 5, "ERROR": [0] * 5, "FATAL": [0, 2, 2, 3, 3]}
    ((labels, events),) = points["heroku_kafka_log_events_total"].items()
    assert dict(labels)["urgency"] == "critical"
    assert [value for _, value in events] == [0, 2, 2, 3, 3]
    assert {round(time) % 60 for time, _ in events} == {0}


def test_the_counters_of_the_history_pause_where_the_archive_has_nothing(
    tmp_path: Path,
) -> None:
    text = log_line(5) + log_line(3000)

    points = history("-", out=tmp_path / "history", stdin=text)

    (series,) = points["heroku_kafka_log_events_total"].values()
    assert [value for _, value in series] == [0, 1, 1, 2]


def test_without_a_line_of_a_cluster_the_history_is_empty_and_valid(
    tmp_path: Path,
) -> None:
    assert history("-", out=tmp_path / "history", stdin=ROUTER) == {}
    assert (tmp_path / "history").read_text() == "# EOF\n"


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve blocks that promtool makes of the history of a recorded hour."""
    folder = tmp_path_factory.mktemp("history")
    promtool, program = find_program("promtool"), find_program("prometheus")
    out, data = folder / "history.txt", folder / "data"
    history(*reversed(ARCHIVES), out=out)
    create = ("tsdb", "create-blocks-from", "openmetrics")
    subprocess.run(
        [promtool, *create, out, data],
        check=True,
        timeout=30,
        stdout=subprocess.DEVNULL,
    )
    (folder / "prometheus.yml").write_text("{}\n")
    url = f"http://127.0.0.1:{free_port()}"
    process = subprocess.Popen(
        [
            program,
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={data}",
            "--storage.tsdb.retention.time=100y",
            f"--web.listen-address={url.removeprefix('http://')}",
            "--log.level=error",
        ]
    )
    try:
        deadline = time.monotonic() + 30
        while not ask(url, "vector(1)", 0.0):
            assert time.monotonic() < deadline, "Prometheus never answered"
            time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(20)


def ask(url: str, expression: str, at: float) -> list[tuple[dict[str, str], float]]:
    """Ask Prometheus; an empty answer while it is still starting."""
    encoded = urllib.parse.urlencode({"query": expression, "time": at})
    try:
        with urllib.request.urlopen(f"{url}/api/v1/query?{encoded}", timeout=5) as got:
            result = json.load(got)["data"]["result"]
    except OSError:
        return []
    return [(one["metric"], float(one["value"][1])) for one in result]


def seconds(stamp: str) -> float:
    return datetime.fromisoformat(stamp).timestamp()


@pytest.mark.slow
def test_prometheus_answers_with_the_values_of_the_summary(prometheus: str) -> None:
    summary = read(*ARCHIVES)
    (cluster,) = summary["clusters"]
    for one in cluster["brokers"]:
        at = seconds(one["last"])
        for name, figures in one["gauges"].items():
            series = f'{name}{{addon="{ADDON}",broker="{one["broker"]}"}}[1d]'
            for function in ("count", "min", "max"):
                answer = ask(prometheus, f"{function}_over_time({series})", at)
                assert [value for _, value in answer] == [figures[function]], name
            ((_, mean),) = ask(prometheus, f"avg_over_time({series})", at)
            assert mean == pytest.approx(figures["mean"])


@pytest.mark.slow
def test_prometheus_counts_the_log_lines_of_the_summary(prometheus: str) -> None:
    summary = read(*ARCHIVES)
    for node in summary["clusters"][0]["nodes"]:
        at = seconds(node["last"]) + 60
        chosen = f'{{addon="{ADDON}",node="{node["node"]}"}}'
        levels = ask(prometheus, f"heroku_kafka_log_lines_total{chosen}", at)
        cells = ask(prometheus, f"heroku_kafka_log_events_total{chosen}", at)

        assert {one["level"]: value for one, value in levels} == node["levels"]
        wanted = {(e["category"], e["urgency"]): e["count"] for e in node["events"]}
        found = {(one["category"], one["urgency"]): value for one, value in cells}
        assert found == wanted


@pytest.mark.slow
def test_increase_over_the_history_sees_the_lines_of_one_incident(
    prometheus: str,
) -> None:
    incident = read_here(ARCHIVES[1].read_bytes())
    nodes = incident["clusters"][0]["nodes"]
    wanted = sum(sum(node["levels"].values()) for node in nodes)
    at = max(seconds(node["last"]) for node in nodes) + 60
    series = "heroku_kafka_log_lines_total[20m]"
    query = f"sum(max_over_time({series}) - min_over_time({series}))"

    ((_, found),) = ask(prometheus, query, at)
    ((_, increase),) = ask(prometheus, f"sum(increase({series}))", at)

    assert found == wanted
    assert increase >= wanted * 0.9
