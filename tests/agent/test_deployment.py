"""What users deploy: Heroku's files, systemd's unit, the drain's command.

A Heroku account is not at hand, so what it would do is done here in its order: install
with the same command, start the same command with nothing but the environment it gives,
and ask it over the same routes.
"""

import base64
import json
import os
import re
import secrets
import shlex
import signal
import subprocess
import sys
import tomllib
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.deployed import CREDENTIALS, ROOT, copy_sources, is_healthy, read
from tests.frames import FULL2, frame
from tests.serving import (
    TIMEOUT_SECONDS,
    Agent,
    find_program,
    free_port,
    run_command,
    serving,
    wait_for,
)

PLACEHOLDER = "your-agent.example.com"


def basic(user: str, password: str = "") -> dict[str, str]:
    """As Logplex writes it for ``https://user:password@`` and ``https://user@``.

    heroku/logplex, ``cowboy_client:auth_header/1``: a user alone has an empty password.
    """
    encoded = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"Authorization": f"Basic {encoded}"}


# Heroku: the files


def test_app_json_has_the_keys_and_types_of_its_schema() -> None:
    # https://devcenter.heroku.com/articles/app-json-schema, and as JSON Schema in
    # heroku/heroku-mcp-server, src/utils/app-json.schema.json
    app = json.loads(read("app.json"))

    assert set(app) <= {
        *("name", "description", "keywords", "website", "repository", "logo"),
        *("success_url", "scripts", "env", "formation", "image", "addons"),
        *("buildpacks", "environments", "stack"),
    }
    assert re.fullmatch(r"[a-zA-Z._-]{3,30}", app["name"])
    # The limit is that of the app.json package, lib/schema.js.
    assert len(app["description"]) <= 140
    assert all(isinstance(word, str) for word in app["keywords"])
    assert app["success_url"].startswith("/")
    assert app["buildpacks"] == [{"url": "heroku/python"}]
    assert app["formation"] == {"web": {"quantity": 1, "size": "basic"}}
    assert re.fullmatch(r"heroku-\d\d", app["stack"])
    for name, variable in app["env"].items():
        assert re.fullmatch(r"[A-Z][A-Z0-9_]*", name)
        assert set(variable) <= {"description", "value", "required", "generator"}
        assert variable.get("generator", "secret") == "secret"


def test_app_json_asks_for_variables_that_serve_knows() -> None:
    shown = run_command("serve", "--help").stdout.decode()

    for name in json.loads(read("app.json"))["env"]:
        assert re.search(rf"\b{name}\b", shown)


def test_the_buildpack_finds_one_package_manager_and_a_version_it_supports() -> None:
    # heroku/heroku-buildpack-python: lib/package_manager.sh takes the first of several
    # and warns; lib/python_version.sh reads one version, N.N for the newest of it.
    files = ("requirements.txt", "Pipfile.lock", "poetry.lock", "uv.lock")
    version = read(".python-version").strip()

    assert [name for name in files if (ROOT / name).exists()] == ["requirements.txt"]
    assert not (ROOT / "runtime.txt").exists()
    assert f"Python :: {version}" in read("pyproject.toml")
    assert f"FROM python:{version}-slim" in read("Dockerfile")


def test_the_runtime_requirements_are_the_locked_ones() -> None:
    # Name to version and hashes; a marker may differ, as fewer packages ask for it.
    def entries(name: str) -> dict[str, list[str]]:
        blocks = re.split(r"\n(?=[a-z])", read(name))
        parts = re.compile(r"(?<===)[^\s]+|sha256:[0-9a-f]{64}")
        return {
            found[1]: parts.findall(block)
            for block in blocks
            if (found := re.match(r"([\w.-]+)==", block))
        }

    runtime, locked = entries("requirements.txt"), entries("requirements.lock")
    project = tomllib.loads(read("pyproject.toml"))["project"]
    wanted = {re.split(r"[^\w.-]", one)[0] for one in project["dependencies"]}

    assert wanted <= set(runtime)
    for name, pinned in runtime.items():
        assert pinned == locked[name], "run: make lock"
        assert len(pinned) > 1, f"{name} has no hash"
    assert "://" not in read("requirements.txt")
    assert not {"pytest", "mypy", "ruff", "uv"} & set(runtime)


# Heroku: the app


@dataclass(frozen=True)
class HerokuApp:
    """What the platform makes of a push."""

    agent: Agent
    secret: str
    first_lines: list[dict[str, str]]


@pytest.fixture(scope="module")
def heroku_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HerokuApp]:
    home = tmp_path_factory.mktemp("app")
    sources = ("agent", "parsers", "alerts", "bin", "build_speedups.py")
    copy_sources(home, *sources, "requirements.txt", "Procfile", "app.json")
    prefix = home / ".heroku" / "python"
    make = [sys.executable, "-m", "venv", "--without-pip", str(prefix)]
    subprocess.run(make, check=True)
    # lib/pip.sh of the buildpack
    install = "install -r requirements.txt --no-input --progress-bar off --quiet"
    start = [sys.executable, "-m", "pip", "--python", str(prefix / "bin" / "python")]
    subprocess.run([*start, *install.split()], check=True, cwd=home)
    # bin/steps/hooks/post_compile
    environ = {"PATH": f"{prefix / 'bin'}:/usr/bin:/bin"}
    subprocess.run(["bin/post_compile"], check=True, cwd=home, env=environ)

    secret = secrets.token_hex(32)
    generated = dict.fromkeys(json.loads(read("app.json"))["env"], secret)
    name, _, command = read("Procfile").strip().partition(": ")
    assert name == "web"
    port = free_port()
    process = subprocess.Popen(
        ["bash", "-c", command],
        cwd=home,
        env={
            **environ,
            "HOME": str(home),
            "PYTHONPATH": str(home),  # bin/compile of the buildpack sets it
            "DYNO": "web.1",
            "PORT": str(port),
            **generated,
        },
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        agent = Agent(f"http://127.0.0.1:{port}", process=process)
        wait_for(lambda: is_healthy(agent), TIMEOUT_SECONDS)
        assert process.stderr is not None
        lines = [json.loads(process.stderr.readline()) for _ in range(2)]
        yield HerokuApp(agent, secret, lines)
        os.killpg(process.pid, signal.SIGTERM)
        assert process.wait(TIMEOUT_SECONDS) == 0
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@pytest.mark.slow
def test_the_procfile_serves_all_interfaces_on_the_port_of_heroku(
    heroku_app: HerokuApp,
) -> None:
    listening = heroku_app.first_lines[0]

    assert listening["event"] == "agent.listening"
    assert listening["url"].startswith("http://0.0.0.0:")


@pytest.mark.slow
def test_the_post_compile_hook_builds_the_extension(heroku_app: HerokuApp) -> None:
    find_program("cc")

    assert heroku_app.first_lines[0]["parsers"] == "compiled"


@pytest.mark.slow
def test_the_generated_secret_alone_is_the_user_of_the_drain(
    heroku_app: HerokuApp,
) -> None:
    agent, token = heroku_app.agent, basic(heroku_app.secret)

    assert agent.request("POST", "/logs", frame(FULL2), token).status == 204
    assert agent.request("POST", "/logs", frame(FULL2), {}).status == 401
    wrong = basic(heroku_app.secret[:-1])
    assert agent.request("POST", "/logs", frame(FULL2), wrong).status == 401
    assert b"heroku_kafka_load" in agent.request("GET", "/metrics", None, token).body
    assert agent.request("GET", "/metrics", headers={}).status == 401


@pytest.mark.slow
def test_the_page_behind_success_url_opens_with_the_secret(
    heroku_app: HerokuApp,
) -> None:
    path = json.loads(read("app.json"))["success_url"]
    token = basic(heroku_app.secret)

    assert heroku_app.agent.request("GET", path, headers=token).status == 200


@pytest.mark.slow
def test_the_generated_secret_does_not_reach_the_log(heroku_app: HerokuApp) -> None:
    assert heroku_app.first_lines[1]["event"] == "agent.drain_command"
    assert heroku_app.secret not in json.dumps(heroku_app.first_lines)


@pytest.mark.slow
def test_a_real_prometheus_scrapes_with_the_secret_as_user_alone(
    tmp_path: Path,
) -> None:
    program = find_program("prometheus")
    token, config = secrets.token_hex(32), tmp_path / "prometheus.yml"
    address = f"127.0.0.1:{free_port()}"
    with serving("--port", "0", environ={CREDENTIALS: token}) as agent:
        target = urllib.parse.urlsplit(agent.url).netloc
        config.write_text(
            "global: {scrape_interval: 1s}\n"
            "scrape_configs:\n"
            "  - job_name: heroku-kafka-agent\n"
            f"    basic_auth: {{username: {token}}}\n"
            f'    static_configs: [{{targets: ["{target}"]}}]\n'
        )
        process = subprocess.Popen(
            [
                program,
                f"--config.file={config}",
                f"--storage.tsdb.path={tmp_path / 'data'}",
                f"--web.listen-address={address}",
                "--log.level=error",
            ]
        )

        def is_up() -> bool:
            url = f"http://{address}/api/v1/query?query=up%3D%3D1"
            try:
                with urllib.request.urlopen(url, timeout=5) as answer:
                    return bool(json.load(answer)["data"]["result"])
            except OSError:
                return False

        try:
            wait_for(is_up)
        finally:
            process.terminate()
            process.wait(20)


# systemd


def test_systemd_accepts_the_unit_of_the_readme(tmp_path: Path) -> None:
    analyze = find_program("systemd-analyze")
    marked = read("README.md").partition("<!-- systemd -->")[2]
    found = re.search(r"```ini\n(.*?)```\n<!-- /systemd -->", marked, re.DOTALL)
    assert found, "README.md has no ```ini block between the systemd markers yet"
    started = re.search(r"^ExecStart=(\S+) (.+)$", found[1], re.MULTILINE)
    assert started, "the unit starts nothing"
    assert re.fullmatch(r"/\S+/bin/heroku-kafka-agent", started[1])
    # The program of the example is not installed here; verify wants one that is.
    unit = tmp_path / "heroku-kafka-agent.service"
    unit.write_text(found[1].replace(started[1], sys.executable))

    done = subprocess.run(
        [analyze, "verify", "--man=no", unit], capture_output=True, check=False
    )

    # What it does not understand it only mentions.
    assert (done.returncode, done.stdout, done.stderr.decode()) == (0, b"", "")
    assert shlex.split(started[2])[0] == "serve"
    for line in ("DynamicUser=yes", "EnvironmentFile=", "Restart=", "ProtectSystem="):
        assert line in found[1]


# The drains:add command


def logged_command(*arguments: str, environ: Mapping[str, str] | None = None) -> str:
    with serving("--port", "0", *arguments, environ=environ) as agent:
        assert agent.process is not None
        assert agent.process.stderr is not None
        line = json.loads(agent.process.stderr.readline())
    assert line["event"] == "agent.drain_command"
    command = line["command"]
    assert isinstance(command, str)
    start, _, url = command.removesuffix(" -a YOUR-APP").rpartition(" ")
    assert start == "heroku drains:add"
    return url


@pytest.mark.parametrize(
    ("credentials", "masked", "shown"),
    [
        ("drain:pass-word", "drain:****@", "drain:pass-word@"),
        ("bare-token", "****@", "bare-token@"),
        ("drain:a/b c", "drain:****@", "drain:a%2Fb%20c@"),
        ("drain:new,drain:old", "drain:****@", "drain:new@"),
    ],
)
def test_the_drain_command_has_stars_unless_secrets_are_asked_for(
    credentials: str, masked: str, shown: str
) -> None:
    environ = {CREDENTIALS: credentials}

    assert logged_command(environ=environ) == f"https://{masked}{PLACEHOLDER}/logs"
    assert (
        logged_command("--show-secrets", environ=environ)
        == f"https://{shown}{PLACEHOLDER}/logs"
    )


@pytest.mark.parametrize(
    ("arguments", "domain", "expected"),
    [
        ((), None, f"https://{PLACEHOLDER}/logs"),
        ((), "a-1.herokuapp.com", "https://a-1.herokuapp.com/logs"),
        (("--public-url", "https://b.example/"), None, "https://b.example/logs"),
        (("--public-url", "http://[::1]:80/x"), None, "http://[::1]:80/x/logs"),
        (("--public-url", "https://b.example"), "a-1", "https://b.example/logs"),
    ],
)
def test_the_drain_command_has_the_address_that_is_known(
    arguments: tuple[str, ...], domain: str | None, expected: str
) -> None:
    environ = {"HEROKU_APP_DEFAULT_DOMAIN_NAME": domain} if domain else {}

    assert logged_command(*arguments, environ=environ) == expected


@pytest.mark.parametrize(
    "url",
    [
        "agent.example.com",
        "https://user:s3cret@agent.example.com",
        "https://agent.example.com/?key=s3cret",
        "https://agent.example.com;s3cret",
        "ftp://agent.example.com/s3cret",
    ],
)
def test_a_public_url_that_is_no_plain_address_is_refused_and_not_repeated(
    url: str,
) -> None:
    done = run_command("serve", "--port", "0", "--public-url", url)

    assert done.returncode == 2
    assert b"--public-url must be written https://" in done.stderr
    assert b"s3cret" not in done.stderr
