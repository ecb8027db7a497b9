"""Plans, what is used of them, and what is estimated from the stream."""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from agent.alerting.thresholds import packaged_thresholds
from agent.capacity.assessment import Assessment, assess
from agent.capacity.ledger import CapacityLedger, ClusterPlan
from agent.clock import Moment
from agent.kafka.plans import GIB, PLANS, maybe_find_plan, maybe_infer_tier, upgrades
from agent.kafka.versions import VERSIONS, Support, Version, judge_version
from agent.secret import Secret
from agent.settings import Settings
from agent.state.views import ClustersView
from parsers import ClusterUse, Source, TopicUse
from tests.documented import ADDON, METRICS
from tests.frames import frame
from tests.serving import (
    CREDENTIALS,
    TIMEOUT_SECONDS,
    Agent,
    run_command,
    running,
    wait_for,
)

NOW = Moment(1_780_872_391.0, 1_000.0)
TODAY = date(2026, 6, 8)
DOCUMENTED = {
    # Dev Center, "Apache Kafka on Heroku", Plans and Configurations
    "standard-0": (150, 14, 3, 12_000),
    "standard-1": (300, 14, 3, 12_000),
    "standard-2": (900, 14, 3, 12_000),
    "extended-0": (400, 42, 8, 32_000),
    "extended-1": (800, 42, 8, 32_000),
    "extended-2": (2400, 42, 8, 32_000),
}


@pytest.mark.parametrize("family", ["", "private-", "shield-"])
@pytest.mark.parametrize("name", DOCUMENTED)
def test_the_table_is_that_of_the_documentation(family: str, name: str) -> None:
    plan = PLANS[family + name]

    capacity, days, brokers, replicas = DOCUMENTED[name]
    assert plan.capacity_bytes == capacity * 2**30
    assert plan.max_retention_seconds == days * 86_400
    assert plan.brokers == brokers
    assert plan.partition_replicas_limit == replicas
    assert (plan.zookeepers, plan.cpus, plan.memory_bytes) == (5, 4, 16 * GIB)


def test_there_is_no_other_plan() -> None:
    assert len(PLANS) == 3 * len(DOCUMENTED)
    assert maybe_find_plan("heroku-kafka:standard-0") is PLANS["standard-0"]
    assert maybe_find_plan("basic-0") is None


@pytest.mark.parametrize(
    ("name", "following"),
    [
        ("standard-0", "standard-1"),
        ("standard-1", "extended-0"),
        ("standard-2", "extended-2"),
        ("private-extended-0", "private-extended-1"),
        ("shield-extended-2", None),
    ],
)
def test_the_next_plan_up_is_the_smallest_larger_of_its_family(
    name: str, following: str | None
) -> None:
    assert next((plan.name for plan in upgrades(PLANS[name])), None) == following


@pytest.mark.parametrize(
    ("brokers", "memory", "tier"),
    [
        (3, 16098868 * 1024.0, "standard"),
        (8, 16098868 * 1024.0, "extended"),
        (3, None, "standard"),
        (3, 64.0 * GIB, None),
        (2, None, None),
        (0, None, None),
    ],
)
def test_a_tier_is_inferred_and_its_capacity_stays_open(
    brokers: int, memory: float | None, tier: str | None
) -> None:
    found = maybe_infer_tier(brokers, memory)

    assert (found.name if found else None) == tier
    assert found is None or found.capacity_bytes is None


@pytest.mark.parametrize(
    ("version", "support"),
    [
        ("3.7.1", "available"),
        ("2.8.2", "available"),
        ("2.8", "available"),
        ("2.7.0", "deprecated"),
        ("0.10.0.0", "deprecated"),
        ("3.6.0", "deprecated"),
        ("4.0.0", "unknown"),
        ("latest", "unknown"),
        ("", "unknown"),
    ],
)
def test_a_version_is_judged_by_the_table(version: str, support: str) -> None:
    assert judge_version(version, TODAY).value == support


def test_a_version_past_its_end_is_deprecated(monkeypatch: pytest.MonkeyPatch) -> None:
    ending = Version((3, 7), "3.7.1", date(2026, 6, 8))
    monkeypatch.setattr("agent.kafka.versions.VERSIONS", (*VERSIONS[:1], ending))

    assert judge_version("3.7.1", date(2026, 6, 7)) is Support.AVAILABLE
    assert judge_version("3.7.1", date(2026, 6, 8)) is Support.DEPRECATED


def planned(**plans: str) -> Settings:
    named = {name.replace("_", "-"): plan for name, plan in plans.items()}
    return Settings(port=0, drain_credentials=(CREDENTIALS,), plans=named)


def gauges(agent: Agent, addon: str) -> dict[str, float]:
    return {
        name.removeprefix("heroku_kafka_"): value
        for (name, labels), value in agent.metrics().samples.items()
        if labels == frozenset({("addon", addon)})
    }


def test_a_configured_plan_is_exported() -> None:
    with running(planned(kafka_a="shield-extended-1")) as agent:
        found = gauges(agent, "kafka-a")
        info = agent.metrics().series("heroku_kafka_plan_info")

    assert info == {
        frozenset(
            {
                ("addon", "kafka-a"),
                ("plan", "shield-extended-1"),
                ("source", "configured"),
            }
        ): 1
    }
    assert found["plan_capacity_bytes"] == 800 * GIB
    assert found["plan_brokers"] == 8
    assert found["plan_partition_replicas_limit"] == 32_000
    assert found["plan_max_retention_seconds"] == 42 * 86_400
    assert found["plan_memory_bytes"] == 16 * GIB
    assert found["plan_cpus"] == 4
    assert found["retention_seconds"] == 86_400


def test_brokers_of_a_configured_plan_exist_before_they_report() -> None:
    with running(planned(kafka_animated_39618="standard-0")) as agent:
        before = agent.metrics().series("heroku_kafka_broker_reporting")
        agent.post(frame(METRICS))
        after = agent.metrics().series("heroku_kafka_broker_reporting")
        page = agent.request("GET", "/").body.decode()

    def by_broker(series: dict[frozenset[tuple[str, str]], float]) -> dict[str, float]:
        return {dict(labels)["broker"]: value for labels, value in series.items()}

    assert by_broker(before) == {"0": 0, "1": 0, "2": 0}
    assert by_broker(after) == {"0": 0, "1": 0, "2": 1}
    assert "1 of 3 brokers reporting" in page
    assert "never" in page


def test_nobody_is_missing_where_brokers_are_numbered_otherwise() -> None:
    with running(planned(kafka_animated_39618="standard-0")) as agent:
        agent.post(frame(METRICS.replace(b"heroku-kafka.2", b"heroku-kafka.1001")))
        reporting = agent.metrics().series("heroku_kafka_broker_reporting")

    assert {dict(labels)["broker"] for labels in reporting} == {"1001"}


def test_an_inferred_plan_is_marked_and_has_no_capacity() -> None:
    with running() as agent:
        for broker in (b"0", b"1", b"2"):
            now = datetime.now(UTC).isoformat().encode()
            line = METRICS.replace(b"heroku-kafka.2", b"heroku-kafka." + broker)
            agent.post(frame(line.replace(b"2026-04-15T14:53:16+00:00", now)))
        (info,) = agent.metrics().series("heroku_kafka_plan_info")
        found = gauges(agent, ADDON)

    assert dict(info)["plan"] == "standard"
    assert dict(info)["source"] == "inferred"
    assert "plan_capacity_bytes" not in found
    assert found["plan_partition_replicas_limit"] == 12_000


def use(**values: object) -> ClusterUse:
    return replace(ClusterUse(addon="kafka-a", source=Source.API), **values)  # type: ignore[arg-type] # fields of the record


def plan(plans: dict[str, str] | None = None, **values: object) -> ClusterPlan:
    ledger = CapacityLedger(plans or {})
    ledger.apply(use(**values), NOW)
    (found,) = ledger.plans(ClustersView([], []))
    return found


def assessed(plan: ClusterPlan, bytes_in_per_second: float | None = None) -> Assessment:
    return assess(plan, bytes_in_per_second, 86_400.0, TODAY, packaged_thresholds())


def test_configuration_goes_before_the_platform() -> None:
    found = plan({"kafka-a": "standard-1"}, plan="extended-0")

    assert (found.plan_name, found.source) == ("standard-1", Source.CONFIGURED)


def test_the_platforms_own_limits_go_before_the_table() -> None:
    found = plan(
        plan="standard-0",
        data_size_limit_bytes=5,
        partition_replicas_limit=7,
        brokers=4,
    )

    assert (found.capacity_bytes, found.partition_replicas_limit) == (5, 7)
    assert found.brokers == 4


def test_the_brokers_of_a_shared_cluster_are_not_expected() -> None:
    ledger = CapacityLedger({})
    ledger.apply(use(plan="basic-0", brokers=8), NOW)

    assert ledger.expected_brokers() == {}
    assert plan(plan="basic-0", brokers=8).brokers is None


def test_a_plan_that_nobody_knows_keeps_its_name() -> None:
    found = plan(plan="beta-3")

    assert (found.plan, found.plan_name, found.source) == (None, "beta-3", Source.API)


@pytest.mark.parametrize(
    ("values", "sentences"),
    [
        ({"data_size_bytes": 10 * GIB}, []),
        ({"data_size_bytes": 120 * GIB}, ["Data at 80%: watch it."]),
        (
            {"data_size_bytes": 140 * GIB},
            ["Data at 93%: shorten retention, or upgrade to standard-1."],
        ),
        (
            {"partition_replicas": 11_900},
            [
                "Partition replicas at 99%: delete topics that nobody uses, or upgrade to standard-1."
            ],
        ),
        (
            {"versions": ("2.7.1",)},
            ["Heroku no longer offers Kafka 2.7.1: upgrade to 3.7.1."],
        ),
        (
            {"degraded_brokers": 1},
            ["The platform calls the cluster degraded: see its status page."],
        ),
        (
            {"topic_uses": (TopicUse(name="a", compacted=True),)},
            ["Compacted without a retention, so they may grow without bound: a."],
        ),
    ],
)
def test_the_advice_says_what_to_do(
    values: dict[str, object], sentences: list[str]
) -> None:
    found = assessed(plan(None, plan="standard-0", **values))

    assert list(found.advice) == sentences


def test_the_stream_says_what_the_plan_holds() -> None:
    """Of the table in the reference: 1.86 MB/s fill standard-0 in a day."""
    found = assessed(plan(plan="standard-0"), 150 * GIB / 86_400)

    assert found.projected is not None
    assert found.projected.share == pytest.approx(1.0)
    assert found.retention_hours == pytest.approx(24.0)
    assert "The present rate fills 100% of the plan" in found.advice[0]


def test_a_cluster_without_traffic_is_projected_empty() -> None:
    found = assessed(plan(plan="standard-0"), 0.0)

    assert found.projected is not None
    assert found.projected.share == 0
    assert found.retention_hours is None


def test_a_wrong_plan_is_refused_with_those_there_are() -> None:
    done = run_command("serve", "--plan", "kafka-a=standard-9")

    assert done.returncode == 2
    assert b"--plan" in done.stderr
    assert b"shield-extended-2" in done.stderr


SHAPES = Path(__file__).parents[2] / "fixtures" / "platform"


class Platform(BaseHTTPRequestHandler):
    """Answers as Heroku's two APIs do, from recorded shapes; knows one token."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        shape = {
            "addons": "addon.json",
            "topics": "topics.json",
            "wait_status": "wait_status.json",
        }
        parts = self.path.strip("/").split("/")
        name = shape.get(parts[0]) or shape.get(parts[-1], "cluster_dedicated.json")
        known = self.headers["authorization"] == "Bearer the-secret-token"
        is_there = "misspelt" not in self.path
        body = (SHAPES / name).read_bytes() if known and is_there else b"{}"
        self.send_response(401 if not known else 200 if is_there else 404)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def platform() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Platform)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_with_a_token_the_agent_asks_heroku(platform: str) -> None:
    settings = Settings(
        port=0,
        drain_credentials=(CREDENTIALS,),
        addons=frozenset({ADDON}),
        api_token=Secret("the-secret-token"),
        platform_url=platform,
        data_url=platform,
        topic_metrics=5,
    )
    with running(settings) as agent:
        wait_for(lambda: "topics" in gauges(agent, ADDON))
        wait_for(lambda: agent.metrics().series("heroku_kafka_topic_partitions"))
        found = gauges(agent, ADDON)
        metrics = agent.metrics()
        page = agent.request("GET", "/").body.decode()

    dedicated = json.loads((SHAPES / "cluster_dedicated.json").read_text())
    limits = dedicated["limits"]
    assert found["data_size_bytes"] == dedicated["data_size"]
    assert found["plan_capacity_bytes"] == limits["data_size"]["limit_bytes"]
    assert found["partition_replicas"] == dedicated["partition_replica_count"]
    assert found["plan_brokers"] == len(dedicated["formation"]["kafkas"])
    assert found["platform_healthy"] == 1
    (info,) = metrics.series("heroku_kafka_plan_info")
    assert dict(info)["source"] == "api"
    assert metrics.value(
        "heroku_kafka_agent_collector_requests_total", endpoint="cluster", outcome="ok"
    )
    reporting = metrics.series("heroku_kafka_broker_reporting")
    assert len(reporting) == 3
    assert "Partition replicas" in page
    assert "the-secret-token" not in repr(settings) + page + metrics.text


def test_an_add_on_of_which_nothing_was_learnt_is_seen_from_the_start(
    platform: str,
) -> None:
    settings = Settings(
        port=0,
        drain_credentials=(CREDENTIALS,),
        addons=frozenset({ADDON, "kafka-misspelt-1"}),
        api_token=Secret("the-secret-token"),
        platform_url=platform,
        data_url=platform,
    )
    name = "heroku_kafka_capacity_last_success_timestamp_seconds"
    with running(settings) as agent:
        wait_for(lambda: agent.metrics().get(name, addon=ADDON))
        metrics = agent.metrics()

    assert metrics.value(name, addon="kafka-misspelt-1") == 0
    assert time.time() - metrics.value(name, addon=ADDON) < TIMEOUT_SECONDS


def test_a_token_without_an_addon_is_refused() -> None:
    done = run_command(
        "serve", environ={"HEROKU_KAFKA_AGENT_API_TOKEN": "the-secret-token"}
    )

    assert done.returncode == 2
    assert b"--api-token" in done.stderr
    assert b"the-secret-token" not in done.stderr
