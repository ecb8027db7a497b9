"""One Prometheus with eight days of history for all tests of the dashboards."""

import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboards.preview.bundle import install_packages
from dashboards.preview.prometheus import serve_history
from dashboards.preview.recording import SCRAPE_SECONDS, Points, record
from dashboards.preview.scenarios import HISTORIES
from tests.dashboards.history import RULES, History
from tests.serving import find_program

_LABEL = re.compile(r'(\w+)="')


@pytest.fixture(scope="session")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[History]:
    find_program("prometheus")
    find_program("promtool")
    end = int(time.time()) // SCRAPE_SECONDS * SCRAPE_SECONDS
    points = record(HISTORIES, end)
    series = frozenset(
        (one.partition("{")[0], frozenset(_LABEL.findall(one))) for one in points.series
    )
    folder = tmp_path_factory.mktemp("history")
    with serve_history(folder / "prometheus", points, end, RULES) as server:
        yield History(server, end, series)


@pytest.fixture(scope="session")
def emptiness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[History]:
    """A Prometheus that has never seen anything."""
    find_program("prometheus")
    folder = tmp_path_factory.mktemp("emptiness")
    end = int(time.time())
    with serve_history(folder / "prometheus", Points(), end) as server:
        yield History(server, end, frozenset())


@pytest.fixture(scope="session")
def packages(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch_session: pytest.MonkeyPatch
) -> Path:
    """The folder where the packages that Grafana publishes are installed."""
    find_program("node")
    find_program("npm")
    folder = tmp_path_factory.mktemp("packages")
    monkeypatch_session.setenv("npm_config_cache", str(folder / "cache"))
    try:
        install_packages(folder)
    except subprocess.SubprocessError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(str(error))
    return folder


@pytest.fixture(scope="session")
def monkeypatch_session() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch
