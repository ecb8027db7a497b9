"""``GET /api/clusters``: newest values and last hours of every broker, as JSON.

Each broker is encoded on its own, so that no single call keeps the interpreter from the
event loop for longer than a fraction of a millisecond.
"""

import asyncio
from array import array
from collections.abc import Collection, Iterable
from functools import cache
from typing import NamedTuple

from msgspec import Raw

from agent.clock import Moment
from agent.metrics.specs import SAMPLES
from agent.state.admission import Admission
from agent.state.history import POINTS, SHOWN, STEP_SECONDS, History
from agent.state.views import BrokerView, NodeView
from agent.web.copies import ClusterCopy, Copier, Copies, Histories
from agent.web.parameters import parse_count, read_parameters
from agent.web.revisions import Cursor, parse_cursor
from agent.web.schema import Broker, Cluster, Clusters, Node, encode

MAX_CLUSTERS = 1_000
MAX_VALUES = 500_000
"""Numbers in one response, about 4 MB; at least one cluster is in it."""

_PARAMETERS = ("cluster", "since", "after", "points", "limit")
_VALUES_BESIDE = 20  # of a broker or node beside its history
_LATE_STEPS = 2  # what arrives late belongs to steps that were answered before


class ClusterQuery(NamedTuple):
    """What is asked for.

    Attributes:
        clusters: Names; empty for all.
        since: What the client has seen; None for nothing.
        after: Only clusters whose names sort after this.
        points: Newest values of each history.
        limit: Number of clusters at most.
    """

    clusters: Collection[str]
    since: Cursor | None
    after: str
    points: int
    limit: int


class Selection(NamedTuple):
    """The clusters of one response, and whether there are more."""

    base: Cursor | None
    clusters: list[tuple[str, ClusterCopy]]
    is_cut: bool
    points: int


def parse_cluster_query(items: Iterable[tuple[str, str]]) -> ClusterQuery:
    """Read the parameters of the query.

    Raises:
        ValueError: One sentence that says what is wrong and what would be right.
    """
    given = read_parameters(items, _PARAMETERS)
    last = {name: values[-1] for name, values in given.items()}
    return ClusterQuery(
        clusters=frozenset(given.get("cluster", ())),
        since=parse_cursor(last["since"]) if last.get("since") else None,
        after=last.get("after", ""),
        points=parse_count("points", last.get("points", str(POINTS)), 0, POINTS),
        limit=parse_count(
            "limit", last.get("limit", str(MAX_CLUSTERS)), 1, MAX_CLUSTERS
        ),
    )


async def build_clusters(
    copier: Copier, admission: Admission, query: ClusterQuery
) -> bytes:
    """Copy on the event loop, select and encode in a thread.

    Returns:
        JSON of `Clusters`.
    """
    copies = await copier.copy()
    selected = select_clusters(copier, copies, query)
    histories: Histories = {}
    if selected.points:
        histories = await copier.copy_histories(selected.clusters, SHOWN)
    return await asyncio.to_thread(
        _render, copies, selected, histories, admission, copier.revisions.token
    )


def select_clusters(copier: Copier, copies: Copies, query: ClusterQuery) -> Selection:
    """Select the clusters that are asked for and have changed, up to the limits."""
    step = int(copies.now.wall) // STEP_SECONDS
    base = copier.revisions.maybe_base(query.since, step)
    points = query.points
    if base is not None:
        points = min(step - base.step + 1 + _LATE_STEPS, points)
    chosen: list[tuple[str, ClusterCopy]] = []
    left = MAX_VALUES
    for name, cluster in copies.clusters.items():
        if (
            name <= query.after
            or (query.clusters and name not in query.clusters)
            or not (cluster.brokers or cluster.nodes)
            or (base and copier.revisions.last_change(name) <= base.revision)
        ):
            continue
        left -= len(cluster.brokers) * (len(SHOWN) * points + _VALUES_BESIDE)
        left -= len(cluster.nodes) * _VALUES_BESIDE
        if chosen and (left < 0 or len(chosen) == query.limit):
            return Selection(base, chosen, is_cut=True, points=points)
        chosen.append((name, cluster))
    return Selection(base, chosen, is_cut=False, points=points)


def _render(
    copies: Copies,
    selected: Selection,
    histories: Histories,
    admission: Admission,
    token: str,
) -> bytes:
    now = copies.now
    clusters = [
        Cluster(
            name,
            [
                _encode_broker(
                    view,
                    histories.get((name, view.broker)) or History(),
                    now,
                    selected.points,
                    admission,
                )
                for view in cluster.brokers
            ],
            [_describe_node(node) for node in cluster.nodes],
        )
        for name, cluster in selected.clusters
    ]
    step = int(now.wall) // STEP_SECONDS
    return encode(
        Clusters(
            now=now.wall,
            step=STEP_SECONDS,
            full=selected.base is None,
            next=str(Cursor(token, copies.revision, step)),
            after=selected.clusters[-1][0] if selected.is_cut else None,
            clusters=[Raw(encode(cluster)) for cluster in clusters],
        )
    )


def _encode_broker(
    view: BrokerView, history: History, now: Moment, points: int, admission: Admission
) -> Raw:
    return Raw(
        encode(
            Broker(
                broker=view.broker,
                status=view.status,
                last_sample=view.last_timestamp,
                values={
                    admission.specs(key).name: value
                    for key, value in view.values.items()
                },
                history={
                    SAMPLES[key].name: write_points(
                        history.window(key, now.wall, points)
                    )
                    for key in SHOWN
                },
            )
        )
    )


def write_points(points: "array[float]") -> Raw:
    """Write points as a JSON array of seven digits each, as many as a float has."""
    text = _format(len(points)) % tuple(points)
    if "n" in text:  # nan, inf, -inf
        text = text.replace("nan", "null").replace("-inf", "inf").replace("inf", "null")
    return Raw(text.encode())


@cache
def _format(points: int) -> str:
    return "[" + ",".join(["%.7g"] * points) + "]"


def _describe_node(view: NodeView) -> Node:
    # msgspec encodes members of an enum as keys from 0.22 on only.
    return Node(
        node=view.node,
        broker=view.broker,
        lines={level.value: count for level, count in view.lines.items()},
        urgencies={one.value: count for one, count in view.urgencies.items()},
    )
