"""Reloading the configuration while the agent runs: all of it, or nothing.

Each part reads its files again and checks them, in a thread. Only where no part has a
problem are they put to use, all in one step of the event loop.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping

from agent.clock import read_clock
from agent.errors import SettingsError
from agent.logs import RareLog, get_logger
from agent.state.telemetry import Telemetry

Use = Callable[[], None]
"""Puts to use what was read. Runs in the event loop and must not raise."""

Part = Callable[[], Use]
"""Reads and checks one part of the configuration, in a thread; raises `SettingsError`."""


class Reloader:
    """Reloads parts of the configuration.

    Args:
        parts: By name.
        telemetry: Where the outcome is exported.
    """

    def __init__(self, parts: Mapping[str, Part], telemetry: Telemetry) -> None:
        self._parts = parts
        self._telemetry = telemetry
        self._failed: set[str] = set()
        self._lock = asyncio.Lock()
        self._rare_log = RareLog()

    async def reload(self, *names: str) -> tuple[str, ...]:
        """Reload some parts together; with a problem in any of them, none.

        Args:
            names: Which; none for all.

        Returns:
            One sentence for each problem; nothing where the reload was successful.
        """
        chosen = names or tuple(self._parts)
        async with self._lock:
            try:
                uses = await asyncio.to_thread(
                    prepare, [self._parts[name] for name in chosen]
                )
            except SettingsError as error:
                problems = error.problems
            except Exception as error:  # noqa: BLE001 (the boundary of one reload)
                self._telemetry.internal_errors += 1
                self._rare_log.failure("reload.failed", error)
                problems = ("internal error in the agent; see its log",)
            else:
                problems = ()
                for use in uses:
                    use()
            self._record(chosen, problems)
        return problems

    def _record(self, chosen: tuple[str, ...], problems: tuple[str, ...]) -> None:
        if problems:
            self._failed.update(chosen)
            get_logger().error("agent.reload_failed", problems=problems)
        else:
            self._failed.difference_update(chosen)
            self._telemetry.reload_success_timestamp = read_clock().wall
            get_logger().info("agent.reloaded", parts=chosen)
        self._telemetry.reload_successful = not self._failed


def prepare(parts: Iterable[Part]) -> list[Use]:
    """Read and check parts.

    Raises:
        SettingsError: The problems of all parts.
    """
    uses: list[Use] = []
    problems: list[str] = []
    for part in parts:
        try:
            uses.append(part())
        except SettingsError as error:
            problems += error.problems
    if problems:
        raise SettingsError(*problems)
    return uses
