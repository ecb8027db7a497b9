"""Turns a scenario into the lines of a cluster's brokers, second by second.

The numbers hang together as a real broker's do: replication counts in both directions,
the three load averages are averages of one load (their kernel's way, exponentially), and
the percentage of memory follows from the other three values.
"""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from agent.simulator.scenarios import Effect, LogPattern, Scenario, Target

DAY_SECONDS = 86_400
IO_BYTES = 16_384  # what the documentation counts as one operation
NEW_BROKERS = 5
TOPICS = (
    "orders",
    "payments.v2",
    "user_events-2024",
    "page-views",
    "__consumer_offsets",
)
PARTITIONS = 32


class Line(NamedTuple):
    """One line of a log stream.

    Attributes:
        time: Seconds since the epoch.
        app: APP-NAME.
        proc: PROCID.
        message: The message.
    """

    time: float
    app: str
    proc: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """What is simulated.

    Attributes:
        addon: Name of the add-on.
        scenario: What happens to it.
        brokers: Brokers at the start.
        interval: Seconds between two metric lines of a broker; Heroku's is not
            documented, 20 s is that of its dynos' metrics.
        memory_kib: Memory of a broker's server.
        produced: Bytes a second that producers write, on the mean of a day.
        seed: What everything random comes from.
        start: When the scenario begins, in seconds since the epoch.
    """

    addon: str
    scenario: Scenario
    brokers: int = 3
    interval: int = 20
    memory_kib: int = 16_098_868
    produced: float = 900_000.0
    seed: int = 0
    start: int = 0


@dataclass(slots=True)
class _Broker:
    """One broker between two seconds."""

    weight: float
    loads: list[float] = field(default_factory=lambda: [0.1, 0.1, 0.1])
    noise: float = 0.0


@dataclass(slots=True)
class _Conditions:
    """All effects on one broker at one moment, put together; see `Effect`."""

    silent: bool = False
    bytes_in: float = 1.0
    bytes_out: float = 1.0
    load: float = 0.0
    read_iops: float = 0.0
    memory: float = 0.0
    cache: float = 1.0

    def add(self, effect: Effect, moment: int) -> None:
        """Add an effect as far as it has ramped up."""
        share = 1.0
        if effect.ramp:
            share = min(1.0, (moment - effect.begin) / effect.ramp)
        self.silent = self.silent or effect.silent
        self.bytes_in *= 1 + (effect.bytes_in - 1) * share
        self.bytes_out *= 1 + (effect.bytes_out - 1) * share
        self.load += effect.load * share
        self.read_iops += effect.read_iops * share
        self.memory += effect.memory * share
        self.cache *= 1 + (effect.cache - 1) * share


def simulate(cluster: Cluster, seconds: Iterator[int]) -> Iterator[list[Line]]:
    """Simulate a cluster.

    Args:
        cluster: What is simulated.
        seconds: The moments wanted, each one second after the one before.

    Yields:
        The lines of each second.
    """
    simulation = _Simulation(cluster)
    for second in seconds:
        yield simulation.advance(second)


class _Simulation:
    """The cluster's state from second to second."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._rng = random.Random(f"{cluster.seed} {cluster.addon}")  # noqa: S311 (seeded on purpose)
        self._brokers: list[_Broker] = []
        self._grow(cluster.brokers)

    def _grow(self, count: int) -> None:
        while len(self._brokers) < count:
            self._brokers.append(_Broker(weight=self._rng.uniform(0.85, 1.15)))

    def advance(self, second: int) -> list[Line]:
        """Move on to `second` and return its lines."""
        cluster = self._cluster
        scenario = cluster.scenario
        at = second - cluster.start
        if scenario.grows_at and at >= scenario.grows_at:
            self._grow(cluster.brokers + NEW_BROKERS)
        period, moment = divmod(at, scenario.period) if scenario.period else (0, at)
        victim = (len(self._brokers) - 1 + period) % len(self._brokers)
        lines: list[Line] = []
        for number, broker in enumerate(self._brokers):
            conditions = self._conditions(number, victim, moment)
            values = self._live(broker, conditions, second)
            if conditions.silent:
                continue
            spread = number * cluster.interval // len(self._brokers)
            if second % cluster.interval == spread:
                lines.append(self._metrics(number, values, second))
            lines += [
                self._write(pattern, number, victim, second)
                for pattern in scenario.speeches
                if self._is_due(pattern, number, victim, moment)
            ]
        return lines

    def _conditions(self, number: int, victim: int, moment: int) -> _Conditions:
        conditions = _Conditions()
        for effect in self._cluster.scenario.effects:
            now = effect.begin <= moment < effect.end
            if now and self._is(effect.target, number, victim):
                conditions.add(effect, moment)
        return conditions

    def _is(self, target: Target, number: int, victim: int) -> bool:
        match target:
            case Target.ALL:
                return True
            case Target.VICTIM:
                return number == victim
            case Target.OTHERS:
                return number != victim
            case Target.CONTROLLER:
                return number == (victim + 1) % len(self._brokers)
            case Target.NEW:
                return number >= self._cluster.brokers
            case Target.OLD:
                return number < self._cluster.brokers

    def _live(
        self, broker: _Broker, conditions: _Conditions, second: int
    ) -> dict[str, str]:
        """Move one broker on by a second; return its samples as they are written."""
        rng, cluster = self._rng, self._cluster
        broker.noise = 0.98 * broker.noise + rng.gauss(0, 0.02)
        wave = 1 + 0.45 * math.sin(math.tau * (second / DAY_SECONDS - 0.35))
        produced = cluster.produced * wave * max(0.2, 1 + broker.noise)
        replicas = min(3, len(self._brokers)) / len(self._brokers)
        bytes_in = produced * replicas * broker.weight * conditions.bytes_in
        # Two followers fetch what a leader takes in, and consumers read it again.
        bytes_out = produced / len(self._brokers) * 3.2 * broker.weight
        bytes_out *= conditions.bytes_out
        busy = 0.05 + (bytes_in + bytes_out) / 12e6 + conditions.load
        busy = max(0.0, busy * (1 + rng.gauss(0, 0.15)))
        for index, minutes in enumerate((1, 5, 15)):
            kept = math.exp(-1 / (60 * minutes))
            broker.loads[index] = broker.loads[index] * kept + busy * (1 - kept)
        total = cluster.memory_kib
        used = min(0.97, 0.32 + 0.01 * broker.noise + conditions.memory)
        cached = min(1 - used - 0.02, 0.45) * conditions.cache
        cached_kib, free_kib = int(total * cached), int(total * (1 - used - cached))
        share = (total - free_kib - cached_kib) / total
        return {
            "load-avg-1m": f"{broker.loads[0]:.3g}",
            "load-avg-5m": f"{broker.loads[1]:.3g}",
            "load-avg-15m": f"{broker.loads[2]:.3g}",
            "read-iops": f"{conditions.read_iops * rng.uniform(0.8, 1.2):.5g}",
            "write-iops": f"{bytes_in / IO_BYTES * rng.uniform(0.9, 1.1):.5g}",
            "memory-total": f"{total}kB",
            "memory-free": f"{free_kib}kB",
            "memory-percentage-used": f"{share:.5f}",
            "memory-cached": f"{cached_kib}kB",
            "bytes-in-per-second": f"{bytes_in:.1f}",
            "bytes-out-per-second": f"{bytes_out:.1f}",
        }

    def _metrics(self, number: int, values: dict[str, str], second: int) -> Line:
        samples = " ".join(f"sample#{name}={value}" for name, value in values.items())
        message = f"source=KAFKA addon={self._cluster.addon} {samples}"
        return Line(second, "app", f"heroku-kafka.{number}", message)

    def _is_due(
        self, pattern: LogPattern, number: int, victim: int, moment: int
    ) -> bool:
        if not self._is(pattern.target, number, victim):
            return False
        if not pattern.each_minute:
            return moment == pattern.begin
        within = pattern.begin <= moment < pattern.end
        return within and self._rng.random() < pattern.each_minute / 60

    def _write(
        self, pattern: LogPattern, number: int, victim: int, second: int
    ) -> Line:
        rng = self._rng
        message = pattern.line.format(
            id=number,
            victim=victim,
            topic=rng.choice(TOPICS),
            partition=rng.randrange(PARTITIONS),
            number=rng.randrange(1_000, 9_000_000),
        )
        return Line(second, "kafka", f"{self._cluster.addon}.{number}", message)
