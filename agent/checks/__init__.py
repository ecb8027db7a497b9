"""Looks over what a user has written, without starting anything.

Rule files for Prometheus are held against what the agent exports: `exported` knows its
metrics, `promql` walks through expressions, `rule_files` judges.
"""

from agent.checks.exported import LABELS, exported_metrics
from agent.checks.problems import Problem
from agent.checks.promql import find_selectors
from agent.checks.rule_files import check_rule_files

__all__ = [
    "LABELS",
    "Problem",
    "check_rule_files",
    "exported_metrics",
    "find_selectors",
]
