"""What the documents say is what the code does."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from agent.cli import cli
from agent.cli.serve import serve
from agent.kafka.categories import (
    CATEGORY_FIRST_STEP,
    CATEGORY_MEANING,
    URGENCY_MEANING,
    Category,
    Urgency,
)
from agent.kafka.classifier import maybe_find_rule
from agent.kafka.message_rules import CLASSES, EXCEPTIONS, OPENINGS, RULES
from agent.metrics.spec import PREFIX, Spec
from agent.metrics.specs import SAMPLE_ROWS, SAMPLES, SPECS
from agent.settings import ENVIRONMENT_PREFIX
from fixtures.kafka.recorded.client_faults import no_fault
from fixtures.kafka.recorded.faults import Fault
from fixtures.kafka.recorded.manifest import Entry, load_lines, load_manifest
from fixtures.kafka.recorded.scenarios import SCENARIOS
from tests.documented import LOG, METRICS
from tests.frames import frame, maybe_read_recorded
from tests.serving import running

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
MESSAGES = ROOT / "MESSAGES.md"
RECORDED = ROOT / "fixtures" / "kafka" / "recorded" / "README.md"
VERSIONS = ("3.7.1", "2.8.2")  # of the recordings
CASES = sorted((ROOT / "fixtures" / "drain").glob("*.json"))


MOST_VALUES = 6  # of a closed label that are listed
MOST_RULES = 5  # of a fault that are listed
OF_BROKERS = (
    *("last_", "samples_", "broker_"),
    *("cluster_last_", "cluster_samples_", "cluster_reporting"),
)
OF_PLANS = (
    *("plan_", "cluster_info", "version_", "data_", "partition_", "topics", "topic_"),
    *("messages_", "platform_", "degraded_", "capacity_", "retention_"),
)


def gauge_table() -> str:
    rows = [
        f"| `{row.sample}` | `{PREFIX}{row.name}` | {row.help} |" for row in SAMPLE_ROWS
    ]
    return "\n".join(["| sample | metric | |", "|---|---|---|", *rows])


def metrics_table(*prefixes: str) -> str:
    rows = []
    documented = {spec.name for pair in SAMPLES.values() for spec in pair}
    for spec in SPECS:
        name = spec.name.removeprefix(PREFIX)
        if spec.name in documented or name.endswith(("_sum", "_count")):
            continue
        if name.startswith(prefixes):
            rows.append(metric_row(spec))
    return "\n".join(["| metric | type | labels | |", "|---|---|---|---|", *rows])


def metric_row(spec: Spec) -> str:
    labels = ", ".join(
        f"`{label}` ({', '.join(sorted(spec.values[label]))})"
        if 0 < len(spec.values.get(label, ())) <= MOST_VALUES
        else f"`{label}`"
        for label in spec.labels
    )
    name = spec.family if spec.kind == "histogram" else spec.name
    return f"| `{name}` | {spec.kind} | {labels} | {spec.help} |"


def settings_table() -> str:
    rows = []
    for option in serve.params:
        assert isinstance(option, click.Option)
        text = (option.help or "").replace("  [default:", " [default:")
        if option.show_default and option.default is not None:
            text = f"{text} [default: {option.default}]"
        rows.append(f"| `{option.opts[0]}` | {text} |")
    return "\n".join(["| option | |", "|---|---|", *rows])


def policy_table() -> str:
    cases = [json.loads(path.read_text(encoding="utf-8")) for path in CASES]
    rows = [
        f"| {case['case']} | {case['fact']} | {case['policy']} |"
        for case in cases
        if case.get("policy")
    ]
    return "\n".join(
        ["| case | what comes | what the agent does |", "|---|---|---|", *rows]
    )


def category_table() -> str:
    rows = []
    for category in Category:
        known = [rule for rule in (*EXCEPTIONS, *RULES) if rule.category is category]
        urgencies = [one.value for one in Urgency if one in {r.urgency for r in known}]
        rows.append(
            f"| `{category.value}` | {CATEGORY_MEANING[category]} | {len(known)} "
            f"| {', '.join(urgencies) or 'info'} | {CATEGORY_FIRST_STEP[category]} |"
        )
    head = "| category | about | messages | urgencies | first look at |"
    return "\n".join([head, "|---|---|---|---|---|", *rows])


def urgency_table() -> str:
    rows = [f"| `{one.value}` | {URGENCY_MEANING[one]} |" for one in Urgency]
    return "\n".join(["| urgency | |", "|---|---|", *rows])


def rule_table() -> str:
    rows = [
        f"| `{rule.id}` | {rule.category.value} | {rule.urgency.value} "
        f"| {rule.meaning} | {rule.first_step} |"
        for rule in (*EXCEPTIONS, *RULES)
    ]
    head = "| rule | category | urgency | meaning | check first |"
    return "\n".join([head, "|---|---|---|---|---|", *rows])


def opening_table() -> str:
    rows = [
        f"| {', '.join(f'`{words.strip()}`' for words in text.split('|'))} | {urgency.value} |"
        for urgency, text in OPENINGS
    ]
    return "\n".join(["| message begins with | urgency |", "|---|---|", *rows])


def class_table() -> str:
    rows = [
        f"| {one.category.value} | {one.urgency.value} | `{one.classes}` |"
        for one in CLASSES
    ]
    return "\n".join(["| category | urgency | classes |", "|---|---|---|", *rows])


def recorded_faults() -> Iterator[tuple[str, Fault, list[Entry]]]:
    """List the faults of the recordings with what each version logged."""
    entries = {entry[:3]: entry for entry in load_manifest()}
    for name, scenario in SCENARIOS.items():
        for fault in scenario.faults:
            yield name, fault, [entries[one, name, fault.name] for one in VERSIONS]


def silent_table() -> str:
    rows = [
        f"| {fault.done} | {' / '.join(dict.fromkeys(entry.client for entry in found))} |"
        for _, fault, found in recorded_faults()
        if not any(entry.logged for entry in found) and fault is not no_fault
    ]
    head = "| what was done | what the client observed |"
    return "\n".join([head, "|---|---|", *rows])


def fault_table() -> str:
    rows = []
    for name, fault, found in recorded_faults():
        counts = " | ".join(str(entry.logged) for entry in found)
        rows.append(f"| `{name}` | {fault.done} | {counts} | {rules_of(found)} |")
    head = f"| recording | what was done | {' | '.join(VERSIONS)} | rules |"
    return "\n".join([head, "|---|---|---|---|---|", *rows])


def rules_of(found: list[Entry]) -> str:
    """Name the most urgent rules of the lines that a fault left."""
    lines = [
        maybe_read_recorded(line.encode())
        for entry in found
        for line in load_lines(entry.version, entry.scenario)[entry.fault]
    ]
    rules = {maybe_find_rule(line) for line in lines if line is not None}
    order = [*Urgency]
    known = sorted(
        (order.index(rule.urgency), rule.id) for rule in rules if rule is not None
    )
    ids = [f"`{rule}`" for _, rule in known]
    return ", ".join(ids[:MOST_RULES] + ["…"] * (len(ids) > MOST_RULES))


TABLES = {
    "categories": (README, category_table),
    "urgencies": (README, urgency_table),
    "gauges": (README, gauge_table),
    "metrics of brokers": (README, lambda: metrics_table(*OF_BROKERS)),
    "metrics of nodes": (README, lambda: metrics_table("log_", "node_")),
    "metrics of plans": (README, lambda: metrics_table(*OF_PLANS)),
    "metrics of problems": (README, lambda: metrics_table("problem")),
    "metrics of the agent": (README, lambda: metrics_table("agent_")),
    "settings": (README, settings_table),
    "policies": (README, policy_table),
    "rules": (MESSAGES, rule_table),
    "classes": (MESSAGES, class_table),
    "openings": (MESSAGES, opening_table),
    "silent": (MESSAGES, silent_table),
    "faults": (RECORDED, fault_table),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_of_the_documents_is_what_the_code_says(
    name: str, request: pytest.FixtureRequest
) -> None:
    document, make = TABLES[name]
    text = document.read_text(encoding="utf-8")
    before, _, rest = text.partition(f"<!-- {name} -->\n")
    table, _, after = rest.partition(f"<!-- /{name} -->\n")
    wanted = f"{make()}\n"
    if request.config.getoption("--update-docs"):
        marked = f"<!-- {name} -->\n{wanted}<!-- /{name} -->\n"
        document.write_text(before + marked + after, encoding="utf-8")
        return

    assert table == wanted, "run: pytest --update-docs tests/contracts"


def test_every_metric_is_in_one_of_the_tables() -> None:
    tables = "".join(
        table() for name, (_, table) in TABLES.items() if "metrics" in name
    )
    tables += gauge_table()
    clusters = {pair.cluster.name for pair in SAMPLES.values()}

    for spec in SPECS:
        name = spec.family if spec.kind == "histogram" else spec.name
        if spec.name not in clusters:
            assert tables.count(f"`{name}`") == 1, spec.name


def test_the_readme_names_every_metric_that_is_exported() -> None:
    readme = README.read_text(encoding="utf-8")
    with running() as agent:
        agent.post(frame(METRICS) + frame(LOG))
        exported = {
            name.removesuffix("_bucket").removesuffix("_sum").removesuffix("_count")
            for name, _ in agent.metrics().samples
            if name.startswith(PREFIX)
        }

    missing = [
        name
        for name in exported
        if name not in readme and name.replace("heroku_kafka_agent", "…") not in readme
    ]
    assert not missing


def test_every_command_is_in_the_readme() -> None:
    readme = README.read_text(encoding="utf-8")

    for name in cli.commands:
        assert f"heroku-kafka-agent {name}" in readme


def test_every_option_has_the_environment_variable_of_its_name() -> None:
    for option in serve.params:
        assert isinstance(option, click.Option)
        stem = option.opts[0].removeprefix("--").replace("-", "_").upper()
        assert option.envvar == f"{ENVIRONMENT_PREFIX}_{stem}"


def test_files_that_the_documents_name_exist() -> None:
    for document in ROOT.glob("*.md"):
        text = document.read_text(encoding="utf-8")
        for path in re.findall(r"`((?:agent|parsers|tests|fixtures)/[\w./]+)`", text):
            assert (ROOT / path).exists(), f"{document.name} names {path}"
