"""The repository's files as a deployment takes them."""

import shutil
from pathlib import Path

import pytest

from tests.serving import Agent

ROOT = Path(__file__).parents[1]
CREDENTIALS = "HEROKU_KAFKA_AGENT_DRAIN_CREDENTIALS"


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def is_healthy(agent: Agent) -> bool:
    """Ask; an agent that has ended will not answer, and has said why."""
    process = agent.process
    if process is not None and process.poll() is not None:
        pytest.fail(process.communicate()[1].decode())
    try:
        return agent.request("GET", "/-/healthy", headers={}).status == 200
    except OSError:
        return False


def copy_sources(folder: Path, *names: str) -> None:
    for name in names:
        source, target = ROOT / name, folder / name
        if source.is_dir():
            ignore = shutil.ignore_patterns("__pycache__", "*.so")
            shutil.copytree(source, target, ignore=ignore)
        else:
            shutil.copy(source, target)
