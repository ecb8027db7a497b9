"""Logging: JSON for machines, colours for people, and nothing per request.

The drain of an app that is the agent's own brings the agent's log lines back to it,
so a line for each request would feed itself. What happens often is counted instead.

The events, all of them: ``agent.listening``, ``agent.drain_command`` (with stars for
the secret unless the settings say to show it), ``agent.stopping``, ``agent.stopped``,
``agent.reloaded``, ``agent.reload_failed``, ``drain.first_request``,
``drain.unauthorized``, ``request.failed`` and those of the collector (``collector.…``);
the last ones once a minute at most.
"""

import logging
import sys
import traceback

import structlog
from structlog.typing import FilteringBoundLogger, Processor

from agent.clock import read_clock

_RARE_SECONDS = 60.0


def configure_logging(level: str) -> None:
    """Send log lines to standard error: JSON, or a console if it is a terminal.

    Args:
        level: ``debug``, ``info``, ``warning`` or ``error``.
    """
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: list[Processor]
    if sys.stderr.isatty():
        # The plain traceback: prettier ones print local variables, and those may
        # hold credentials or a customer's log lines.
        renderer = [
            structlog.dev.ConsoleRenderer(
                exception_formatter=structlog.dev.plain_traceback
            )
        ]
    else:
        renderer = [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ]
    structlog.configure(
        processors=[*shared, *renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *renderer,
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("uvicorn.error").addFilter(_RareFilter())


def get_logger() -> FilteringBoundLogger:
    """Return the logger of the agent."""
    logger: FilteringBoundLogger = structlog.get_logger()
    return logger


class RareLog:
    """Writes each event once a minute at most: for what any request can cause."""

    def __init__(self) -> None:
        self._written_at: dict[str, float] = {}

    def warning(self, event: str) -> None:
        """Write a warning."""
        if self.is_due(event):
            get_logger().warning(event)

    def failure(self, event: str, error: Exception) -> None:
        """Write where an exception came from, but not its text.

        The text of an exception may hold what a customer's app has logged.
        """
        if self.is_due(event):
            places = "".join(traceback.format_tb(error.__traceback__))
            get_logger().error(event, error=type(error).__name__, traceback=places)

    def is_due(self, event: str) -> bool:
        """Return whether an event may be written now; it then counts as written."""
        now = read_clock().monotonic
        if now - self._written_at.get(event, float("-inf")) < _RARE_SECONDS:
            return False
        self._written_at[event] = now
        return True


class _RareFilter(logging.Filter):
    """Passes each message once a minute: any client can cause uvicorn's."""

    def __init__(self) -> None:
        super().__init__()
        self._rare_log = RareLog()

    def filter(self, record: logging.LogRecord) -> bool:
        return self._rare_log.is_due(str(record.msg))
