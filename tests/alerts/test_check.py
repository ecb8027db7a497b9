"""``check``: all problems at once, and nothing is started."""

import json
from pathlib import Path

import pytest
import trustme

from agent.checks import check_rule_files
from agent.checks.exported import LABELS, exported_metrics, labels_of
from agent.settings import Settings
from tests.documented import ADDON, LOG, METRICS
from tests.frames import frame
from tests.serving import CREDENTIALS, run_command, running

OUR_RULES = Path(__file__).parents[2] / "alerts" / "heroku-kafka.rules.yml"


def checked(
    *arguments: str, code: int = 0, environ: dict[str, str] | None = None
) -> tuple[str, str]:
    """Run ``check``; return what it says on standard output and error."""
    done = run_command("check", *arguments, environ=environ)
    assert done.returncode == code, done.stderr.decode()
    return done.stdout.decode(), done.stderr.decode()


def judged(tmp_path: Path, rule: str) -> list[str]:
    """Check a file with one rule; return the problems without their place."""
    file = tmp_path / "rules.yml"
    file.write_text(f"groups:\n- name: mine\n  rules:\n  - {rule}\n")
    problems, _count = check_rule_files([file])
    return [
        f"{'warning' if one.is_warning else 'error'}: {one.what}" for one in problems
    ]


def test_what_is_right_is_summed_up() -> None:
    said, errors = checked(
        *("--rules", str(OUR_RULES), "--set", "load.warning=0.7"),
        *("--drain-credentials", "drain:correct-horse"),
    )

    assert "would listen on http://127.0.0.1:9841 with credentials" in said
    assert "1 of them yours" in said
    assert "67 in 1 file(s)" in said
    assert said.endswith("0 error(s), 0 warning(s)\n")
    assert errors == ""


def test_nothing_is_started() -> None:
    """The port is taken, and check does not care."""
    with running() as agent:
        port = agent.url.rpartition(":")[2]
        said, _errors = checked("--port", port)

    assert f"would listen on http://127.0.0.1:{port}" in said


def test_all_problems_are_named_at_once() -> None:
    _said, errors = checked(
        *("--stale-after", "soon", "--plan", "kafka-a", "--host", "0.0.0.0"),
        *("--max-brokers", "0", "--drain-credentials", ":hunter2"),
        *("--set", "load.wraning=1", "--rules", "missing.yml"),
        environ={
            "HEROKU_KAFKA_AGENT_PORT": "http",
            "HEROKU_KAFKA_AGENT_RETENTON": "24h",
        },
        code=2,
    )

    for part in (
        "--stale-after: 'soon' is no duration",
        "--plan: 'kafka-a' is no ADDON=PLAN",
        "--port: 'http' is not a valid integer",
        "--drain-credentials: credentials must be written user:password",
        "refusing to listen on 0.0.0.0",
        "the limit on brokers must be greater than 0",
        (
            "HEROKU_KAFKA_AGENT_RETENTON: no command reads this environment variable; "
            "did you mean HEROKU_KAFKA_AGENT_RETENTION?"
        ),
        "unknown threshold load.wraning; did you mean load.warning?",
        "missing.yml: cannot be read",
    ):
        assert part in errors
    assert "hunter2" not in errors
    assert "Traceback" not in errors


def test_the_environment_is_checked_as_serve_reads_it() -> None:
    checked(environ={"PORT": "none"}, code=2)
    said, _errors = checked(
        environ={"PORT": "5000", "HEROKU_KAFKA_AGENT_DRAIN_CREDENTIALS": "a:b,c:d"}
    )

    assert "would listen on http://0.0.0.0:5000 with credentials" in said


@pytest.mark.parametrize("argument", ["nonsense", "--no-such-option"])
def test_wrong_use_ends_with_2(argument: str) -> None:
    _said, errors = checked(argument, code=2)

    assert argument in errors


def test_wrong_rules_alone_end_with_1(tmp_path: Path) -> None:
    file = tmp_path / "rules.yml"
    file.write_text("groups: 3\n")

    _said, errors = checked("--rules", str(file), code=1)
    assert f"{file}: must hold 'groups'" in errors


def test_a_warning_alone_ends_with_0(tmp_path: Path) -> None:
    file = tmp_path / "rules.yml"
    file.write_text("groups: [{name: a, rules: [{alert: A, expr: up == 0}]}]\n")

    said, errors = checked("--rules", str(file))
    assert "warning:" in errors
    assert "has no label severity" in errors
    assert "0 error(s), 1 warning(s)" in said


def test_a_certificate_must_be_of_its_key(tmp_path: Path) -> None:
    authority = trustme.CA()
    one, other = (authority.issue_cert("localhost") for _ in range(2))
    chain, right, wrong = (tmp_path / name for name in ("chain", "right", "wrong"))
    one.cert_chain_pems[0].write_to_path(chain)
    one.private_key_pem.write_to_path(right)
    other.private_key_pem.write_to_path(wrong)

    checked("--tls-certificate", str(chain), "--tls-key", str(right))
    _said, errors = checked(
        "--tls-certificate", str(chain), "--tls-key", str(wrong), code=2
    )
    assert "are no certificate and its key" in errors


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        ("{alert: A, record: b, expr: up}", "must have either 'alert' or 'record'"),
        ("{expr: up}", "must have either 'alert' or 'record'"),
        ("{alert: A}", "has no expr"),
        ("{alert: A, exrp: up == 0}", "unknown key 'exrp'; did you mean expr?"),
        ("{alert: A, expr: up ==}", "its expr is no PromQL"),
        ("{alert: A, expr: up == 0, for: soon}", "for is no duration like 5m: 'soon'"),
        ("{alert: A, expr: up == 0, labels: {value: '{{ $value }}'}}", "holds $value"),
        ("{alert: A, expr: up == 0, annotations: {a: '{{ x }'}}", "do not pair"),
        (
            "{record: a, expr: heroku_kafka_load_avg_5}",
            (
                "unknown metric heroku_kafka_load_avg_5; did you mean "
                "heroku_kafka_load_avg_5m?"
            ),
        ),
        (
            "{record: a, expr: 'rate(heroku_kafka_log_lines_total{broker=\"1\"}[5m])'}",
            "has no label broker; it has addon, level, node",
        ),
        (
            "{record: a, expr: 'rate(heroku_kafka_log_lines_total{level=\"WARNING\"}[5m])'}",
            (
                "level='WARNING' of heroku_kafka_log_lines_total cannot be; it is one of "
                "ERROR, FATAL, WARN"
            ),
        ),
        (
            "{record: a, expr: 'rate(heroku_kafka_load_avg_5m[5m])'}",
            "rate() of heroku_kafka_load_avg_5m, which is a gauge",
        ),
        ("3", "is no mapping"),
    ],
)
def test_a_wrong_rule_is_an_error(rule: str, problem: str, tmp_path: Path) -> None:
    found = judged(tmp_path, rule)

    assert [one for one in found if one.startswith("error: ") and problem in one]


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        ("{alert: A, expr: up, labels: {severity: info}}", "compares with nothing"),
        ("{alert: A, expr: up == 0}", "has no label severity"),
        ("{record: a, expr: heroku_kafka_queue_depth}", "only if your brokers write"),
        ("{record: a, expr: heroku_kafka_log_lines_total}", "use increase() or rate()"),
    ],
)
def test_what_may_be_meant_so_is_a_warning(
    rule: str, problem: str, tmp_path: Path
) -> None:
    (found,) = judged(tmp_path, rule)

    assert found.startswith("warning: ")
    assert problem in found


@pytest.mark.parametrize(
    "rule",
    [
        "{record: a, expr: 'sum(rate(http_requests_total[5m]))'}",
        "{record: a, expr: 'heroku_kafka_load_avg_5m{env=\"prod\"}'}",
        "{record: a, expr: 'addon_broker:heroku_kafka_load_avg_5m:max > 1'}",
        "{record: a, expr: 'rate(heroku_kafka_log_lines_total{level=~\"W.*\"}[5m])'}",
        "{record: a, expr: 'heroku_kafka_cluster_load_avg_5m'}",
        "{alert: A, expr: 'absent(up)', labels: {severity: info}, for: 0}",
    ],
)
def test_what_is_right_or_not_ours_is_not_named(rule: str, tmp_path: Path) -> None:
    assert judged(tmp_path, rule) == []


def test_files_may_use_what_the_others_record(tmp_path: Path) -> None:
    one, other = tmp_path / "one.yml", tmp_path / "other.yml"
    one.write_text("groups: [{name: a, rules: [{record: heroku_kafka_own, expr: up}]}]")
    other.write_text(
        "groups: [{name: a, rules: [{record: b, expr: heroku_kafka_own > 1}]}]"
    )

    assert check_rule_files([one, other])[0] == []
    assert len(check_rule_files([other])[0]) == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "groups",
        "groups: {a: b}",
        "groups: [3]",
        "groups: [{rules: []}]",
        "groups: [{name: a, rules: [], intreval: 1m}]",
        "groups: [{name: a, rules: []}, {name: a, rules: []}]",
        "groups: [",
    ],
)
def test_a_file_of_another_shape_is_named(text: str, tmp_path: Path) -> None:
    file = tmp_path / "rules.yml"
    file.write_text(text)
    problems, count = check_rule_files([file])

    assert len(problems) == 1
    assert str(file) in problems[0].where
    assert count == 0


def test_the_names_types_and_labels_are_those_of_a_running_agent() -> None:
    settings = Settings(
        port=0,
        drain_credentials=(CREDENTIALS,),
        plans={ADDON: "standard-0"},
        topic_metrics=3,
    )
    with running(settings) as agent:
        agent.post(frame(METRICS) + frame(LOG) + frame(b"no frame of ours"))
        agent.post(frame(METRICS.replace(b"heroku-kafka.2", b"heroku-kafka")))
        answer = agent.request("GET", "/api/clusters")
        assert json.loads(answer.body)
        metrics = agent.metrics()

    known = exported_metrics()
    for name, labels in metrics.samples:
        if name.startswith("heroku_kafka_"):
            assert name in known
            assert {label for label, _value in labels} == labels_of(name), name
    assert {label for name in known for label in labels_of(name)} <= LABELS | {"le"}
