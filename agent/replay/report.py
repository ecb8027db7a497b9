"""A replay as JSON: names, units and times as documented, nothing rounded."""

import json
from collections import Counter
from dataclasses import asdict
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from agent.replay.runner import Replay
from agent.replay.summary import BrokerSummary, ClusterSummary, NodeSummary
from parsers import Level

Json = dict[str, Any]


def render_json(replay: Replay) -> str:
    """Write a replay as one JSON object.

    Args:
        replay: What archives held.

    Returns:
        The text. Values are in base units, times are ISO 8601 in UTC or null, and
        whatever counts something is an integer.
    """
    return json.dumps(
        {
            "inputs": [
                {
                    "name": one.name,
                    "kind": None if one.kind is None else one.kind.value,
                    "bytes": one.size_bytes,
                }
                for one in replay.inputs
            ],
            "problems": replay.problems,
            "lines": {
                "metrics": replay.metric_lines,
                "broker_logs": replay.log_lines,
                "repeated": replay.repeated,
                "undated": replay.undated,
                "others": replay.others,
            },
            "losses": dict(sorted(replay.losses.items())),
            "refused": _by_value(replay.refused),
            "dropped": _by_value(replay.dropped),
            "clusters": [_cluster(one) for one in replay.clusters],
        },
        indent=2,
    )


def render_time(timestamp: float | None) -> str | None:
    """Write a time in UTC, to the millisecond: ``2026-04-15T14:53:16.000Z``."""
    if timestamp is None:
        return None
    moment = datetime.fromtimestamp(timestamp, tz=UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _by_value(counts: Counter[Any]) -> dict[str, int]:
    return {
        key.value: count
        for key, count in sorted(counts.items(), key=lambda one: _value(one[0]))
    }


def _value(member: Enum) -> str:
    return str(member.value)


def _cluster(cluster: ClusterSummary) -> Json:
    of_all = [one for one in cluster.brokers if one.broker is None]
    return {
        "addon": cluster.addon,
        "cluster": _broker(of_all[0]) if of_all else None,
        "brokers": [
            {"broker": one.broker, **_broker(one)}
            for one in cluster.brokers
            if one.broker is not None
        ],
        "nodes": [_node(one) for one in cluster.nodes],
    }


def _broker(broker: BrokerSummary) -> Json:
    return {
        "first": render_time(broker.first),
        "last": render_time(broker.last),
        "lines": broker.lines,
        "samples": broker.samples,
        "interval_seconds": broker.interval_seconds,
        "gauges": {name: asdict(one) for name, one in broker.gauges.items()},
        "gaps": {
            "count": broker.gaps,
            "longest": [
                {
                    "start": render_time(gap.start),
                    "end": render_time(gap.end),
                    "seconds": round(gap.seconds, 3),
                }
                for gap in broker.longest_gaps
            ],
        },
    }


def _node(node: NodeSummary) -> Json:
    return {
        "node": node.node,
        "first": render_time(node.first),
        "last": render_time(node.last),
        "levels": {level.value: node.levels[level] for level in Level},
        "events": [
            {"category": category, "urgency": urgency, "count": count}
            for category, urgency, count in sorted(
                (category.value, urgency.value, count)
                for (category, urgency), count in node.events.items()
            )
        ],
    }
