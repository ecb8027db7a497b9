"""The configuration is replaced as a whole while the agent runs, or not at all."""

import json
import os
import signal
import socket
import ssl
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import trustme

from tests.documented import ADDON, LOG, METRICS
from tests.frames import frame
from tests.serving import (
    AUTHORIZATION,
    PASSWORD,
    USER,
    Agent,
    Answer,
    basic,
    run_command,
    serving,
    wait_for,
)

OTHER = "kafka-parallel-58135"
BODY = frame(METRICS) + frame(METRICS.replace(ADDON.encode(), OTHER.encode()))
CREDENTIALS = f"""
write:
  - {{user: {USER}, password: {PASSWORD}}}
  - {{user: tenant, password: of-one-cluster, addons: [{ADDON}]}}
read:
  - {{user: operator, password: of-all-clusters}}
  - {{user: prometheus, password: "0123", addons: [{OTHER}]}}
"""
OPERATOR = basic("operator", "of-all-clusters")
READER = basic("prometheus", "0123")
TENANT = basic("tenant", "of-one-cluster")
PROBLEMS = {
    "write: [": "credentials.yaml:1: invalid YAML",
    "write: *correct-horse": "credentials.yaml:1: invalid YAML",
    "write: !correct-horse x": "credentials.yaml:1: invalid YAML",
    "correct-horse: 1": "credentials.yaml:1: unknown key; expected write and read",
    "write: correct-horse": "credentials.yaml:1: write must be a list",
    "write:\n  - correct-horse": "credentials.yaml:1: expected a mapping with user,",
    "write:\n  - {user: a, pasword: correct-horse}": "credentials.yaml:2: expected a m",
    "write:\n  - {user: 'a:correct-horse'}": "credentials.yaml:2: user must be text wit",
    "write:\n  - {user: a, password: [correct-horse]}": "password must be text",
    "write:\n  - {user: a, addons: []}": "addons must be a list of at least one add-on",
    "write:\n  - {user: a, addons: [[correct-horse]]}": "addons must hold names of add-on",
    "read:\n  - {user: a}": "credentials.yaml has no write credentials: add one",
    "write: [{user: a, password: p}, {user: b, password: p, addons: [k]}]": (
        "two write credentials have the same password but different add-ons"
    ),
    "": "credentials.yaml: expected a mapping",
}


@dataclass
class Configured:
    """An agent with a folder of configuration files."""

    folder: Path
    agent: Agent
    log: list[str] = field(default_factory=list)

    def write(self, name: str, text: str) -> None:
        """Replace a file as a whole."""
        new = self.folder / f"{name}.new"
        new.write_text(text, encoding="utf-8")
        new.replace(self.folder / name)

    def reload(self) -> tuple[int, dict[str, list[str]]]:
        answer = self.agent.request("POST", "/-/reload")
        return answer.status, json.loads(answer.body)

    def get(self, path: str, who: dict[str, str]) -> Answer:
        return self.agent.request("GET", path, headers=who)

    def post(self, body: bytes, who: dict[str, str]) -> int:
        return self.agent.request("POST", "/logs", body, who).status

    def metrics(self) -> str:
        return self.get("/metrics", OPERATOR).body.decode()

    def hang_up(self) -> None:
        assert self.agent.process is not None
        os.kill(self.agent.process.pid, signal.SIGHUP)


@pytest.fixture
def configured(tmp_path: Path) -> Iterator[Configured]:
    (tmp_path / "credentials.yaml").write_text(CREDENTIALS, encoding="utf-8")
    (tmp_path / "plans.yaml").write_text(f"{OTHER}: standard-0\n", encoding="utf-8")
    (tmp_path / "thresholds.yaml").write_text("load: {warning: 0.7}", encoding="utf-8")
    options = [
        f"--{name}={tmp_path}/{file}.yaml"
        for name, file in (
            ("credentials-file", "credentials"),
            ("plans-file", "plans"),
            ("thresholds", "thresholds"),
        )
    ]
    with serving("--port", "0", *options) as agent:
        found = Configured(tmp_path, agent)
        assert agent.process is not None
        assert agent.process.stderr is not None
        lines = agent.process.stderr

        def read() -> None:
            found.log.extend(line.decode() for line in lines)

        reader = threading.Thread(target=read)
        reader.start()
        yield found
        agent.process.kill()
        reader.join()


def test_a_reload_replaces_credentials_plans_and_thresholds(
    configured: Configured,
) -> None:
    assert configured.post(frame(METRICS), basic("new", "secret")) == 401
    configured.write("credentials.yaml", "write: [{user: new, password: secret}]")
    configured.write("plans.yaml", f"{ADDON}: extended-1\n")
    configured.write("thresholds.yaml", "data: {watch: 0.37}")

    status, answer = configured.reload()

    assert status == 200
    names = ["credentials.yaml", "plans.yaml", "thresholds.yaml"]
    assert answer["files"] == [f"{configured.folder}/{name}" for name in names]
    new = basic("new", "secret")
    assert configured.post(frame(METRICS), dict(AUTHORIZATION)) == 401
    assert configured.post(frame(METRICS), new) == 204
    assert configured.get("/metrics", OPERATOR).status == 401
    text = configured.get("/metrics", new).body.decode()
    assert f'addon="{ADDON}",plan="extended-1"' in text
    assert f'addon="{OTHER}"' not in text
    size = f"=== KAFKA_URL\nAdd-on: {ADDON}\nData Size: 20 GB / 300 GB (6.67%)\n"
    assert configured.agent.request("POST", "/api/capacity", size.encode(), new).status
    assert 'low="0.37"' in configured.get("/", new).body.decode()


def test_sighup_reloads_and_says_so(configured: Configured) -> None:
    configured.write("credentials.yaml", "write: [{user: new, password: secret}]")

    configured.hang_up()

    wait_for(lambda: any("agent.reloaded" in line for line in configured.log))
    assert configured.post(frame(METRICS), basic("new", "secret")) == 204
    assert not any("secret" in line for line in configured.log)


def test_a_problem_in_one_file_keeps_all_of_the_old_configuration(
    configured: Configured,
) -> None:
    configured.write("credentials.yaml", "write: [{user: new, password: secret}]")
    configured.write("plans.yaml", "kafka-a: standard-9")
    configured.write("thresholds.yaml", "load: {wraning: 1}")

    status, answer = configured.reload()

    assert status == 500
    assert [problem.partition("; ")[0] for problem in answer["problems"]] == [
        f"--plans-file: {configured.folder}/plans.yaml:1: expected ADDON: PLAN",
        f"{configured.folder}/thresholds.yaml:1: unknown threshold load.wraning",
    ]
    assert configured.post(frame(METRICS), basic("new", "secret")) == 401
    assert configured.post(frame(METRICS), dict(AUTHORIZATION)) == 204
    wait_for(lambda: any("agent.reload_failed" in line for line in configured.log))


def test_the_outcome_of_the_last_reload_is_exported(configured: Configured) -> None:
    def outcome() -> tuple[str, str]:
        prefix = "heroku_kafka_agent_config_last_reload_success"
        return tuple(
            line.split()[1]
            for line in configured.metrics().splitlines()
            if line.startswith(prefix)
        )  # type: ignore[return-value] # two lines

    success, loaded_at = outcome()
    assert success == "1.0"
    assert float(loaded_at) > 1e9

    configured.write("plans.yaml", "[]")
    configured.reload()
    assert outcome() == ("0.0", loaded_at)

    configured.write("plans.yaml", f"{OTHER}: standard-0\n")
    configured.reload()
    success, later = outcome()
    assert success == "1.0"
    assert float(later) > float(loaded_at)


@pytest.mark.parametrize("text", PROBLEMS, ids=range(len(PROBLEMS)))
def test_a_problem_of_a_credentials_file_names_its_line_and_no_secret(
    tmp_path: Path, text: str
) -> None:
    file = tmp_path / "credentials.yaml"
    file.write_text(text, encoding="utf-8")

    done = run_command("serve", "--credentials-file", str(file))

    assert done.returncode == 2
    assert PROBLEMS[text] in done.stderr.decode()
    assert b"correct-horse" not in done.stderr


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    for option in ("--credentials-file", "--plans-file"):
        done = run_command("serve", option, str(tmp_path / "none.yaml"))

        assert done.returncode == 2
        assert f"{option}: {tmp_path}/none.yaml: No such file" in done.stderr.decode()


def test_a_reload_needs_write_credentials_for_all_add_ons(
    configured: Configured,
) -> None:
    def reload(who: dict[str, str]) -> int:
        return configured.agent.request("POST", "/-/reload", headers=who).status

    assert reload({}) == 401
    assert reload(OPERATOR) == 401
    assert reload(TENANT) == 403
    assert reload(dict(AUTHORIZATION)) == 200
    assert configured.agent.request("GET", "/-/reload").status == 405


def test_a_broken_file_under_load_drops_no_request(configured: Configured) -> None:
    configured.write("credentials.yaml", "write: [")
    statuses: list[int] = []
    stop = threading.Event()

    def post() -> None:
        with configured.agent.connect() as connection:
            while not stop.is_set():
                statuses.append(post_over(connection, BODY))

    workers = [threading.Thread(target=post) for _ in range(4)]
    for worker in workers:
        worker.start()
    reloads = [configured.reload()[0] for _ in range(200)]
    stop.set()
    for worker in workers:
        worker.join()

    assert reloads == [500] * 200
    assert len(statuses) >= 200
    assert set(statuses) == {204}


def post_over(connection: socket.socket, body: bytes) -> int:
    """Post over a kept connection, as Logplex does."""
    head = f"POST /logs HTTP/1.1\r\nAuthorization: {AUTHORIZATION['Authorization']}\r\n"
    connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        chunk = connection.recv(65536)
        assert chunk, "the connection was closed"
        answer += chunk
    return int(answer.split()[1])


def test_a_scoped_writer_brings_lines_of_its_add_ons_only(
    configured: Configured,
) -> None:
    log = LOG.replace(ADDON.encode(), OTHER.encode())
    assert configured.post(BODY + frame(log), TENANT) == 204

    text = configured.metrics()
    assert f'heroku_kafka_samples_total{{addon="{ADDON}",broker="2"}} 11.0' in text
    assert f'heroku_kafka_samples_total{{addon="{OTHER}",broker="2"}} 0.0' in text
    assert f'heroku_kafka_log_lines_total{{addon="{OTHER}"' not in text
    assert 'series_dropped_total{reason="addon_not_allowed"} 12.0' in text


def test_a_line_that_a_writer_may_not_bring_is_new_from_another(
    configured: Configured,
) -> None:
    configured.post(BODY, TENANT)
    configured.post(BODY, dict(AUTHORIZATION))

    text = configured.metrics()
    assert f'heroku_kafka_samples_total{{addon="{OTHER}",broker="2"}} 11.0' in text


def test_a_scoped_reader_sees_its_add_ons_only(configured: Configured) -> None:
    logs = frame(LOG) + frame(LOG.replace(ADDON.encode(), OTHER.encode()))
    configured.post(BODY + logs, dict(AUTHORIZATION))

    for path in ("/", "/metrics", "/api/clusters", "/api/events"):
        shown = configured.get(path, READER).body.decode()
        assert OTHER in shown, path
        assert ADDON not in shown, path
        assert ADDON in configured.get(path, OPERATOR).body.decode(), path
    events = json.loads(configured.get("/api/events", READER).body)
    assert events["remembered"] == len(events["events"]) == 1
    asked = configured.get(f"/api/events?cluster={ADDON}", READER)
    assert json.loads(asked.body)["events"] == []


def test_a_scoped_writer_posts_the_capacity_of_its_add_ons_only(
    configured: Configured,
) -> None:
    text = f"=== KAFKA_URL\nAdd-on: {OTHER}\nPlan: heroku-kafka:standard-0\n".encode()

    def post(who: dict[str, str]) -> int:
        return configured.agent.request("POST", "/api/capacity", text, who).status

    assert post(dict(AUTHORIZATION)) == 200
    assert post(TENANT) == 422


@dataclass(frozen=True)
class Authority:
    """A CA, and a server's files issued by it."""

    ca: trustme.CA
    certificate: Path
    key: Path

    def issue(self, *, key: bool = True) -> None:
        """Replace the server's files."""
        issued = self.ca.issue_cert("127.0.0.1")
        issued.cert_chain_pems[0].write_to_path(self.certificate)
        if key:
            issued.private_key_pem.write_to_path(self.key)

    def context(self, client: trustme.LeafCert | None = None) -> ssl.SSLContext:
        context = ssl.create_default_context()
        self.ca.configure_trust(context)
        if client is not None:
            client.configure_cert(context)
        return context

    @property
    def options(self) -> tuple[str, ...]:
        files = (f"--tls-certificate={self.certificate}", f"--tls-key={self.key}")
        return ("--port", "0", "--drain-credentials", f"{USER}:{PASSWORD}", *files)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    made = Authority(trustme.CA(), tmp_path / "cert.pem", tmp_path / "key.pem")
    made.issue()
    return made


def serial(agent: Agent, authority: Authority) -> str:
    """Return the serial number of the certificate that a new connection is shown."""
    with (
        agent.connect() as plain,
        authority.context().wrap_socket(plain, server_hostname="127.0.0.1") as secure,
    ):
        shown = secure.getpeercert()
        assert shown is not None
        return str(shown["serialNumber"])


def reload_tls(agent: Agent, authority: Authority) -> int:
    request = urllib.request.Request(
        f"{agent.url}/-/reload", b"", AUTHORIZATION, method="POST"
    )
    try:
        with urllib.request.urlopen(
            request, context=authority.context(), timeout=5
        ) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_a_new_certificate_is_used_and_open_connections_go_on(
    authority: Authority,
) -> None:
    with (
        serving(*authority.options) as agent,
        agent.connect() as plain,
        authority.context().wrap_socket(plain, server_hostname="127.0.0.1") as kept,
    ):
        assert post_over(kept, BODY) == 204
        old = serial(agent, authority)
        authority.issue()
        assert agent.process is not None
        os.kill(agent.process.pid, signal.SIGHUP)

        wait_for(lambda: serial(agent, authority) != old)
        assert post_over(kept, BODY) == 204


def test_changed_certificate_files_are_noticed(authority: Authority) -> None:
    def exports(success: float) -> bool:
        request = urllib.request.Request(f"{agent.url}/metrics", None, AUTHORIZATION)
        with urllib.request.urlopen(
            request, context=authority.context(), timeout=5
        ) as answer:
            text = answer.read().decode()
        name = "heroku_kafka_agent_config_last_reload_successful"
        return f"{name} {success}\n" in text

    with serving(*authority.options) as agent:
        old = serial(agent, authority)
        authority.issue(key=False)
        wait_for(lambda: exports(0.0))
        assert serial(agent, authority) == old

        authority.issue()
        wait_for(lambda: exports(1.0))
        assert serial(agent, authority) != old


def test_a_certificate_of_another_key_keeps_the_old_pair(authority: Authority) -> None:
    with serving(*authority.options) as agent:
        old = serial(agent, authority)
        authority.issue(key=False)

        assert reload_tls(agent, authority) == 500
        assert serial(agent, authority) == old
        authority.issue()
        assert reload_tls(agent, authority) == 200
        assert serial(agent, authority) != old


def test_clients_need_a_certificate_of_the_client_ca(
    authority: Authority, tmp_path: Path
) -> None:
    clients = trustme.CA()
    clients.cert_pem.write_to_path(tmp_path / "clients.pem")
    options = (*authority.options, f"--tls-client-ca={tmp_path / 'clients.pem'}")

    def check_health(client: trustme.LeafCert | None) -> int:
        with urllib.request.urlopen(
            f"{agent.url}/-/healthy", context=authority.context(client), timeout=5
        ) as answer:
            return int(answer.status)

    with serving(*options) as agent:
        assert check_health(clients.issue_cert("client")) == 200
        for wrong in (None, trustme.CA().issue_cert("client")):
            with pytest.raises((ConnectionError, urllib.error.URLError)):
                check_health(wrong)


def test_a_client_ca_is_checked(authority: Authority, tmp_path: Path) -> None:
    junk = tmp_path / "junk.pem"
    junk.write_text("junk", encoding="utf-8")

    def check(command: str, *options: str) -> subprocess.CompletedProcess[bytes]:
        return run_command(command, f"--tls-client-ca={junk}", *options)

    for command in ("serve", "check"):
        done = check(command, *authority.options)
        assert done.returncode == 2
        assert b"--tls-client-ca" in done.stderr
        assert b"PEM" in done.stderr
    alone = check("serve")
    assert alone.returncode == 2
    assert b"--tls-client-ca needs --tls-certificate and --tls-key" in alone.stderr
