"""The last hours of a broker, bounded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.state.history import POINTS, SHOWN, STEP_SECONDS, History

NOW = 1_780_872_390.0
KEY = SHOWN[0]


def recorded(*points: tuple[float, float]) -> History:
    history = History()
    for timestamp, value in points:
        history.record(timestamp, {KEY: value})
    return history


def test_a_point_stands_where_its_time_is() -> None:
    history = recorded((NOW - 60, 1.0), (NOW, 2.0))

    assert history.series(KEY, NOW, 4) == [None, 1.0, None, 2.0]


def test_of_one_step_the_last_value_counts() -> None:
    assert recorded((NOW, 1.0), (NOW + 5, 2.0)).series(KEY, NOW, 1) == [2.0]


def test_what_came_late_takes_its_place() -> None:
    history = recorded((NOW, 2.0), (NOW - 60, 1.0))

    assert history.series(KEY, NOW, 3) == [1.0, None, 2.0]


def test_after_a_silence_the_past_is_gone() -> None:
    history = recorded((NOW, 1.0), (NOW + 2 * POINTS * STEP_SECONDS, 2.0))

    points = history.series(KEY, NOW + 2 * POINTS * STEP_SECONDS)
    assert points == [None] * (POINTS - 1) + [2.0]


def test_time_goes_on_without_samples() -> None:
    history = recorded((NOW, 1.0))

    assert history.series(KEY, NOW + 90, 4) == [1.0, None, None, None]
    assert set(history.series(KEY, NOW + 10 * POINTS * STEP_SECONDS)) == {None}


def test_a_value_too_large_for_a_point_is_none() -> None:
    assert recorded((NOW, 1e300)).series(KEY, NOW, 1) == [None]


def test_other_samples_are_not_remembered() -> None:
    history = History()
    history.record(NOW, {("novelty", ""): 1.0})

    assert history.series(("novelty", ""), NOW, 2) == [None, None]


steps = st.lists(st.integers(0, 3 * POINTS), max_size=60)


@given(steps, st.integers(0, 3 * POINTS))
def test_a_window_holds_what_a_plain_dict_would(order: list[int], last: int) -> None:
    history, plain = History(), dict[int, float]()
    for step in order:
        history.record(float(step * STEP_SECONDS), {KEY: float(step)})
        if step > max(plain, default=0) - POINTS:
            plain[step] = float(step)

    newest = max(plain, default=0)
    wanted = [
        plain.get(step) if newest - POINTS < step else None
        for step in range(last - POINTS + 1, last + 1)
    ]
    assert history.series(KEY, float(last * STEP_SECONDS)) == pytest.approx(wanted)
