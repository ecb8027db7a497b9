"""A synthetic cluster that writes what Heroku writes; it stands in for a real one.

`scenarios` says what happens to it, `cluster` turns that into lines, `bystanders` puts
the app's own lines around them, and `logplex` carries them to a drain as Logplex would.
Everything random comes from one seed.
"""

from agent.simulator.cluster import Cluster, Line, simulate
from agent.simulator.logplex import (
    Delivery,
    DrainUnreachableError,
    Logplex,
    frame_line,
    tail_line,
)
from agent.simulator.scenarios import SCENARIOS, Scenario

__all__ = [
    "SCENARIOS",
    "Cluster",
    "Delivery",
    "DrainUnreachableError",
    "Line",
    "Logplex",
    "Scenario",
    "frame_line",
    "simulate",
    "tail_line",
]
