"""Renders answers one at a time, and once for all who ask for the same."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")

MAX_WAITING = 32
"""Different answers that may wait to be rendered."""

_LONGEST_PAUSE_SECONDS = 1.0


class QueueFullError(Exception):
    """Too many answers wait to be rendered."""


class RenderQueue:
    """Bounds how much rendering is under way.

    Requests for the same answer that arrive before its rendering starts share it; one
    that arrives later gets a newer one, so no answer is older than its request.

    Args:
        pause_factor: The queue pauses after each answer for this many times as long as
            it took, so that rendering leaves the interpreter to the drain.
    """

    def __init__(self, pause_factor: float = 0.0) -> None:
        self._pause_factor = pause_factor
        self._turn = asyncio.Lock()
        self._waiting: dict[Hashable, asyncio.Task[Any]] = {}
        self._resume_at = 0.0

    async def share(self, key: Hashable, build: Callable[[], Awaitable[T]]) -> T:
        """Render an answer when its turn comes.

        Args:
            key: What the answer depends on.
            build: Renders it.

        Returns:
            What `build` returns.

        Raises:
            QueueFullError: `MAX_WAITING` others wait.
        """
        task: asyncio.Task[T] | None = self._waiting.get(key)
        if task is None:
            if len(self._waiting) >= MAX_WAITING:
                raise QueueFullError
            task = asyncio.create_task(self._build(key, build))
            self._waiting[key] = task
        return await asyncio.shield(task)

    async def _build(self, key: Hashable, build: Callable[[], Awaitable[T]]) -> T:
        loop = asyncio.get_running_loop()
        async with self._turn:
            await asyncio.sleep(self._resume_at - loop.time())
            del self._waiting[key]
            started = loop.time()
            try:
                return await build()
            finally:
                pause = self._pause_factor * (loop.time() - started)
                self._resume_at = loop.time() + min(pause, _LONGEST_PAUSE_SECONDS)
