"""The history that the dashboards are tested with: who is in it, and where it ends."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from dashboards.preview.dashboard import View, open_dashboard
from dashboards.preview.prometheus import Prometheus
from dashboards.preview.scenarios import EXTENDED, STANDARD

ROOT = Path(__file__).parents[2]
RULES = ROOT / "alerts" / "heroku-kafka.rules.yml"
FILES = sorted(path.stem for path in (ROOT / "dashboards").glob("*.json"))
CLUSTERS = (STANDARD, EXTENDED)


@cache
def load(name: str) -> dict[str, Any]:
    path = ROOT / "dashboards" / f"{name}.json"
    dashboard: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return dashboard


@dataclass(frozen=True)
class History:
    server: Prometheus
    end: int
    series: frozenset[tuple[str, frozenset[str]]]
    """Names and label names of all series that the agent has exported."""

    def look(self, name: str, addon: str) -> View:
        """Open a dashboard with a cluster chosen."""
        return open_dashboard(load(name), self.server, self.end, {"addon": [addon]})
