"""Looks over what a user has written, without starting anything.

Rule files for Prometheus are held against what the agent exports: `exported` knows its
metrics, `promql` walks through expressions, `labels` derives what their results have,
`expressions` and `rule_files` judge. The checks are those that pint (cloudflare/pint)
makes without a server, as far as they are about our metrics.
"""

from agent.checks.certificates import check_certificate
from agent.checks.exported import LABELS, exported_metrics
from agent.checks.problems import Problem
from agent.checks.promql import find_selectors
from agent.checks.rule_files import check_rule_files

__all__ = [
    "LABELS",
    "Problem",
    "check_certificate",
    "check_rule_files",
    "exported_metrics",
    "find_selectors",
]
