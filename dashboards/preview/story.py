"""What happened to the clusters of the preview in the last eight days.

Two clusters are there all the time, one of each tier, and things happen to them; beside
them each scenario of the simulator runs on a cluster of each tier for the last hour.
"""

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import sin, tau
from typing import NamedTuple

from agent.simulator import (
    SCENARIOS,
    Cluster,
    Line,
    Scenario,
    frame_line,
    simulate,
)
from agent.simulator.bystanders import accompany
from parsers import ClusterUse, Source, TopicUse

MINUTE, HOUR, DAY = 60, 3_600, 86_400
GIB = 1 << 30
OTHERS = 0.5
_BROKERS = {"standard": 3, "extended": 8}
_SEED = 7
_HALT = "pri=FATAL t=main at=Kafka$ Halting Kafka."


class Episode(NamedTuple):
    """Something that happens to a cluster once.

    Attributes:
        scenario: Name of the simulator's scenario.
        begin: Seconds before the end of the story.
    """

    scenario: str
    begin: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tale:
    """One cluster.

    Attributes:
        addon: Its name.
        plan: Name of its plan.
        scenario: What happens to it.
        begin: When the scenario begins, in seconds before the end of the story.
        known: Since when the cluster is there, quiet until then; the same.
        version: Of Kafka.
        produced: Bytes a second that producers write.
        data_bytes: Stored data at the end of the story.
        growth_bytes: How much of it came within a day, on average.
        halts: When its first broker says that it halts, in seconds before the end.
    """

    addon: str
    plan: str
    scenario: Scenario
    begin: int
    known: int
    version: str = "3.7.1"
    produced: float = 900_000.0
    data_bytes: float = 90.0 * GIB
    growth_bytes: float = 0.4 * GIB
    halts: tuple[int, ...] = ()

    @property
    def brokers(self) -> int:
        """How many it has at the start."""
        return _BROKERS[self.plan.partition("-")[0]]


STANDARD = "kafka-animated-39618"
EXTENDED = "kafka-rectangular-20417"

_LIVELY = 7 * HOUR
_LAST = 45 * MINUTE


def _compose(*episodes: Episode) -> Scenario:
    """Make one scenario of several that happen one after another, each once."""
    effects, speeches = [], []
    for name, begin in episodes:
        at = _LIVELY - begin
        effects += [
            replace(one, begin=one.begin + at, end=one.end + at)
            for one in SCENARIOS[name].effects
        ]
        speeches += [
            replace(one, begin=one.begin + at, end=one.end + at)
            for one in SCENARIOS[name].speeches
        ]
    return Scenario(
        about="an eventful day", effects=tuple(effects), speeches=tuple(speeches)
    )


_MAIN = (
    Tale(
        addon=STANDARD,
        plan="standard-1",
        scenario=_compose(
            Episode("rolling-restart", 290 * MINUTE),
            Episode("broker-loss", 220 * MINUTE),
            Episode("node-failure", 140 * MINUTE),
            Episode("hot-broker", 52 * MINUTE),
        ),
        begin=_LIVELY,
        known=8 * DAY,
        data_bytes=221.0 * GIB,
        growth_bytes=5.5 * GIB,
        halts=(135 * MINUTE + 3,),
    ),
    Tale(
        addon=EXTENDED,
        plan="extended-1",
        scenario=_compose(
            Episode("memory-pressure", 300 * MINUTE),
            Episode("node-failure", 200 * MINUTE),
            Episode("disk-filling", 90 * MINUTE),
        ),
        begin=_LIVELY,
        known=8 * DAY,
        produced=2_600_000.0,
        data_bytes=655.0 * GIB,
        growth_bytes=11.0 * GIB,
        version="2.8.2",
        halts=(69 * MINUTE + 41,),
    ),
)

TALES: tuple[Tale, ...] = (
    *_MAIN,
    *(
        Tale(
            addon=f"kafka-{scenario}-{10 + number}",
            plan=plan,
            scenario=SCENARIOS[scenario],
            begin=_LAST,
            known=_LAST,
        )
        for number, (plan, scenario) in enumerate(
            itertools.product(("standard-0", "extended-0"), SCENARIOS)
        )
    ),
)


def tell(tale: Tale, end: int) -> Iterator[tuple[int, list[Line]]]:
    """Tell the lines of a cluster, with those of the app around them.

    Args:
        tale: The cluster.
        end: When the story ends, in seconds since the epoch.

    Yields:
        Each moment, in seconds since the epoch, and its lines.
    """
    lively = end - tale.begin
    # A quiet week need not be told second by second, as the scenarios want to be.
    yield from _tell(
        tale, SCENARIOS["steady"], range(end - tale.known, lively, MINUTE), end
    )
    yield from _tell(tale, tale.scenario, range(lively, end), end)


def _tell(
    tale: Tale, scenario: Scenario, moments: range, end: int
) -> Iterator[tuple[int, list[Line]]]:
    cluster = Cluster(
        addon=tale.addon,
        scenario=scenario,
        brokers=tale.brokers,
        interval=20 if moments.step == 1 else 1,
        produced=tale.produced,
        seed=_SEED,
        start=moments.start,
    )
    rng = random.Random(tale.addon)  # noqa: S311 (seeded on purpose)
    for second, lines in zip(moments, simulate(cluster, iter(moments)), strict=True):
        if end - second in tale.halts:
            lines.append(Line(second, "kafka", f"{tale.addon}.0", _HALT))
        if lines:
            yield second, list(accompany(lines, OTHERS, second, rng))


def frame(lines: list[Line]) -> bytes:
    """Write lines as a drain's body."""
    return b"".join(map(frame_line, lines))


_TOPICS = (
    ("orders", 64, 0.34, 7 * DAY),
    ("payments.v2", 32, 0.21, 14 * DAY),
    ("user_events-2024", 96, 0.27, 2 * DAY),
    ("page-views", 48, 0.12, DAY),
    ("audit", 16, 0.06, None),
)


def look_at(tale: Tale, at: int, end: int) -> ClusterUse:
    """Say what Heroku would say of a cluster's use.

    Args:
        tale: The cluster.
        at: When, in seconds since the epoch.
        end: When the story ends.

    Returns:
        The use. Data grows from day to day, more by day than by night, and falls a
        little each time that segments are deleted.
    """
    before = (end - at) / DAY
    wave = 0.006 * sin(tau * (at / DAY - 0.35)) + 0.004 * (at % (6 * HOUR)) / (6 * HOUR)
    size = (tale.data_bytes - before * tale.growth_bytes) * (1 + wave)
    replicas = tale.brokers * 1_400 - int(before) * 24
    topics = tuple(
        TopicUse(
            name=name,
            partitions=partitions,
            replication_factor=3,
            data_size_bytes=int(size * share),
            messages_in_per_second=round(tale.produced * share / 900),
            bytes_in_per_second=round(tale.produced * share),
            bytes_out_per_second=round(tale.produced * share * 1.6),
            retention_seconds=retention,
            compacted=retention is None,
        )
        for name, partitions, share, retention in _TOPICS
    )
    return ClusterUse(
        addon=tale.addon,
        source=Source.API,
        plan=tale.plan,
        status="available",
        healthy=True,
        upgrading=False,
        versions=(tale.version,),
        data_size_bytes=int(size),
        partition_replicas=replicas,
        topics=84 - int(before),
        messages_in_per_second=round(tale.produced / 900),
        degraded_brokers=0,
        degraded_topics=0,
        topic_uses=topics,
    )
