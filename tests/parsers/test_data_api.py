"""What Heroku's APIs say of clusters becomes records, whatever they send."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers import (
    AddonIdentity,
    ClusterUse,
    Source,
    TopicUse,
    decode_addon,
    decode_cluster,
)

FIXTURES = Path(__file__).parents[2] / "fixtures" / "platform"
UUID = "00000000-0000-4000-8000-000000000002"


def load(name: str) -> Any:
    return json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))


def decode(cluster: object, topics: object = None, wait: object = None) -> ClusterUse:
    use = decode_cluster("kafka-x-1", "standard-0", cluster, topics, wait)
    assert use is not None
    return use


def decode_topic(**facts: object) -> TopicUse:
    (use,) = decode({}, {"topics": [{"name": "t", **facts}]}).topic_uses
    return use


def test_a_dedicated_cluster() -> None:
    use = decode(load("cluster_dedicated"))

    assert use == ClusterUse(
        addon="kafka-x-1",
        source=Source.API,
        plan="standard-0",
        status="available",
        healthy=True,
        upgrading=False,
        versions=("3.7.1",),
        data_size_bytes=71_701_627,
        data_size_limit_bytes=161_061_273_600,
        partition_replicas=417,
        partition_replicas_limit=12_000,
        topics=1,
        messages_in_per_second=5.0,
        bytes_in_per_second=32.0,
        bytes_out_per_second=166.0,
        brokers=3,
        degraded_brokers=0,
        degraded_topics=0,
    )


def test_a_multi_tenant_cluster() -> None:
    use = decode(load("cluster_multi_tenant"), load("topics"), load("wait_status"))

    assert use == ClusterUse(
        addon="kafka-x-1",
        source=Source.API,
        plan="standard-0",
        status="available",
        healthy=True,
        upgrading=False,
        versions=("3.7.1",),
        data_size_bytes=0,
        data_size_limit_bytes=4_294_967_296,
        partition_replicas=24,
        partition_replicas_limit=240,
        topics=1,
        topics_limit=40,
        messages_in_per_second=0.0,
        bytes_in_per_second=0.0,
        bytes_out_per_second=0.0,
        brokers=8,
        degraded_brokers=0,
        degraded_topics=0,
        thresholds=(1.5, 1.9, 2.5),
        topic_uses=(
            TopicUse(
                name="my-example-topic",
                partitions=32,
                replication_factor=3,
                data_size_bytes=0,
                messages_in_per_second=45.0,
                bytes_in_per_second=192.0,
                bytes_out_per_second=35.0,
                retention_seconds=129_600.0,
                compacted=False,
                status="green",
            ),
        ),
    )


def test_the_oldest_shape_leaves_open_what_it_does_not_say() -> None:
    use = decode(load("cluster_oldest"))

    assert use == ClusterUse(
        addon="kafka-x-1",
        source=Source.API,
        plan="standard-0",
        status="available",
        versions=("0.10.0.0",),
        partition_replicas=132,
        topics=1,
        messages_in_per_second=0.0,
        bytes_in_per_second=0.0,
        bytes_out_per_second=0.0,
    )


@pytest.mark.parametrize("name", ["cluster_multi_tenant", "cluster_oldest"])
def test_what_is_internal_does_not_come_out(name: str) -> None:
    shown = repr(decode(load(name)))

    assert "internal-address" not in shown
    assert "arn:aws" not in shown


@pytest.mark.parametrize("value", [None, [], "x", 1, True])
def test_what_is_no_object_is_no_cluster(value: object) -> None:
    assert decode_cluster("kafka-x-1", None, value, None, None) is None


def test_an_empty_object_is_a_cluster_that_says_nothing() -> None:
    assert decode({}, {}, {}) == ClusterUse(
        addon="kafka-x-1", source=Source.API, plan="standard-0"
    )


@pytest.mark.parametrize(
    ("value", "want"),
    [
        pytest.param(5, 5.0, id="int"),
        pytest.param(5.5, 5.5, id="float"),
        pytest.param("5.5", 5.5, id="text"),
        pytest.param(" 7 ", 7.0, id="text_with_blanks"),
        pytest.param("1.5e3", 1500.0, id="text_with_exponent"),
        pytest.param("1e99", None, id="text_of_an_absurd_number"),
        pytest.param("five", None, id="no_number"),
        pytest.param("\u0661", None, id="other_digits"),
        pytest.param("", None, id="empty"),
        pytest.param("nan", None, id="text_nan"),
        pytest.param(float("nan"), None, id="nan"),
        pytest.param(float("inf"), None, id="infinite"),
        pytest.param(-1, None, id="negative"),
        pytest.param(10**400, None, id="too_large_for_a_float"),
        pytest.param(True, None, id="boolean"),
        pytest.param(None, None, id="null"),
        pytest.param([5], None, id="list"),
    ],
)
def test_rates(value: object, want: float | None) -> None:
    assert decode({"messages_in_per_sec": value}).messages_in_per_second == want


def test_minus_zero_is_zero() -> None:
    assert str(decode({"bytes_in_per_sec": -0.0}).bytes_in_per_second) == "0.0"


@pytest.mark.parametrize(
    ("value", "want"),
    [(2**53 + 1, 2**53 + 1), (7.0, 7), (7.6, 8), ("12", 12), (-7, None)],
)
def test_sizes_are_whole(value: object, want: int | None) -> None:
    got = decode({"data_size": value}).data_size_bytes

    assert got == want
    assert got is None or isinstance(got, int)


def test_a_limit_of_nothing_is_no_limit() -> None:
    limits = {"data_size": {"limit_bytes": 0}, "max_partition_replica_count": 0}

    use = decode({"limits": limits})

    assert (use.data_size_limit_bytes, use.partition_replicas_limit) == (None, None)


@pytest.mark.parametrize(
    ("limits", "listed", "want"),
    [
        ({"max_topics": 10, "max_number_of_topics": 40}, {}, 10),
        ({"max_number_of_topics": 40}, {"limits": {"max_topics": 20}}, 40),
        ({}, {"limits": {"max_topics": 20}}, 20),
        ({"max_topics": "many"}, {"limits": None}, None),
    ],
)
def test_the_limit_on_topics_stands_in_three_places(
    limits: object, listed: object, want: int | None
) -> None:
    assert decode({"limits": limits}, listed).topics_limit == want


@pytest.mark.parametrize(
    ("value", "want"),
    [
        pytest.param("2.8.2", ("2.8.2",), id="text"),
        pytest.param(["2.8.2", "3.7.1"], ("2.8.2", "3.7.1"), id="two"),
        pytest.param(["3.7.1", "3.7.1"], ("3.7.1",), id="twice"),
        pytest.param(["3.7.1", None, 3, ""], ("3.7.1",), id="one_of_a_muddle"),
        pytest.param({"kafka": "3.7.1"}, (), id="object"),
        pytest.param(3.7, (), id="number"),
    ],
)
def test_versions(value: object, want: tuple[str, ...]) -> None:
    assert decode({"version": value}).versions == want


@pytest.mark.parametrize(
    ("state", "wait", "want"),
    [
        (False, True, True),
        (True, False, True),
        (False, None, False),
        (None, False, False),
        ("true", 1, None),
    ],
)
def test_upgrading_is_what_either_says(
    state: object, wait: object, want: object
) -> None:
    use = decode({"state": {"waiting?": state}}, None, {"waiting?": wait})

    assert use.upgrading is want


def test_the_wait_status_fills_what_the_cluster_leaves_open() -> None:
    use = decode({}, None, {"message": "pending", "healthy?": False})

    assert (use.status, use.healthy) == ("pending", False)


@pytest.mark.parametrize(
    "text",
    ["", " ", "x" * 250, "a\nb", "\ud800", 5],
    ids=["empty", "blank", "long", "lines", "surrogate", "number"],
)
def test_a_status_that_cannot_be_shown_is_none(text: object) -> None:
    assert decode({"state": {"message": text}}).status is None


def test_lists_are_counted_whatever_is_in_them() -> None:
    state = {"degraded_topics": [None, {}, "t"], "degraded_brokers": 5}
    formation = {"kafkas": [1, "b"]}

    use = decode({"state": state, "formation": formation, "topics": [{}, [], "t"]})

    assert (use.degraded_topics, use.degraded_brokers) == (3, None)
    assert (use.brokers, use.topics) == (2, 3)


def test_no_brokers_at_all_is_nothing_said() -> None:
    assert decode({"formation": {"kafkas": []}}).brokers is None


def test_internal_topics_are_no_topics() -> None:
    names = ["__consumer_offsets", "__transaction_state", "orders"]
    listed = {"topics": [{"name": name} for name in names]}

    use = decode(
        {"topics": names, "admin_topic_names": ["__transaction_state", 3]}, listed
    )

    assert use.topics == 1
    assert use.topic_uses == (TopicUse(name="orders"),)


def test_of_two_topics_with_one_name_the_first_counts() -> None:
    listed = {"topics": [{"name": "t", "partitions": 1}, {"name": "t"}, {}, None]}

    assert decode({}, listed).topic_uses == (TopicUse(name="t", partitions=1),)


@pytest.mark.parametrize(
    ("facts", "want"),
    [
        ({"retention_time_ms": "1500"}, 1.5),
        ({"retention_time_ms": 1500, "retention_enabled": False}, None),
        ({"retention_time_ms": 0}, None),
        ({"retention_time_ms": -1}, None),
    ],
)
def test_retention(facts: dict[str, object], want: float | None) -> None:
    assert decode_topic(**facts).retention_seconds == want


@pytest.mark.parametrize(
    ("facts", "want"),
    [
        ({"compaction_enabled": True, "compaction": False}, True),
        ({"compaction": True}, True),
        ({"compaction": None, "cleanup_policy": "compact,delete"}, True),
        ({"cleanup_policy": "delete"}, False),
        ({"cleanup_policy": ["compact"]}, None),
    ],
)
def test_compaction(facts: dict[str, object], want: object) -> None:
    assert decode_topic(**facts).compacted is want


def test_thresholds_that_are_missing_are_left_out() -> None:
    percentages = {"subcritical_percentage": "150", "critical_percentage": None}

    assert decode({"limits": {"data_size": percentages}}).thresholds == (1.5,)


def test_an_add_on_is_known_by_its_uuid() -> None:
    assert decode_addon(load("addon")) == AddonIdentity(
        UUID, "standard-0", "kafka-animated-39618"
    )


@pytest.mark.parametrize(
    "plan",
    [
        None,
        {},
        {"name": 5},
        {"name": "heroku-postgresql:standard-0"},
        {"name": "x"},
        {"name": "heroku-kafka:"},
    ],
)
def test_a_plan_of_something_else_is_none(plan: object) -> None:
    assert decode_addon({"id": UUID.upper(), "plan": plan}) == (UUID, None, "")


@pytest.mark.parametrize(
    "value", [None, [], {}, {"id": 5}, {"id": "../../account"}, {"id": UUID + "\n"}]
)
def test_without_a_uuid_it_is_no_add_on(value: object) -> None:
    assert decode_addon(value) is None


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["1", "-1", "1e9", UUID, "\ud800"])
)
ANY_JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


def objects(*names: str) -> st.SearchStrategy[dict[str, Any]]:
    """Make objects with the fields that are read, whatever is in them."""
    return st.fixed_dictionaries({}, optional=dict.fromkeys(names, ANY_JSON))


LIMITS = st.fixed_dictionaries(
    {
        "data_size": objects("limit_bytes", "critical_percentage"),
        "max_topics": ANY_JSON,
        "max_partition_replica_count": ANY_JSON,
    }
)
CLUSTERS = st.fixed_dictionaries(
    {},
    optional={
        "state": objects("message", "waiting?", "healthy?", "degraded_brokers"),
        "limits": LIMITS,
        "formation": objects("kafkas"),
        **dict.fromkeys(
            ("topics", "admin_topic_names", "version", "data_size"), ANY_JSON
        ),
    },
)
TOPICS = st.fixed_dictionaries(
    {
        "topics": st.lists(
            objects("name", "partitions", "retention_time_ms", "status"), max_size=3
        )
    }
)


@given(ANY_JSON | CLUSTERS, ANY_JSON | TOPICS, ANY_JSON)
def test_any_json_is_decoded(cluster: object, topics: object, wait: object) -> None:
    """No JSON value raises, and what comes out can be counted and shown."""
    use = decode_cluster("kafka-x-1", None, cluster, topics, wait)

    assert (use is None) == (not isinstance(cluster, dict))
    records: list[ClusterUse | TopicUse] = [use, *use.topic_uses] if use else []
    for record in records:
        for field in fields(record):
            value = getattr(record, field.name)
            if isinstance(value, int | float):
                assert 0 <= value <= 1e18
            if isinstance(value, str):
                value.encode()


@given(ANY_JSON | objects("id", "plan", "name"))
def test_any_json_is_an_add_on_or_none(value: object) -> None:
    identity = decode_addon(value)

    assert identity is None or len(identity.uuid) == len(UUID)
