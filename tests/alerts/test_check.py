"""``check``: all problems at once, and nothing is started."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from tests.serving import run_command, running

OUR_RULES = Path(__file__).parents[2] / "alerts" / "heroku-kafka.rules.yml"


def checked(
    *arguments: str, code: int = 0, environ: dict[str, str] | None = None
) -> tuple[str, str]:
    """Run ``check``; return what it says on standard output and error."""
    done = run_command("check", *arguments, environ=environ)
    assert done.returncode == code, done.stderr.decode()
    return done.stdout.decode(), done.stderr.decode()


def test_what_is_right_is_summed_up() -> None:
    said, errors = checked(
        *("--rules", str(OUR_RULES), "--set", "load.warning=0.7"),
        *("--drain-credentials", "drain:correct-horse"),
    )

    assert "would listen on http://127.0.0.1:9841 with credentials" in said
    assert "1 of them yours" in said
    assert "68 in 1 file(s)" in said
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
        *("--plan", "kafka-b", "--log-level", "loud"),
        *("--set", "load.wraning=1", "--rules", "missing.yml"),
        environ={
            "HEROKU_KAFKA_AGENT_PORT": "http",
            "HEROKU_KAFKA_AGENT_RETENTON": "24h",
        },
        code=2,
    )

    for part in (
        "--stale-after: invalid duration 'soon': expected a number and a unit",
        "--plan: 'kafka-a' is no ADDON=PLAN",
        "--plan: 'kafka-b' is no ADDON=PLAN",
        "--log-level: 'loud' is not one of",
        "HEROKU_KAFKA_AGENT_PORT (--port): 'http' is not a valid integer",
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
    file.write_text(
        "groups: [{name: a, rules: [{record: b, expr: heroku_kafka_queue_depth}]}]\n"
    )

    said, errors = checked("--rules", str(file))
    assert "warning:" in errors
    assert "only if the brokers log a sample of that name" in errors
    assert "0 error(s), 1 warning(s)" in said


def pair(
    folder: Path,
    name: str,
    begin: datetime | None = None,
    end: datetime | None = None,
) -> tuple[str, str]:
    """Write a certificate and its key; return the options that name them."""
    made = trustme.CA().issue_cert("localhost", not_before=begin, not_after=end)
    chain, key = folder / f"{name}.pem", folder / f"{name}.key"
    made.cert_chain_pems[0].write_to_path(chain)
    made.private_key_pem.write_to_path(key)
    return f"--tls-certificate={chain}", f"--tls-key={key}"


def test_a_certificate_must_be_of_its_key(tmp_path: Path) -> None:
    chain, right = pair(tmp_path, "one")
    _other, wrong = pair(tmp_path, "other")

    checked(chain, right)
    _said, errors = checked(chain, wrong, code=2)
    assert "other.key is not that of the certificate in" in errors


def test_files_that_hold_no_certificate_are_named(tmp_path: Path) -> None:
    chain, key = pair(tmp_path, "one")
    junk = tmp_path / "junk"
    junk.write_text("-----BEGIN CERTIFICATE-----\n")

    for options in ((f"--tls-certificate={junk}", key), (chain, f"--tls-key={junk}")):
        _said, errors = checked(*options, code=2)
        assert "junk" in errors
        assert "are no PEM certificate and its key" in errors


def test_a_certificate_is_looked_at_beside_other_problems(tmp_path: Path) -> None:
    chain, _right = pair(tmp_path, "one")
    _other, wrong = pair(tmp_path, "other")
    _said, errors = checked(chain, wrong, "--host", "0.0.0.0", code=2)

    assert "refusing to listen" in errors
    assert "is not that of the certificate" in errors


@pytest.mark.parametrize(
    ("days", "said"), [(-1, "certificate has expired"), (5, "expires in 5.0 days")]
)
def test_a_certificate_that_ends_is_warned_of(
    days: int, said: str, tmp_path: Path
) -> None:
    """The handshake asks OpenSSL, which reads the clock of the machine."""
    now = datetime.now(UTC)
    begin, end = now - timedelta(days=30), now + timedelta(days=days, minutes=1)
    options = pair(tmp_path, "one", begin, end)
    _said, errors = checked(*options)

    assert errors.startswith("warning: --tls-certificate: ")
    assert said in errors


def test_thresholds_are_named_with_their_lines(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(
        "load:\n  wraning: 1\n  critical: 0.5\n  hold: 900\n"
        "clusters:\n  kafka-a-1:\n    memory:\n      critical: 0.1\n  kafka-b-2: 3\n"
    )
    _said, errors = checked(
        *("--thresholds", str(file), "--set", "nothing=1", "--set", "no"), code=2
    )

    for part in (
        f"{file}:2: unknown threshold load.wraning; did you mean load.warning?",
        f"{file}:4: load.hold: 900 needs a unit",
        f"{file}:9: clusters.kafka-b-2 must hold groups",
        "--set: unknown threshold nothing",
        "--set: 'no' must be written load.warning=0.7",
        "load.warning (0.8) must be below load.critical (0.5)",
        "kafka-a-1: memory.warning (0.8) must be below memory.critical (0.1)",
    ):
        assert part in errors


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("load:\n  warning: 1\nload:\n  hold: 5m\n", ":3 is no YAML: load stands in"),
        ("load:\n  hold: 2026-99-99\n", "is no YAML: month must be"),
        ("[" * 5_000, ":1 is no YAML: it is nested too deeply"),
    ],
)
def test_thresholds_that_cannot_be_read_are_named(
    text: str, said: str, tmp_path: Path
) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    _said, errors = checked("--thresholds", str(file), code=2)

    assert errors.startswith(f"error: thresholds: {file}")
    assert said in errors
