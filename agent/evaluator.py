"""Evaluates the alert rules at intervals, over what the engine knows."""

import asyncio
from collections.abc import Iterator

from agent.clock import Moment, read_clock
from agent.engine import Engine
from agent.logs import RareLog
from agent.metrics.series import Series
from agent.problems.board import INTERVAL_SECONDS, ProblemBoard
from agent.state.zero_first import ZeroFirst

# Of the time, at most, in which rules are evaluated.
_BUSY_SHARE = 0.05


class Evaluator:
    """Keeps the engine's problems up to date.

    Args:
        engine: What is evaluated, and where the problems go.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._board: ProblemBoard | None = None
        self._zero_first = ZeroFirst()
        self._log = RareLog()

    async def run(self) -> None:
        """Evaluate until cancelled."""
        started = read_clock().wall
        while True:
            now = read_clock()
            try:
                self._board = await asyncio.to_thread(self._prepare, started)
                await self._evaluate(self._board)
            except Exception as error:  # noqa: BLE001 (the next evaluation may succeed)
                self._engine.telemetry.internal_errors += 1
                self._log.failure("problems.failed", error)
            took = read_clock().monotonic - now.monotonic
            await asyncio.sleep(max(INTERVAL_SECONDS, took / _BUSY_SHARE))

    def _prepare(self, started: float) -> ProblemBoard:
        """Compile the rules, which takes a while, if their thresholds are new."""
        thresholds = self._engine.settings.thresholds
        if self._board is None:
            return ProblemBoard(thresholds, started)
        if thresholds is not self._board.thresholds:
            self._board.reconfigure(thresholds)
        return self._board

    async def _evaluate(self, board: ProblemBoard) -> None:
        now = read_clock()
        series = read_series(self._engine, self._zero_first, now)
        problems = await asyncio.to_thread(board.evaluate, series, now.wall)
        self._engine.problems, self._engine.evaluated_at = problems, now.wall


def read_series(engine: Engine, zero_first: ZeroFirst, now: Moment) -> Iterator[Series]:
    """Yield what rules are evaluated over; any thread may iterate.

    Args:
        engine: What is evaluated.
        zero_first: Which new nodes are shown with their counters at 0.
        now: The time of the evaluation.
    """
    snapshot = engine.snapshot(now)
    # Half an interval: the next evaluation sees the counters as they are.
    nodes = zero_first.present(snapshot.nodes, now, INTERVAL_SECONDS / 2)
    return snapshot._replace(nodes=nodes).series()
