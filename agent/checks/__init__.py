"""Checks what a user has written, without starting anything.

A rule for Prometheus must name series that can exist: `exported` lists the agent's
metrics, `promql` finds the selectors of an expression, `series` compares the two, and
`rule_files` reads the files. Everything else about rules is left to promtool and pint.
"""

from agent.checks.certificates import check_certificate, check_client_ca
from agent.checks.exported import LABELS, exported_metrics
from agent.checks.problems import Problem
from agent.checks.promql import find_selectors
from agent.checks.rule_files import check_rule_files

__all__ = [
    "LABELS",
    "Problem",
    "check_certificate",
    "check_client_ca",
    "check_rule_files",
    "exported_metrics",
    "find_selectors",
]
