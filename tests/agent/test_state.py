"""The newest value wins, what is silent vanishes, what is unknown is bounded."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.clock import Moment
from agent.kafka.classifier import classify
from agent.metrics.specs import SAMPLES, Drop
from agent.settings import Settings
from agent.state.checkpoint import dump_clusters, load_clusters
from agent.state.clusters import State
from agent.state.history import SHOWN, History
from parsers import Level, MetricLine, SampleKey
from tests.frames import read_log

ADDON = "kafka-animated-39618"
READ: SampleKey = ("read-iops", "")
WRITE: SampleKey = ("write-iops", "")
START = 1_776_264_796.0


def at(seconds: float, *, wall: float | None = None) -> Moment:
    return Moment(START + (seconds if wall is None else wall), 1000.0 + seconds)


def line(
    timestamp: float | None,
    samples: Mapping[SampleKey, float],
    broker: str | None = "2",
    addon: str = ADDON,
) -> MetricLine:
    return MetricLine(
        addon=addon,
        broker=broker,
        source="KAFKA",
        timestamp=None if timestamp is None else START + timestamp,
        samples=samples,
        message=b"",
    )


def values(state: State, now: Moment, broker: str | None = "2") -> dict[str, float]:
    return {
        key[0]: value
        for view in state.view(now).brokers
        if view.broker == broker
        for key, value in view.values.items()
    }


LOAD: SampleKey = ("load-avg-1m", "")
TEMPERATURE: SampleKey = ("temperature", "")
written = st.tuples(
    # Seconds, within the same step of the history or not, or too far in the future.
    st.sampled_from([-400, -30, 0, 0, 1, 2, 30, 300, 400]),
    st.sampled_from([[READ, WRITE], [READ, WRITE, LOAD], [LOAD], [TEMPERATURE, LOAD]]),
    st.integers(-1, 9),
    st.sampled_from(["", "", "", "history", "checkpoint"]),
)


def reloaded(state: State, now: Moment) -> State:
    """Put the clusters of a state through a checkpoint."""
    fresh = State(Settings())
    load_clusters(fresh, dump_clusters(state, now), now)
    return fresh


@given(st.lists(written, max_size=30))
def test_lines_in_any_order_leave_what_each_sample_by_itself_would(
    lines: list[tuple[int, list[SampleKey], int, str]],
) -> None:
    state, history = State(Settings()), History()
    newest: dict[SampleKey, tuple[float, float]] = {}
    for second, keys, value, read in lines:
        samples = {key: value + 10.0 * place for place, key in enumerate(keys)}
        applied = state.apply_metrics(line(second, samples), at(0))

        kept = {
            key: one for key, one in samples.items() if one >= 0 or key == TEMPERATURE
        }
        stamp = second if second <= 300 else second - 1e9
        if second <= 300:
            history.record(START + second, kept)
        late = {key for key in kept if stamp < newest.get(key, (-2e9, 0))[0]}
        newest |= {key: (stamp, one) for key, one in kept.items() if key not in late}
        assert applied.late == (len(late) if second <= 300 else 0)
        assert applied.future == (len(late) if second > 300 else 0)
        assert sum(applied.drops.values()) == len(samples) - len(kept)
        if read == "history":
            assert_equal_history(state, history)
        elif read == "checkpoint":
            state = reloaded(state, at(0))

    assert values(state, at(0)) == {key[0]: one for key, (_, one) in newest.items()}
    assert_equal_history(state, history)


def assert_equal_history(state: State, wanted: History) -> None:
    found = state.history(ADDON, "2")
    for key in SHOWN:
        assert found.series(key, START + 300) == wanted.series(key, START + 300)


@pytest.fixture
def state() -> State:
    return State(Settings())


def test_two_lines_with_different_samples_add_up(state: State) -> None:
    state.apply_metrics(line(0, {READ: 1, WRITE: 1}), at(0))
    state.apply_metrics(line(1, {LOAD: 3}), at(1))

    assert values(state, at(1)) == {"read-iops": 1, "write-iops": 1, "load-avg-1m": 3}


def test_each_sample_keeps_its_own_newest_value(state: State) -> None:
    state.apply_metrics(line(0, {READ: 1, WRITE: 1}), at(0))
    state.apply_metrics(line(20, {READ: 2}), at(20))
    applied = state.apply_metrics(line(10, {READ: 9, WRITE: 3}), at(21))

    assert values(state, at(21)) == {"read-iops": 2, "write-iops": 3}
    assert applied.late == 1


def test_values_vanish_when_no_sample_came_for_the_stale_time(state: State) -> None:
    state.apply_metrics(line(0, {READ: 1}), at(0))

    assert values(state, at(300)) == {"read-iops": 1}
    assert values(state, at(301)) == {}
    (view,) = state.view(at(301)).brokers
    assert not view.reporting
    assert view.last_timestamp == START
    assert view.samples == 1


def test_a_broker_is_forgotten_after_a_day(state: State) -> None:
    state.apply_metrics(line(0, {READ: 1}), at(0))
    state.forget(at(86_400))
    assert state.view(at(86_400)).brokers

    state.forget(at(86_401))

    assert not state.view(at(86_401)).brokers


def test_a_replaced_broker_goes_and_the_new_one_stays(state: State) -> None:
    state.apply_metrics(line(0, {READ: 1}, "2"), at(0))
    state.apply_metrics(line(400, {READ: 5}, "7"), at(400))

    assert values(state, at(400), "2") == {}
    assert values(state, at(400), "7") == {"read-iops": 5}


def test_a_stale_value_does_not_hold_back_older_ones(state: State) -> None:
    state.apply_metrics(line(0, {READ: 1}), at(0))

    state.apply_metrics(line(-100, {READ: 2}), at(1000))

    assert values(state, at(1000)) == {"read-iops": 2}


def test_a_clock_that_jumps_makes_no_broker_stale(state: State) -> None:
    state.apply_metrics(line(0, {READ: 1}), at(0))

    assert values(state, at(10, wall=86_400)) == {"read-iops": 1}


def test_a_first_sample_that_is_hours_old_is_shown_with_its_own_time(
    state: State,
) -> None:
    state.apply_metrics(line(-7200, {READ: 1}), at(0))

    (view,) = state.view(at(0)).brokers
    assert view.values == {READ: 1}
    assert view.last_timestamp == START - 7200


def test_without_a_timestamp_the_time_of_receipt_counts(state: State) -> None:
    state.apply_metrics(line(None, {READ: 1}), at(5))

    (view,) = state.view(at(5)).brokers
    assert view.last_timestamp == START + 5


def test_samples_from_the_future_are_shown_only_without_honest_ones(
    state: State,
) -> None:
    state.apply_metrics(line(3600, {READ: 9}), at(0))
    state.apply_metrics(line(7200, {READ: 10}), at(1))
    assert values(state, at(1)) == {"read-iops": 10}

    state.apply_metrics(line(-50, {READ: 1}), at(2))
    applied = state.apply_metrics(line(9000, {READ: 11}), at(3))

    assert values(state, at(3)) == {"read-iops": 1}
    assert (applied.future, applied.late) == (1, 0)
    (view,) = state.view(at(3)).brokers
    assert view.last_timestamp <= START + 3


def test_five_minutes_ahead_is_still_honest(state: State) -> None:
    state.apply_metrics(line(0, {READ: 1}), at(0))
    state.apply_metrics(line(300, {READ: 2}), at(0))
    state.apply_metrics(line(301, {READ: 3}), at(0))

    assert values(state, at(0)) == {"read-iops": 2}


@pytest.mark.parametrize("back", [1, 290, 310, 600, 86_400])
def test_a_clock_set_back_does_not_freeze_dated_samples(
    state: State, back: float
) -> None:
    state.apply_metrics(line(0, {READ: 1, WRITE: 1}), at(0))

    for seconds in range(20, 400, 20):
        now = at(seconds, wall=seconds - back)
        state.apply_metrics(line(seconds, {READ: float(seconds)}), now)
        assert values(state, now)["read-iops"] == seconds
        (view,) = state.view(now).brokers
        assert view.last_timestamp <= START + max(0, seconds - back)


@pytest.mark.parametrize("back", [100, 310, 600, 86_400])
def test_a_clock_that_is_corrected_does_not_freeze_undated_samples(
    state: State, back: float
) -> None:
    state.apply_metrics(line(None, {READ: 1, WRITE: 1}), at(0, wall=back))

    for seconds in range(20, 400, 20):
        state.apply_metrics(line(None, {READ: float(seconds)}), at(seconds))
        assert values(state, at(seconds))["read-iops"] == seconds


def test_honest_samples_win_over_ours_of_a_clock_that_was_ahead(state: State) -> None:
    state.apply_metrics(line(600, {READ: 1}), at(0, wall=600))
    state.apply_metrics(line(20, {READ: 2}), at(20))
    applied = state.apply_metrics(line(620, {READ: 3}), at(21))

    assert values(state, at(21)) == {"read-iops": 2}
    assert applied.future == 1


def test_broker_zero_and_the_whole_cluster_are_two(state: State) -> None:
    state.apply_metrics(line(0, {READ: 1}, "0"), at(0))
    state.apply_metrics(line(0, {READ: 2}, None), at(0))

    assert values(state, at(0), "0") == {"read-iops": 1}
    assert values(state, at(0), None) == {"read-iops": 2}


def test_a_known_sample_that_lost_its_unit_is_dropped(state: State) -> None:
    applied = state.apply_metrics(line(0, {("memory-total", ""): 160, READ: 1}), at(0))

    assert applied.drops == {Drop.UNIT_CHANGED: 1}
    assert values(state, at(0)) == {"read-iops": 1}


@pytest.mark.parametrize(
    "name",
    [
        "last-sample-timestamp-seconds",
        "agent-requests-total",
        "load.avg.1m",
        "log-lines-total",
        "plan-brokers",
        "cluster-read-iops",
        "node-info",
    ],
)
def test_an_unknown_sample_cannot_take_the_name_of_another_series(
    state: State, name: str
) -> None:
    applied = state.apply_metrics(line(0, {(name, ""): 1}), at(0))

    assert applied.drops == {Drop.NAME_TAKEN: 1}


def test_of_two_unknown_samples_with_one_name_the_first_keeps_it(state: State) -> None:
    first, second = ("new-thing", ""), ("new.thing", "")
    applied = state.apply_metrics(
        line(0, {first: 1, second: 2}),  # type: ignore[dict-item] # unit is a literal
        at(0),
    )

    assert applied.drops == {Drop.NAME_TAKEN: 1}
    assert values(state, at(0)) == {"new-thing": 1}


@pytest.mark.parametrize("key", SAMPLES, ids="/".join)
def test_a_quantity_that_cannot_be_negative_is_dropped(
    state: State, key: SampleKey
) -> None:
    temperature: SampleKey = ("temperature", "")
    state.apply_metrics(line(0, {key: 1, temperature: 1}), at(0))

    applied = state.apply_metrics(line(20, {key: -0.5, temperature: -3}), at(20))

    assert applied.drops == {Drop.NEGATIVE_VALUE: 1}
    assert values(state, at(20)) == {key[0]: 1, "temperature": -3}


def test_only_allowed_addons_are_believed() -> None:
    state = State(Settings(addons=frozenset({ADDON})))
    applied = state.apply_metrics(line(0, {READ: 1}, addon="evil"), at(0))
    state.apply_metrics(line(0, {READ: 1}), at(0))

    assert applied.drops == {Drop.ADDON_NOT_ALLOWED: 1}
    assert [view.addon for view in state.view(at(0)).brokers] == [ADDON]


def test_all_levels_of_a_node_exist_from_its_first_line_on(state: State) -> None:
    log = read_log("pri=ERROR t=main at=Kafka$ Halting Kafka.")
    state.apply_log(log._replace(timestamp=START), classify(log), at(0))

    (view,) = state.view(at(0)).nodes
    assert view.lines == {Level.WARN: 0, Level.ERROR: 1, Level.FATAL: 0}
    assert view.last_timestamps == {Level.ERROR: START}


def test_a_broker_is_late_after_three_of_its_intervals(state: State) -> None:
    for second in range(0, 200, 20):
        state.apply_metrics(line(second, {READ: 1}), at(second))

    status = {
        second: state.view(at(180 + second)).brokers[0].status.value
        for second in (0, 60, 61, 300, 301)
    }

    assert status == {
        0: "reporting", 60: "reporting", 61: "late", 300: "late", 301: "stale",
    }  # fmt: skip
    assert state.view(at(480)).brokers[0].reporting


def test_lines_of_one_moment_and_outages_are_no_interval(state: State) -> None:
    for second in (0, 0, 30, 30, 1000, 1030):
        state.apply_metrics(line(second, {READ: 1}), at(second))

    assert state.view(at(1120)).brokers[0].status.value == "reporting"
    assert state.view(at(1121)).brokers[0].status.value == "late"


def test_a_broker_whose_samples_are_old_is_stale_although_they_came_now(
    state: State,
) -> None:
    state.apply_metrics(line(0, {READ: 1}), at(301))

    (view,) = state.view(at(301)).brokers
    assert view.status.value == "stale"
    assert view.reporting
