"""Logging: JSON for machines, colours for people, and nothing per request.

The drain of an app that is the agent's own brings the agent's log lines back to it,
so a line for each request would feed itself. What happens often is counted instead.

The events, all of them: ``agent.listening``, ``agent.stopping``, ``agent.stopped``,
``drain.first_request``, ``drain.unauthorized`` (once a minute at most),
``request.failed``.
"""

import logging
import sys

import structlog
from structlog.typing import FilteringBoundLogger, Processor


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
    # A stranger's broken request is counted, not logged.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)


def get_logger() -> FilteringBoundLogger:
    """Return the logger of the agent."""
    logger: FilteringBoundLogger = structlog.get_logger()
    return logger
