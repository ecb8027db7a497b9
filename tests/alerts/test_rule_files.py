"""Rule files of a user's own: what is found in them, and what is left alone."""

from pathlib import Path

import pytest

from agent.checks import check_rule_files

ALERT = "alert: A, labels: {severity: info}"


def judged(tmp_path: Path, rule: str) -> list[str]:
    """Check a file with one rule; return the problems without their place."""
    file = tmp_path / "rules.yml"
    file.write_text(f"groups:\n- name: mine\n  rules:\n  - {rule}\n")
    problems, _count = check_rule_files([file])
    return [
        f"{'warning' if one.is_warning else 'error'}: {one.what}" for one in problems
    ]


SHAPE = [
    ("{alert: A, record: b, expr: up}", "must have either 'alert' or 'record'"),
    ("{expr: up}", "must have either 'alert' or 'record'"),
    ("{alert: '', expr: up == 0}", "has no name"),
    ("{record: a b, expr: up}", "'a b' is no name of a metric"),
    ("{alert: A}", "has no expr"),
    ("{alert: A, expr: ''}", "has no expr"),
    ("{alert: A, expr: [up]}", "has no expr"),
    ("{alert: A, exrp: up == 0}", "unknown key 'exrp'; did you mean expr?"),
    ("{record: a, expr: up, for: 5m}", "unknown key 'for'"),
    ("{alert: A, expr: up ==}", "its expr is no PromQL"),
    ("{alert: A, expr: up == 0, for: soon}", "for is no duration like 5m: 'soon'"),
    ("{alert: A, expr: up == 0, for: 5}", "for is no duration"),
    ("{alert: A, expr: up == 0, for: 1.5h}", "for is no duration"),
    ("{alert: A, expr: up == 0, for: 5m1h}", "for is no duration"),
    ("{alert: A, expr: up == 0, keep_firing_for: [a]}", "keep_firing_for is no"),
    ("{alert: A, expr: up == 0, labels: [severity]}", "labels must be a mapping"),
    ("{alert: A, expr: up == 0, annotations: text}", "annotations must be a mapping"),
    ("{alert: A, expr: up == 0, labels: {a-b: c}}", "cannot hold the name 'a-b'"),
    ("{alert: A, expr: up == 0, labels: {a: {b: c}}}", "a of labels is no text"),
    ("3", "is no mapping"),
]
TEMPLATES = [
    ("{alert: A, expr: up == 0, labels: {value: '{{ $value }}'}}", "holds $value"),
    ("{alert: A, expr: up == 0, annotations: {a: '{{ x }'}}", "do not pair"),
    ("{alert: A, expr: up == 0, annotations: {a: '}} x {{'}}", "do not pair"),
    (
        "{alert: A, expr: 'sum by (job) (up) == 0', annotations: {a: '{{ $labels.pod }}'}}",
        "$labels.pod is empty",
    ),
    (
        "{alert: A, expr: heroku_kafka_load_avg_5m > 1, annotations: {a: '{{ $labels.node }}'}}",
        "$labels.node is empty",
    ),
    (
        "{alert: A, expr: 'absent(up{job=\"a\"})', annotations: {a: '{{ $labels.pod }}'}}",
        "$labels.pod is empty",
    ),
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
            "level='WARNING' of heroku_kafka_log_lines_total cannot be; it is one of "
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
    ("rate(heroku_kafka_load_avg_5m[5m])", "which is a gauge"),
    ("delta(heroku_kafka_log_lines_total[5m])", "which is a counter: use increase()"),
]
MATCHINGS = [
    (
        "sum by (broker) (rate(heroku_kafka_log_lines_total[5m]))",
        "sum by (broker): what it aggregates has no label broker",
    ),
    (
        "heroku_kafka_load_avg_5m * on (addon, node) heroku_kafka_node_info",
        "* on (node): the left side has no label node",
    ),
    (
        "heroku_kafka_load_avg_5m * on (addon) group_left (status) heroku_kafka_plan_info",
        "group_left (status): the right side has no label status",
    ),
    (
        "max by (addon) (heroku_kafka_topics) > max by (addon, broker) (heroku_kafka_read_iops)",
        "> never matches: only the right side has broker",
    ),
    (
        "addon:heroku_kafka_data_used:ratio * on (broker) heroku_kafka_read_iops",
        "* on (broker): the left side has no label broker",
    ),
]
RECORDED = [
    (f"{{record: a, expr: '{expression}'}}", problem)
    for expression, problem in METRICS + MATCHINGS
]


@pytest.mark.parametrize(("rule", "problem"), SHAPE + TEMPLATES + RECORDED)
def test_a_wrong_rule_is_an_error(rule: str, problem: str, tmp_path: Path) -> None:
    found = judged(tmp_path, rule)

    assert [one for one in found if one.startswith("error: ") and problem in one], found


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        (f"{{{ALERT}, expr: up}}", "compares with nothing"),
        (f"{{{ALERT}, expr: up == bool 0}}", "compares with nothing"),
        (f"{{{ALERT}, expr: up > 0 or up}}", "compares with nothing"),
        (f"{{{ALERT}, expr: absent(up), for: 1m}}", "absent() is true at each restart"),
        ("{alert: A, expr: up == 0}", "has no label severity"),
        ("{record: a, expr: heroku_kafka_queue_depth}", "only if your brokers write"),
        ("{record: a, expr: heroku_kafka_log_lines_total}", "use increase() or rate()"),
        (
            "{record: a, expr: 'rate(heroku_kafka_samples_total[30s])'}",
            "over 30s may hold one scrape only",
        ),
        (
            "{record: a, expr: 'rate(heroku_kafka_log_lines_total{level!=\"INFO\"}[5m])'}",
            "level='INFO' of heroku_kafka_log_lines_total cannot be",
        ),
        (
            "{record: a, expr: 'addon:heroku_kafka_data_use:ratio'}",
            "did you mean addon:heroku_kafka_data_used:ratio?",
        ),
    ],
)
def test_what_may_be_meant_so_is_a_warning(
    rule: str, problem: str, tmp_path: Path
) -> None:
    (found,) = judged(tmp_path, rule)

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
def test_what_is_right_or_not_ours_is_not_named(
    expression: str, tmp_path: Path
) -> None:
    assert judged(tmp_path, f"{{record: a, expr: '{expression}'}}") == []


@pytest.mark.parametrize(
    "rest",
    [
        "expr: absent(up), for: 2m",
        "expr: up == 0, for: 0",
        "expr: up == 0, for: 1d12h30m, keep_firing_for: 100ms",
        "expr: up unless foo",
        "expr: up == 0, annotations: {a: '{{ $labels.pod }} {{ $value | humanize }}'}",
        "expr: 'up * on (job) group_left (pod) x > 0', annotations: {a: '{{$labels.pod}}'}",
        "expr: 'absent(up{pod=\"a\"})', for: 5m, annotations: {a: '{{ $labels.pod }}'}",
        "expr: 'count_values(\"v\", up) > 1', annotations: {a: '{{ $labels.v }}'}",
        "expr: 'topk by (addon) (1, up) > 1', annotations: {a: '{{ $labels.pod }}'}",
    ],
)
def test_an_alert_that_is_right_is_not_named(rest: str, tmp_path: Path) -> None:
    assert judged(tmp_path, f"{{{ALERT}, {rest}}}") == []


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


def test_labels_of_a_record_are_those_of_its_expression(tmp_path: Path) -> None:
    file = tmp_path / "rules.yml"
    file.write_text(
        "groups:\n- name: a\n  rules:\n"
        "  - {record: 'a:b:c', expr: sum by (team) (up), labels: {region: eu}}\n"
        "  - {record: d, expr: 'sum by (team, region) (a:b:c)'}\n"
        "  - {record: e, expr: 'sum by (pod) (a:b:c)'}\n"
        "  - {record: f, expr: 'f + sum by (g) (f)'}\n"
    )
    (problem,) = check_rule_files([file])[0]

    assert problem.where == f"{file}:6, group a, rule 3 (e)"
    assert problem.check == "promql/vector_matching"


def test_a_rule_that_is_there_twice_is_named(tmp_path: Path) -> None:
    file = tmp_path / "rules.yml"
    rule = "  - {alert: A, expr: up == 0, labels: {severity: info}}\n"
    file.write_text(f"groups:\n- name: a\n  rules:\n{rule * 2}")
    (problem,) = check_rule_files([file])[0]

    assert problem.is_warning
    assert "is the same as" in problem.what
    assert ":4, " in problem.what


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
def test_what_is_no_yaml_is_named_with_its_line(
    text: str, line: int, tmp_path: Path
) -> None:
    file = tmp_path / "rules.yml"
    file.write_text(text)
    ((problem,), count) = check_rule_files([file])

    assert problem.where == f"{file}:{line}"
    assert problem.what.startswith("is no YAML")
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
        "groups: [{name: a, interval: 5, rules: [{record: a, expr: b}]}]",
        "groups: [{name: a, rules: [{record: a, expr: b}], intreval: 1m}]",
        "groups: [{name: a, rules: [{record: a, expr: b}]}]\nalerts: []",
        "groups: [{name: a, rules: &a [{record: a, expr: b}]}, {name: a, rules: [3]}]",
    ],
)
def test_a_file_of_another_shape_is_named(text: str, tmp_path: Path) -> None:
    file = tmp_path / "rules.yml"
    file.write_text(text)
    problems, _count = check_rule_files([file])

    assert problems
    for problem in problems:
        assert str(file) in problem.where
        assert not problem.is_warning


@pytest.mark.parametrize("text", ["groups: []", "groups: [{name: a, rules: []}]"])
def test_a_file_without_rules_is_worth_a_warning(text: str, tmp_path: Path) -> None:
    file = tmp_path / "rules.yml"
    file.write_text(text)
    ((problem,), _count) = check_rule_files([file])

    assert problem.is_warning


@pytest.mark.parametrize("text", ["(", "-", "1+", "sum("])
def test_an_endless_expression_ends_nothing(text: str, tmp_path: Path) -> None:
    """The parser recurses; 20,000 of them would end the process."""
    (found,) = judged(tmp_path, f"{{record: a, expr: '{text * 20_000}1'}}")

    assert "is longer than" in found
