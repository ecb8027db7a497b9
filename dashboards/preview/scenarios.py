"""What happened to some simulated clusters in the last eight days.

Two clusters exist all the time, one of each tier. In addition, each scenario of the
simulator runs on a cluster of its own for the last 45 minutes.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from agent.simulator import SCENARIOS, Cluster, Line, Scenario, simulate
from agent.simulator.bystanders import accompany
from parsers import ClusterUse, Source, TopicUse

MINUTE, HOUR, DAY = 60, 3_600, 86_400
GIB = 1 << 30
STANDARD, EXTENDED = "kafka-animated-39618", "kafka-rectangular-20417"
_BROKERS = {"standard": 3, "extended": 8}
_EVENTFUL, _LAST = 7 * HOUR, 45 * MINUTE
_KNOWN = 8 * DAY + 3 * HOUR + 11 * MINUTE  # the last restart is 3 h 11 min ago
_HALT = "pri=FATAL t=main at=Kafka$ Halting Kafka."


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The history of one cluster; times are in seconds before its end.

    Attributes:
        addon: Its name.
        plan: Name of its plan.
        scenario: What happens to it.
        begin: When the scenario begins.
        known: Since when the cluster exists, without events until `begin`.
        data_bytes: Stored data at the end.
        growth_bytes: Its growth per day.
        halts: When its first broker logs that it halts.
    """

    addon: str
    plan: str
    scenario: Scenario
    begin: int = _LAST
    known: int = _LAST
    data_bytes: float = 90.0 * GIB
    growth_bytes: float = 0.4 * GIB
    halts: tuple[int, ...] = ()


def _compose(*begins: tuple[str, int]) -> Scenario:
    """Make one scenario of several, each with the minutes before the end."""
    parts: dict[str, list[Any]] = {"effects": [], "speeches": []}
    for name, minutes in begins:
        shift = _EVENTFUL - minutes * MINUTE
        for kind, found in parts.items():
            found += [
                replace(one, begin=one.begin + shift, end=one.end + shift)
                for one in getattr(SCENARIOS[name], kind)
            ]
    moved: dict[str, Any] = {kind: tuple(found) for kind, found in parts.items()}
    return Scenario(about="an eventful day", **moved)


HISTORIES: tuple[History, ...] = (
    History(
        addon=STANDARD,
        plan="standard-1",
        scenario=_compose(
            ("rolling-restart", 290),
            ("broker-loss", 220),
            ("node-failure", 140),
            ("hot-broker", 52),
        ),
        begin=_EVENTFUL,
        known=_KNOWN,
        data_bytes=221.0 * GIB,
        growth_bytes=5.5 * GIB,
        halts=(135 * MINUTE + 3,),
    ),
    History(
        addon=EXTENDED,
        plan="extended-1",
        scenario=_compose(
            ("memory-pressure", 300), ("node-failure", 200), ("disk-filling", 90)
        ),
        begin=_EVENTFUL,
        known=_KNOWN,
        data_bytes=655.0 * GIB,
        growth_bytes=11.0 * GIB,
        halts=(69 * MINUTE + 41,),
    ),
    *(
        History(addon=f"kafka-{name}-{number}", plan="standard-0", scenario=scenario)
        for number, (name, scenario) in enumerate(SCENARIOS.items(), 10)
    ),
)


def generate_lines(history: History, end: int) -> Iterator[tuple[int, list[Line]]]:
    """Generate the lines of a cluster and its app, by seconds since the epoch."""
    known, begin = end - history.known, end - history.begin
    rng = random.Random(history.addon)  # noqa: S311 (seeded on purpose)
    # Without events, a sample each minute is enough.
    for scenario, moments in (
        (SCENARIOS["steady"], range(known, begin, MINUTE)),
        (history.scenario, range(begin, end)),
    ):
        cluster = Cluster(
            addon=history.addon,
            scenario=scenario,
            brokers=_BROKERS[history.plan[:8]],
            interval=20 if moments.step == 1 else 1,
            seed=7,
            start=moments.start,
        )
        simulated = simulate(cluster, iter(moments))
        for second, lines in zip(moments, simulated, strict=True):
            if end - second in history.halts:
                lines.append(Line(second, "kafka", f"{history.addon}.0", _HALT))
            if lines:
                yield second, list(accompany(lines, 0.5, second, rng))


_TOPICS = (("orders", 0.4, 7 * DAY), ("views", 0.6, DAY), ("audit", 0.1, None))
"""Names, shares of the data, and retention in seconds; without one, compacted."""


def measure_use(history: History, at: int, end: int) -> ClusterUse:
    """Return what Heroku reports of a cluster; times are seconds since the epoch."""
    before = (end - at) / DAY
    size = history.data_bytes - before * history.growth_bytes
    topics = tuple(
        TopicUse(
            name=name,
            data_size_bytes=int(size * share),
            retention_seconds=retention,
            compacted=retention is None,
        )
        for name, share, retention in _TOPICS
    )
    return ClusterUse(
        addon=history.addon,
        source=Source.API,
        plan=history.plan,
        status="available",
        healthy=True,
        upgrading=False,
        versions=("3.7.1",),
        data_size_bytes=int(size),
        partition_replicas=_BROKERS[history.plan[:8]] * 1_400 - int(before) * 24,
        topics=84 - int(before),
        messages_in_per_second=1_000,
        degraded_brokers=0,
        degraded_topics=0,
        topic_uses=topics,
    )
