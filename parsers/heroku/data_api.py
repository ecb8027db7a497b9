"""What Heroku's APIs say of a Kafka cluster: JSON values in, frozen records out.

The Data API is not documented; heroku-kafka-jsplugin (``src/lib/clusters.ts``,
``src/commands/kafka``) and StratisLLC/heroku-platform-mcp-server (captured answers) show
what it sends. Fields come and go between plans and years, so each is taken on its own:
what is missing, null, of another type, negative, not finite or absurd is None, and what
is not known is passed over. ``metaas_source`` and ``customer_encryption_key`` are
internal to the platform and to the customer, and are never looked at.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from parsers.heroku.cluster_use import ClusterUse, Source, TopicUse

_SERVICE = "heroku-kafka:"
_OFFSETS_TOPIC = "__consumer_offsets"

# Kafka's own limit on the names of topics; no other text of the API comes near it.
_LONGEST_TEXT = 249
_LARGEST_NUMBER = 1e18  # bytes of all Kafka clusters there are would be less
_NUMBER = re.compile(r"[0-9]{1,19}(?:\.[0-9]{1,19})?(?:[eE][+-]?[0-9]{1,2})?")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_PERCENTAGES = ("subcritical", "critical", "supercritical")


class AddonIdentity(NamedTuple):
    """What the Platform API calls an add-on.

    Attributes:
        uuid: What the Data API wants to hear; safe as a part of a path.
        plan: Name of the plan without ``heroku-kafka:``; None where it is not said,
            and for add-ons of other services.
        name: Name of the add-on; empty where it is not said.
    """

    uuid: str
    plan: str | None
    name: str


def decode_addon(value: object) -> AddonIdentity | None:
    """Read the answer of the Platform API to ``GET /addons/{name}``.

    Args:
        value: The JSON value.

    Returns:
        The identity; None if the value is no object with a UUID in it.
    """
    addon = _object(value)
    uuid = addon.get("id")
    if not isinstance(uuid, str) or not _UUID.fullmatch(uuid):
        return None
    plan = _text(_object(addon.get("plan")).get("name")) or ""
    _, service, name = plan.rpartition(_SERVICE)
    return AddonIdentity(
        uuid=uuid.lower(),
        plan=(name or None) if service else None,
        name=_text(addon.get("name")) or "",
    )


def decode_cluster(
    addon: str,
    plan: str | None,
    cluster: object,
    topics: object | None,
    wait_status: object | None,
) -> ClusterUse | None:
    """Read what the Data API says of a cluster.

    Args:
        addon: Name of the add-on.
        plan: Name of its plan, where it is known.
        cluster: The JSON value of ``…/clusters/{uuid}``.
        topics: That of ``…/topics``, None where it was not had.
        wait_status: That of ``…/wait_status``, None where it was not had.

    Returns:
        The record; None if `cluster` is no object.
    """
    if not isinstance(cluster, dict):
        return None
    state, limits = _object(cluster.get("state")), _object(cluster.get("limits"))
    wait, listed = _object(wait_status), _object(topics)
    data_limits = _object(limits.get("data_size"))
    hidden = {_OFFSETS_TOPIC, *_texts(cluster.get("admin_topic_names"))}
    waiting = [_flag(state.get("waiting?")), _flag(wait.get("waiting?"))]
    topic_limits = _object(listed.get("limits"))
    return ClusterUse(
        addon=addon,
        source=Source.API,
        plan=plan,
        status=_text(state.get("message")) or _text(wait.get("message")),
        healthy=_first([_flag(state.get("healthy?")), _flag(wait.get("healthy?"))]),
        upgrading=True if True in waiting else _first(waiting),
        versions=_versions(cluster.get("version")),
        data_size_bytes=_count(cluster.get("data_size")),
        data_size_limit_bytes=_limit(data_limits.get("limit_bytes")),
        partition_replicas=_count(cluster.get("partition_replica_count")),
        partition_replicas_limit=_limit(limits.get("max_partition_replica_count")),
        topics=_count_topics(cluster.get("topics"), hidden),
        topics_limit=_limit(limits.get("max_topics"))
        or _limit(limits.get("max_number_of_topics"))
        or _limit(topic_limits.get("max_topics")),
        messages_in_per_second=_number(cluster.get("messages_in_per_sec")),
        bytes_in_per_second=_number(cluster.get("bytes_in_per_sec")),
        bytes_out_per_second=_number(cluster.get("bytes_out_per_sec")),
        brokers=_length(_object(cluster.get("formation")).get("kafkas")) or None,
        degraded_brokers=_length(state.get("degraded_brokers")),
        degraded_topics=_length(state.get("degraded_topics")),
        thresholds=_thresholds(data_limits),
        topic_uses=_topic_uses(listed.get("topics"), hidden),
    )


def _topic_uses(value: object, hidden: set[str]) -> tuple[TopicUse, ...]:
    """Read the list of topics; of two with one name the first counts."""
    found: dict[str, TopicUse] = {}
    for topic in map(_object, _list(value)):
        name = _text(topic.get("name"))
        if name and name not in hidden and name not in found:
            found[name] = _topic_use(name, topic)
    return tuple(found.values())


def _topic_use(name: str, topic: dict[str, object]) -> TopicUse:
    return TopicUse(
        name=name,
        partitions=_count(topic.get("partitions")),
        replication_factor=_count(topic.get("replication_factor")),
        data_size_bytes=_count(topic.get("data_size")),
        messages_in_per_second=_number(topic.get("messages_in_per_second")),
        bytes_in_per_second=_number(topic.get("bytes_in_per_second")),
        bytes_out_per_second=_number(topic.get("bytes_out_per_second")),
        retention_seconds=_retention(topic),
        compacted=_compacted(topic),
        status=_text(topic.get("status")),
    )


def _retention(topic: dict[str, object]) -> float | None:
    """Read the retention; a topic that only compacts may still have a number there."""
    milliseconds = _number(topic.get("retention_time_ms"))
    if not milliseconds or topic.get("retention_enabled") is False:
        return None
    return milliseconds / 1000


def _compacted(topic: dict[str, object]) -> bool | None:
    policy = _text(topic.get("cleanup_policy"))
    return _first(
        [
            _flag(topic.get("compaction_enabled")),
            _flag(topic.get("compaction")),
            None if policy is None else "compact" in policy,
        ]
    )


def _thresholds(data_limits: dict[str, object]) -> tuple[float, ...]:
    shares = [_number(data_limits.get(f"{name}_percentage")) for name in _PERCENTAGES]
    return tuple(share / 100 for share in shares if share)


def _versions(value: object) -> tuple[str, ...]:
    """Read a version or a list of them; two of them during an upgrade."""
    return tuple(dict.fromkeys(_texts([value] if isinstance(value, str) else value)))


def _count_topics(value: object, hidden: set[str]) -> int | None:
    if not isinstance(value, list):
        return None
    return sum(not isinstance(name, str) or name not in hidden for name in value)


def _object(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _length(value: object) -> int | None:
    return len(value) if isinstance(value, list) else None


def _texts(value: object) -> list[str]:
    return [text for text in map(_text, _list(value)) if text]


def _text(value: object) -> str | None:
    """Take a short text that can be shown; half a surrogate pair cannot be encoded."""
    if not isinstance(value, str):
        return None
    text = value.strip()
    return text if 0 < len(text) <= _LONGEST_TEXT and text.isprintable() else None


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _number(value: object) -> float | None:
    """Take a number, or a string of one; rates have come in both forms."""
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # Compared before it is converted: an int may be too large for a float. NaN fails.
    if not 0 <= value <= _LARGEST_NUMBER:
        return None
    return float(value) + 0.0  # makes 0.0 of -0.0


def _count(value: object) -> int | None:
    """Take a whole number; exact where it comes as one."""
    number = _number(value)
    if number is None:
        return None
    return value if isinstance(value, int) else round(number)


def _limit(value: object) -> int | None:
    """Take a whole number above 0: a plan that allows nothing is none."""
    return _count(value) or None


def _first(values: Iterable[bool | None]) -> bool | None:
    return next((value for value in values if value is not None), None)
