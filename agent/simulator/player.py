"""Plays a simulation at a pace: to a drain, or as text."""

import asyncio
import itertools
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from agent.simulator.bystanders import accompany
from agent.simulator.cluster import Cluster, Line, simulate
from agent.simulator.logplex import Logplex


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """What is played, and how fast.

    Attributes:
        clusters: The clusters whose lines the stream holds.
        start: Its first second, in seconds since the epoch.
        seconds: How many there are; None for endless.
        speed: Simulated seconds in a real one; None for as fast as may be.
        others: The part of the lines that the app itself writes.
        seed: What everything random comes from.
        time_lapse: Stamp the lines with the time at which they are played: at a speed
            of 60 a minute of the story takes a second for whoever reads it.
    """

    clusters: tuple[Cluster, ...]
    start: int
    seconds: int | None = None
    speed: float | None = 1.0
    others: float = 0.95
    seed: int = 0
    time_lapse: bool = False

    def stamp(self, moment: float) -> float:
        """Return what a line of `moment` is stamped with."""
        if self.time_lapse and self.speed is not None:
            return self.start + (moment - self.start) / self.speed
        return moment

    def lines(self) -> Iterator[tuple[int, list[Line]]]:
        """Yield each second and its lines."""
        rng = random.Random(f"bystanders {self.seed}")  # noqa: S311 (seeded on purpose)
        seconds: Iterator[int] = itertools.count(self.start)
        if self.seconds is not None:
            seconds = itertools.islice(seconds, self.seconds)
        stories = [
            simulate(cluster, itertools.count(self.start)) for cluster in self.clusters
        ]
        for second in seconds:
            lines = list(itertools.chain.from_iterable(map(next, stories)))
            yield (
                second,
                [
                    line._replace(time=self.stamp(line.time))
                    for line in accompany(lines, self.others, second, rng)
                ],
            )


class Pace:
    """Waits until a simulated second is due.

    Nothing is written before its time: a play that is faster than real time begins in
    the past, and goes on in real time once it has caught up.
    """

    def __init__(self, play: Play) -> None:
        self._play = play
        self._began = time.monotonic()

    def delay(self, second: int) -> float:
        """Return how long to wait for `second`, in real seconds."""
        delay = self._play.stamp(second) - time.time()
        if self._play.speed is not None:
            due = self._began + (second - self._play.start) / self._play.speed
            delay = max(delay, due - time.monotonic())
        return max(0.0, delay)


Progress = Callable[[int], None]
"""Is told each simulated second that has been played."""


async def play_to_drain(play: Play, drain: Logplex, progress: Progress) -> None:
    """Send a play to a drain, and wait until all of it has left.

    Args:
        play: What is played.
        drain: Where to.
        progress: Is told how far it is.
    """
    pace = Pace(play)
    delivery = asyncio.create_task(drain.deliver())
    try:
        for second, lines in play.lines():
            delay = pace.delay(second)
            if delay > 0:
                await asyncio.sleep(delay)
                drain.offer(lines)
            else:
                # Behind the clock, so no real stream: the receiver sets the pace.
                await drain.offer_patiently(lines)
            progress(second)
            if delivery.done():
                break
    finally:
        drain.end()
        await delivery


def play_as_text(play: Play, write: Callable[[Line], None], progress: Progress) -> None:
    """Write a play as text.

    Args:
        play: What is played.
        write: Takes each line.
        progress: Is told how far it is.
    """
    pace = Pace(play)
    for second, lines in play.lines():
        time.sleep(pace.delay(second))
        for line in lines:
            write(line)
        progress(second)
