"""The board: all problems of the moment, kept up to date by one evaluation after another."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from agent.alerting.thresholds import Thresholds
from agent.metrics import specs
from agent.metrics.series import Series
from agent.problems.evaluation import Evaluation, compile_rules
from agent.problems.problem import Problem, list_problems
from agent.promql.values import Vector, make_labels

INTERVAL_SECONDS = 15.0
"""Between two evaluations; a quarter of Prometheus' own default."""

COUNTERS = frozenset(one.name for one in specs.SPECS if one.kind != "gauge")
"""Names of the series that only grow."""

_STARTED = "process_start_time_seconds"  # prometheus_client's


class ProblemBoard:
    """Evaluates the alert rules over the agent's own series.

    Args:
        thresholds: The numbers in the rules.
        started: When the process started, in seconds since the epoch.

    Attributes:
        thresholds: Those that hold now.

    Raises:
        SettingsError: The thresholds contradict each other.
    """

    def __init__(self, thresholds: Thresholds, started: float) -> None:
        self._evaluation = Evaluation(compile_rules(thresholds), COUNTERS)
        self.thresholds = thresholds
        self._started = started

    def reconfigure(self, thresholds: Thresholds) -> None:
        """Evaluate with other thresholds from now on.

        Raises:
            SettingsError: They contradict each other.
        """
        evaluation = Evaluation(compile_rules(thresholds), COUNTERS)
        evaluation.adopt(self._evaluation)
        self._evaluation, self.thresholds = evaluation, thresholds

    def evaluate(self, series: Iterable[Series], now: float) -> tuple[Problem, ...]:
        """Evaluate all rules once; in a thread, since it takes milliseconds.

        Args:
            series: Every series that there is.
            now: Seconds since the epoch.

        Returns:
            What fires, the worst first.
        """
        used = self._evaluation.inputs.names | {specs.NODE_INFO.name}
        vectors = collect_vectors(series, used)
        vectors[_STARTED] = {(): self._started}
        findings = self._evaluation.evaluate(vectors, now)
        return list_problems(findings, _brokers_of_nodes(vectors))


def collect_vectors(
    series: Iterable[Series], names: AbstractSet[str]
) -> dict[str, Vector]:
    """Bring series into the shape of expressions.

    Args:
        series: Every series that there is.
        names: Metrics that are kept.

    Returns:
        The present values by the metric's name.
    """
    vectors: dict[str, Vector] = {}
    for spec, values, value, *_ in series:
        if spec.name in names:
            labels = make_labels(zip(spec.labels, values, strict=True))
            vectors.setdefault(spec.name, {})[labels] = value
    return vectors


def _brokers_of_nodes(vectors: dict[str, Vector]) -> dict[tuple[str, str], str]:
    found = map(dict, vectors.get(specs.NODE_INFO.name, {}))
    return {(one["addon"], one["node"]): one["broker"] for one in found}
