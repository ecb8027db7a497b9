"""What is derived of an expression's labels is what Debian's Prometheus answers with."""

import subprocess
from pathlib import Path

import pytest
import yaml

from agent.checks.labels import ANY, Labels, derive_labels
from tests.serving import find_program

SERIES = {"a": {"x", "y"}, "b": {"x", "z"}, "c": {"x"}}
"""Each label has its own name as its value."""

EXPRESSIONS = [
    "a > 0",
    "2 * a",
    "-a",
    "a > bool 0",
    "a >= on (x) b",
    "a + on (x) b",
    "a - ignoring (y, z) b",
    "a * on (x) group_left (z) b",
    "a * on (x) group_left b",
    "b * on (x) group_right (z) a",
    "a and on (x) b",
    "a unless on (y) b",
    "a or on () b",
    "sum(a)",
    "sum by (x) (a)",
    "sum without (x) (a)",
    "topk(1, a)",
    "topk by (x) (1, a)",
    'count_values("v", a) by (x)',
    'absent(d{x="x",y=~"y"})',
    "absent(sum(d))",
    'label_replace(a, "v", "v", "", "")',
    'label_join(a, "v", "-", "none")',
    "vector(1)",
    "time() - a",
    "predict_linear(a[5m], 60)",
    "quantile_over_time(0.5, a[5m])",
    "max_over_time(sum by (y) (a)[5m:1m])",
    "clamp_max(a, 3)",
    "sum by (x) (a) / on () group_left (z) b",
    "scalar(c) * a",
]
NOT_FOUND = {'label_join(a, "v", "-", "none")': "v", "a or on () b": "z"}
"""What may be there and is not in these series."""


def labels_of(name: str) -> Labels:
    return Labels(frozenset(SERIES[name])) if name in SERIES else ANY


@pytest.mark.slow
def test_the_labels_are_those_that_prometheus_answers_with(tmp_path: Path) -> None:
    rules, checks = [], []
    for number, expression in enumerate(EXPRESSIONS):
        rules.append({"alert": f"A{number}", "expr": expression})
        known = derive_labels(expression, labels_of).labels.known
        labels = known - {NOT_FOUND.get(expression)}
        values = {
            one: "5" if "count_values" in expression and one == "v" else one
            for one in labels
        }
        checks.append(
            {
                "eval_time": "5m",
                "alertname": f"A{number}",
                "exp_alerts": [{"exp_labels": values}],
            }
        )
    inputs = [
        {
            "series": name + "{" + ",".join(f'{one}="{one}"' for one in labels) + "}",
            "values": "5x10",
        }
        for name, labels in SERIES.items()
    ]
    (tmp_path / "rules.yml").write_text(
        yaml.safe_dump({"groups": [{"name": "a", "rules": rules}]})
    )
    test = {"interval": "1m", "input_series": inputs, "alert_rule_test": checks}
    (tmp_path / "test.yml").write_text(
        yaml.safe_dump({"rule_files": ["rules.yml"], "tests": [test]})
    )
    done = subprocess.run(
        [find_program("promtool"), "test", "rules", tmp_path / "test.yml"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "expression",
    ["d", "d * 2", "sum without (x) (d)", "rate(d[5m])", '{__name__=~"d.*"}', "a or d"],
)
def test_of_what_is_not_known_anything_may_be_there(expression: str) -> None:
    labels = derive_labels(expression, labels_of).labels

    assert all(map(labels.may_have, ("addon", "node", "pod")))


@pytest.mark.parametrize(
    ("expression", "fault"),
    [
        ("sum by (z) (a)", "sum by (z): what it aggregates has no label z"),
        ("a > on (y) b", "> on (y): the right side has no label y"),
        ("a and on (z) b", "and on (z): the left side has no label z"),
        (
            "a * on (x) group_left (y) b",
            "group_left (y): the right side has no label y",
        ),
        (
            "b * on (x) group_right (z) a",
            None,
        ),
        ("c > sum by (x, y) (a)", "> never matches: only the right side has y; say "),
        ("sum(a) > c", "> never matches: only the right side has x"),
        ("a and b", "and never matches: only the left side has y, z"),
        ("a or b", None),
        ("c + ignoring (y) a", None),
        ("d > on (y) a", None),
        ("c > d", None),
    ],
)
def test_labels_that_cannot_be_there_are_faults(
    expression: str, fault: str | None
) -> None:
    faults = derive_labels(expression, labels_of).faults

    assert [one[: len(fault or "")] for one in faults] == ([fault] if fault else [])
