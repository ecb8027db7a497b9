"""Builds the dashboards from ``dashboards/definitions/``.

grafana-dashboard-builder reads the definitions: its parser, its registry of components,
its projects. The panels it would write are those of a Grafana of 2016, so components of
our own (`components`) write today's, through Grafana's Foundation SDK.

Whatever is not understood fails the build. Neither package is needed by the agent.
"""

from dashboards.builder.assembly import build, write
from dashboards.builder.errors import BuildError

__all__ = ["BuildError", "build", "write"]
