"""Rule files: what `check` reports in them, and what it leaves alone."""

import threading
from pathlib import Path

import pytest

from agent.checks import check_rule_files, find_selectors


def judged(tmp_path: Path, rule: str) -> list[str]:
    """Check a file with one rule; return the problems without their place."""
    file = tmp_path / "rules.yml"
    file.write_text(f"groups:\n- name: mine\n  rules:\n  - {rule}\n")
    problems, _count = check_rule_files([file])
    return [
        f"{'warning' if one.is_warning else 'error'}: {one.what}" for one in problems
    ]


STRUCTURE = [
    ("{alert: A, record: b, expr: up}", "must have either 'alert' or 'record'"),
    ("{expr: up}", "must have either 'alert' or 'record'"),
    ("{alert: A}", "has no expr"),
    ("{alert: A, expr: ''}", "has no expr"),
    ("{alert: A, expr: [up]}", "has no expr"),
    ("{alert: A, exrp: up == 0}", "unknown key 'exrp'; did you mean expr?"),
    ("{record: a, expr: up, for: 5m}", "unknown key 'for'"),
    ("{alert: A, expr: up ==}", "invalid expr: "),
    ("3", "must be a mapping"),
]
METRICS = [
    (
        "heroku_kafka_load_avg_5",
        "unknown metric heroku_kafka_load_avg_5; did you mean heroku_kafka_load_avg_5m?",
    ),
    ('{__name__="heroku_kafka_load_avg_5"}', "unknown metric"),
    ("heroku_kafka_agent_queue_depth", "unknown metric heroku_kafka_agent_queue_depth"),
    (
        'rate(heroku_kafka_log_lines_total{broker="1"}[5m])',
        "has no label broker; it has addon, level, node",
    ),
    (
        'rate(heroku_kafka_log_lines_total{level="WARNING"}[5m])',
        (
            "level='WARNING' of heroku_kafka_log_lines_total cannot exist; it is one of "
            "ERROR, FATAL, WARN"
        ),
    ),
    ('rate(heroku_kafka_log_lines_total{level=~"WARN|INFO"}[5m])', "level='INFO' of"),
    ('rate(heroku_kafka_log_lines_total{level=~"warn.*"}[5m])', "level='warn.*' of"),
    ('rate(heroku_kafka_log_events_total{urgency="page"}[5m])', "urgency='page' of"),
    ('rate(heroku_kafka_log_events_total{category="disk"}[5m])', "category='disk' of"),
    ('rate(heroku_kafka_agent_frames_total{kind="log"}[5m])', "kind='log' of"),
    (
        'rate(heroku_kafka_agent_drain_dropped_messages_total{code="L11"}[5m])',
        "it is one of L10, L12, L13",
    ),
    (
        'rate(heroku_kafka_agent_collector_requests_total{outcome="error"}[5m])',
        "outcome='error' of",
    ),
]
RECORDED = [
    (f"{{record: a, expr: '{expression}'}}", problem) for expression, problem in METRICS
]


@pytest.mark.parametrize(("rule", "problem"), STRUCTURE + RECORDED)
def test_a_wrong_rule_is_an_error(rule: str, problem: str, tmp_path: Path) -> None:
    found = judged(tmp_path, rule)

    assert [one for one in found if one.startswith("error: ") and problem in one], found


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("heroku_kafka_queue_depth", "only if the brokers log"),
        (
            'rate(heroku_kafka_log_lines_total{level!="INFO"}[5m])',
            "level='INFO' of heroku_kafka_log_lines_total cannot exist",
        ),
        (
            "addon:heroku_kafka_data_use:ratio",
            "; did you mean addon:heroku_kafka_data_used:ratio?",
        ),
    ],
)
def test_what_may_be_intended_is_a_warning(
    expression: str, problem: str, tmp_path: Path
) -> None:
    (found,) = judged(tmp_path, f"{{record: a, expr: '{expression}'}}")

    assert found.startswith("warning: ")
    assert problem in found


@pytest.mark.parametrize(
    "expression",
    [
        "sum(rate(http_requests_total[5m]))",
        "sum by (broker) (rate(http_requests_total[5m]))",
        "http_requests_total > 3",
        'heroku_kafka_load_avg_5m{env="prod"}',
        "max by (env, broker) (heroku_kafka_load_avg_5m)",
        "addon_broker:heroku_kafka_load_avg_5m:max > 1",
        "kafka:heroku_kafka_of_my_own:max > 1",
        'rate(heroku_kafka_log_lines_total{level=~"W.*"}[5m])',
        'rate(heroku_kafka_log_lines_total{level=~"WARN|ERROR",level!=""}[5m])',
        "count by (node) (heroku_kafka_log_lines_total)",
        "heroku_kafka_load_avg_5m and on (addon) heroku_kafka_log_lines_total",
        "heroku_kafka_cluster_load_avg_5m",
        (
            "histogram_quantile(0.9, sum by (le) "
            "(rate(heroku_kafka_agent_line_delay_seconds_bucket[5m])))"
        ),
        'sum by (node) (label_replace(heroku_kafka_read_iops, "node", "$1", "broker", ""))',
        "heroku_kafka_load_avg_5m * on (addon) group_left (plan) heroku_kafka_plan_info",
        "sum by (addon) (heroku_kafka_read_iops) > on (addon) my_limits",
        "sum by (addon) (heroku_kafka_read_iops) or sum by (broker) (heroku_kafka_read_iops)",
    ],
)
def test_series_that_can_exist_and_those_of_others_are_accepted(
    expression: str, tmp_path: Path
) -> None:
    assert judged(tmp_path, f"{{record: a, expr: '{expression}'}}") == []


def test_files_may_use_what_the_others_record(tmp_path: Path) -> None:
    one, other = tmp_path / "one.yml", tmp_path / "other.yml"
    one.write_text(
        "groups: [{name: a, rules: [{record: heroku_kafka_own, expr: sum by (team) (up)}]}]"
    )
    other.write_text(
        "groups: [{name: a, rules: [{record: b, expr: heroku_kafka_own > 1}]}]"
    )

    assert check_rule_files([one, other])[0] == []
    assert len(check_rule_files([other])[0]) == 1


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("groups: [", 1),
        ("groups:\n- name: a\n  rules: []\n  name: b\n", 4),
        ("groups:\n- name: a\n\trules: []\n", 3),
        ("groups: " + "[" * 5_000, 1),
        ("groups: !!python/object/apply:os.getcwd []", 1),
        ("groups:\n- &a [*a]\n", 2),
    ],
)
def test_invalid_yaml_is_reported_with_its_line(
    text: str, line: int, tmp_path: Path
) -> None:
    file = tmp_path / "rules.yml"
    file.write_text(text)
    ((problem,), count) = check_rule_files([file])

    assert problem.where == f"{file}:{line}"
    assert problem.what.startswith("invalid YAML")
    assert count == 0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "groups",
        "groups: {a: b}",
        "groups: [3]",
        "groups: [{rules: [{record: a, expr: b}]}]",
        "groups: [{name: a, rules: 3}]",
        "groups: [{name: a, rules: [{record: a, expr: b}], intreval: 1m}]",
        "groups: [{name: a, rules: [{record: a, expr: b}]}]\nalerts: []",
        "groups: [{name: a, rules: &a [{record: a, expr: b}]}, {name: a, rules: [3]}]",
    ],
)
def test_a_file_without_groups_of_rules_is_an_error(text: str, tmp_path: Path) -> None:
    file = tmp_path / "rules.yml"
    file.write_text(text)
    problems, _count = check_rule_files([file])

    assert problems
    for problem in problems:
        assert str(file) in problem.where
        assert not problem.is_warning


DEEP = {
    "brackets": ("(" * 20_000, ")" * 20_000),
    "unclosed brackets": ("(" * 20_000, ""),
    "functions": ("abs(" * 20_000, ")" * 20_000),
    "aggregations": ("sum by (a) (" * 20_000, ")" * 20_000),
    "subqueries": ("max_over_time(" * 20_000, "[5m:1m])" * 20_000),
    "signs": ("-" * 20_000, ""),
    "sums": ("1 + " * 20_000, ""),
    "powers": ("1 ^ " * 20_000, ""),
    "sets": ("a OR " * 20_000, ""),
    "quoted brackets": ('vector("(" or "' * 20_000, ""),
}


@pytest.mark.parametrize("kind", DEEP)
def test_deep_nesting_is_refused_with_the_reason(kind: str, tmp_path: Path) -> None:
    """The parser would overflow the stack and end the process."""
    before, after = DEEP[kind]
    file = tmp_path / "rules.yml"
    file.write_text(
        "groups:\n- name: a\n  rules:\n"
        f"  - record: b\n    expr: |-\n      {before}1{after}\n"
    )
    ((problem,), _count) = check_rule_files([file])

    assert "nests more than 100 brackets and operators" in problem.what


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("(" * 99, ")" * 99),
        ("abs(" * 99, ")" * 99),
        ("max_over_time(" * 49, "[5m:1m])" * 49),
        ("-" * 99, ""),
        ("1 ^ " * 99, ""),
        ("b * on (c) group_left (d) " * 98, ""),
        ("sum by (e) (" * 98, ")" * 98),
    ],
)
def test_the_deepest_accepted_nesting_fits_on_a_small_stack(
    before: str, after: str
) -> None:
    """An overflow would end this process, and with it all tests."""
    found: list[str | None] = []
    expression = f"{before}a{after}"
    usual = threading.stack_size(256 * 1024)
    try:
        thread = threading.Thread(
            target=lambda: found.extend(one.name for one in find_selectors(expression))
        )
        thread.start()
    finally:
        threading.stack_size(usual)
    thread.join()

    assert found[-1] == "a"


def test_what_is_wide_or_quoted_is_not_deep(tmp_path: Path) -> None:
    matchers = ",".join(f'a{number}!="((("' for number in range(90))
    wide = " or ".join(["sum(b{" + matchers + "})"] * 8)

    assert len(find_selectors(wide + " # (((" + "(" * 1_000)) == 8
