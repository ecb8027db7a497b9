"""Options and profiles of the whole suite."""

import os
import signal

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("dev", max_examples=50, deadline=None)
settings.register_profile(
    "ci",
    max_examples=300,
    deadline=None,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-docs",
        action="store_true",
        help="write the tables that the README takes from the code",
    )


def pytest_configure() -> None:
    # What a shell starts in the background ignores Ctrl-C, and so would the commands
    # that the tests start and interrupt.
    signal.signal(signal.SIGINT, signal.default_int_handler)
