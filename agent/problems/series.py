"""Problems as series."""

from collections.abc import Iterable, Iterator

from agent.metrics import specs
from agent.metrics.series import Series
from agent.problems.problem import Problem


def problem_series(problems: Iterable[Problem]) -> Iterator[Series]:
    """Yield 1 for each alert, severity and subject that fires."""
    cells = {(one.addon, one.alert, one.broker, one.severity) for one in problems}
    for labels in sorted(cells):
        yield Series(specs.PROBLEM, labels, 1)
