"""The Grafana dashboards that come with the agent: read, fitted, written, uploaded."""

from agent.dashboards.address import check_address
from agent.dashboards.client import (
    TIMEOUT_SECONDS,
    Grafana,
    GrafanaError,
)
from agent.dashboards.files import (
    Dashboard,
    DashboardsError,
    count_panels,
    read_dashboards,
)
from agent.dashboards.steps import apply_thresholds
from agent.dashboards.uids import prefix_uids
from agent.dashboards.uploader import Plan, Result, upload
from agent.dashboards.writer import FileChange, check_folder_name, write_dashboards

__all__ = [
    "TIMEOUT_SECONDS",
    "Dashboard",
    "DashboardsError",
    "FileChange",
    "Grafana",
    "GrafanaError",
    "Plan",
    "Result",
    "apply_thresholds",
    "check_address",
    "check_folder_name",
    "count_panels",
    "prefix_uids",
    "read_dashboards",
    "upload",
    "write_dashboards",
]
