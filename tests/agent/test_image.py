"""The Dockerfile's steps, in its order, below a folder: there is no Docker at hand."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pip
import pytest
import yaml

from tests.deployed import CREDENTIALS, copy_sources, is_healthy, read
from tests.frames import FULL2, frame
from tests.serving import (
    PASSWORD,
    TIMEOUT_SECONDS,
    USER,
    Agent,
    find_program,
    free_port,
    run_command,
    wait_for,
)


def python_of_the_image(root: Path) -> dict[str, str]:
    """Write a ``python`` with pip that the image's user may run; say where it is."""
    mine = Path(sys.executable).resolve()
    is_open = all(folder.stat().st_mode & 0o001 for folder in mine.parents)
    chosen = mine if is_open or os.geteuid() else Path("/usr/bin/python3")
    tools = root / "usr" / "tools"
    if not tools.exists():
        tools.mkdir(parents=True)
        (tools / "python").write_text(f'#!/bin/sh\nexec {chosen} "$@"\n')
        (tools / "python").chmod(0o755)
        (tools / "pip").symlink_to(Path(pip.__file__).parent)
    return {"PATH": f"{tools}:{os.environ['PATH']}", "PYTHONPATH": str(tools)}


@dataclass
class Image:
    """What the Dockerfile's instructions leave, below a folder instead of ``/``."""

    root: Path
    folder: Path = field(init=False)
    settings: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder = self.root

    def inside(self, text: str) -> str:
        return text.replace("/opt/agent", f"{self.root}/opt/agent")

    def execute(self, name: str, rest: str) -> None:
        match name, rest.split():
            case "FROM", _:
                self.folder = self.root
            case "WORKDIR", [path]:
                self.folder = self.root / path.removeprefix("/")
                self.folder.mkdir(parents=True)
            case "COPY", ["--from=build", source, target]:
                assert source == target  # one tree serves both stages
            case "COPY", [*sources, "./"]:
                copy_sources(self.folder, *sources)
            case "COPY", [source, target]:
                assert target == f"{source}/"
                copy_sources(self.folder, source)
            case "RUN", _:
                command = ["/bin/sh", "-c", self.inside(rest)]
                environ = {**os.environ, **python_of_the_image(self.root)}
                subprocess.run(command, cwd=self.folder, env=environ, check=True)
            case _:
                self.settings[name] = rest

    def start(
        self, command: list[str], port: int = 9841, stdout: int | None = None
    ) -> subprocess.Popen[bytes]:
        """Run `command` as the image's user, where this process may choose one."""
        name, _, path = self.settings["ENV"].partition("=")
        assert name == "PATH"
        user, group = map(int, self.settings["USER"].split(":"))
        may_choose = os.geteuid() == 0
        return subprocess.Popen(
            command,
            cwd="/",
            env={
                "PATH": self.inside(path).replace("$PATH", "/usr/bin:/bin"),
                "HEROKU_KAFKA_AGENT_PORT": str(port),
                CREDENTIALS: f"{USER}:{PASSWORD}",
            },
            user=user if may_choose else None,
            group=group if may_choose else None,
            extra_groups=() if may_choose else None,
            stdout=stdout,
            stderr=subprocess.PIPE,
        )


def read_dockerfile() -> list[tuple[str, str]]:
    lines = [
        line for line in read("Dockerfile").splitlines() if not line.startswith("#")
    ]
    joined = "\n".join(lines).replace("\\\n", " ")
    words = (line.partition(" ") for line in joined.splitlines() if line)
    return [(name, rest.strip()) for name, _, rest in words]


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    with tempfile.TemporaryDirectory(prefix="image-") as folder:
        Path(folder).chmod(0o755)  # the image's user is another one
        built = Image(Path(folder))
        for name, rest in read_dockerfile():
            built.execute(name, rest)
        yield built


@pytest.mark.slow
def test_the_image_starts_as_its_user_turns_healthy_and_stops(image: Image) -> None:
    port = free_port()
    command = [
        *json.loads(image.settings["ENTRYPOINT"]),
        *json.loads(image.settings["CMD"]),
    ]
    check = json.loads(image.settings["HEALTHCHECK"].partition(" CMD ")[2])

    def is_well() -> bool:
        asked = image.start(check, port)
        asked.communicate(timeout=TIMEOUT_SECONDS)
        return asked.returncode == 0

    assert not is_well()
    process = image.start(command, port)
    try:
        agent = Agent(f"http://127.0.0.1:{port}", process=process)
        wait_for(lambda: is_healthy(agent), TIMEOUT_SECONDS)
        assert is_well()
        assert agent.post(frame(FULL2)).status == 204
        assert agent.request("GET", "/", headers={}).status == 401
        assert agent.request("GET", "/").status == 200  # templates came along
        process.send_signal(signal.Signals[image.settings["STOPSIGNAL"]])
        assert process.wait(TIMEOUT_SECONDS) == 0
    finally:
        process.kill()
        process.communicate()


@pytest.mark.slow
def test_the_image_has_the_rules_and_the_dashboards(image: Image) -> None:
    def answer(*command: str) -> str:
        asked = image.start(["heroku-kafka-agent", *command], stdout=subprocess.PIPE)
        out, err = asked.communicate(timeout=TIMEOUT_SECONDS)
        assert asked.returncode == 0, err
        return out.decode()

    assert answer("alerts") == read("alerts/heroku-kafka.rules.yml")
    assert answer("dashboards") == run_command("dashboards").stdout.decode()


@pytest.mark.slow
def test_the_image_runs_the_compiled_parsers(image: Image) -> None:
    find_program("cc")
    asked = image.start(["heroku-kafka-agent", "--version"], stdout=subprocess.PIPE)
    out, err = asked.communicate(timeout=TIMEOUT_SECONDS)

    assert asked.returncode == 0, err
    assert out.decode().endswith(" (compiled)\n")


@pytest.mark.slow
def test_nothing_of_the_image_is_the_users_to_write(image: Image) -> None:
    below = [path for path in image.root.rglob("*") if not path.is_symlink()]

    assert below
    assert not [path for path in below if path.stat().st_mode & 0o022]
    assert not image.settings["USER"].startswith(("0", "root"))


def test_the_image_exposes_the_port_that_serve_listens_on() -> None:
    settings = dict(read_dockerfile())

    assert settings["EXPOSE"] == "9841"
    assert "9841" in settings["HEALTHCHECK"]
    assert "9841" in run_command("serve", "--help").stdout.decode()


def test_docker_is_sent_what_the_dockerfile_copies_and_nothing_else() -> None:
    copied = {
        source
        for name, rest in read_dockerfile()
        if name == "COPY" and not rest.startswith("--from")
        for source in rest.split()[:-1]
    }
    lines = read(".dockerignore").splitlines()

    assert "*" in lines
    assert {line[1:] for line in lines if line.startswith("!")} == copied


def test_the_agent_takes_the_commands_of_compose() -> None:
    services = yaml.safe_load(read("dashboards/compose.yaml"))["services"]
    serve, *settings = services["agent"]["command"]
    simulate, drain, *story = services["cluster"]["command"]

    assert (serve, simulate) == ("serve", "simulate")
    assert drain == "--drain=http://agent:9841/logs"
    for command in (
        ("check", *settings),
        ("simulate", *story, "--speed=max", "--duration=1m"),
    ):
        done = run_command(*command)
        assert done.returncode == 0, done.stderr
