"""Distributes the suite over workers: ``pytest -p tests.parallel -n auto``.

The tests of a file run in the same worker, so that each of its fixtures is made once.
"""

import os

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

_SHARING_HISTORY = ("test_queries.py", "test_preview.py")
"""Files of the dashboards whose tests ask the same Prometheus."""

_FIRST = ("test_end_to_end.py", *_SHARING_HISTORY, "test_rules.py")
"""Files that would keep one worker busy after all others have ended."""


# Not --dist=loadgroup: pytest-xdist 3.8 sets an attribute that pytest 9.2 does not read.
class _Scheduling(LoadScopeScheduling):  # type: ignore[misc] # it has no types
    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return "history" if file.endswith(_SHARING_HISTORY) else file


@pytest.hookimpl(tryfirst=True)
def pytest_xdist_auto_num_workers() -> int:
    """Use one worker more than cores: some tests mostly wait for real programs."""
    return (os.cpu_count() or 1) + 1


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> _Scheduling:
    config.option.loadscopereorder = False
    return _Scheduling(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start what takes longest first."""
    items.sort(key=lambda item: item.path.name not in _FIRST)
