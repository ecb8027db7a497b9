"""What one engine knows, another one can go on with."""

import pytest

from agent.change import Origin
from agent.clock import Moment
from agent.settings import Limits, Settings
from agent.state.log_events import EventFilter
from parsers import ClusterUse, Source
from tests.documented import ADDON, LOG, METRICS
from tests.engines import Drain, exposition
from tests.frames import frame

NOW = Moment(1_780_872_400.0, 1_000.0)
LATER = Moment(1_780_872_460.0, 5.0)  # another process, a minute later
BODY = (
    frame(METRICS)
    + frame(METRICS.replace(b"heroku-kafka.2", b"heroku-kafka"))
    + frame(METRICS.replace(b"heroku-kafka.2", b"heroku-kafka.1") + b" sample#new=3kB")
    + frame(LOG)
    + frame(b"no header")
)
ORIGIN = Origin(drain_token=b"d.x", request_id=b"1", announced=b"9")


@pytest.fixture
def drain() -> Drain:
    drain = Drain()
    drain.receive(BODY, NOW, ORIGIN)
    use = ClusterUse(addon=ADDON, source=Source.TEXT, plan="standard-2", brokers=8)
    drain.engine.learn(use, NOW)
    drain.engine.telemetry.requests["/logs", 204] += 1
    return drain


def restored(drain: Drain, settings: Settings | None = None) -> Drain:
    other = Drain(settings)
    other.engine.load(drain.engine.dump(NOW), LATER)
    return other


@pytest.mark.parametrize("accept", ["", "application/openmetrics-text"])
def test_a_restored_engine_exports_the_same(drain: Drain, accept: str) -> None:
    drain.engine.telemetry.created = NOW.wall - 60
    other = restored(drain)

    exported = exposition(drain.engine, NOW, accept)
    assert (b"_created" in exported) == bool(accept)
    assert exposition(other.engine, LATER, accept) == exported


def test_a_restored_engine_has_the_same_events_and_history(drain: Drain) -> None:
    other = restored(drain)

    events = list(drain.engine.log.select(EventFilter()))
    assert events
    assert list(other.engine.log.select(EventFilter())) == events
    histories = [
        one.engine.state.history(ADDON, "1").series(("load-avg-1m", ""), 1_776_264_796)
        for one in (drain, other)
    ]
    assert histories[0] == histories[1]
    assert any(point is not None for point in histories[0])


def test_a_restored_engine_recognises_requests_and_lines(drain: Drain) -> None:
    other = restored(drain)
    before = exposition(other.engine, LATER)

    other.receive(BODY, LATER, ORIGIN)
    other.receive(frame(METRICS) + frame(LOG), LATER)  # through another drain

    after = exposition(other.engine, LATER).splitlines()
    changed = {line.split(b"{")[0].split(b" ")[0] for line in after} - {
        line.split(b"{")[0].split(b" ")[0]
        for line in set(before.splitlines()) & set(after)
    }
    assert changed <= {
        b"heroku_kafka_agent_duplicate_requests_total",
        b"heroku_kafka_agent_frames_total",
    }


def test_age_goes_on_while_no_process_ran(drain: Drain) -> None:
    other = Drain()
    other.engine.load(drain.engine.dump(NOW), Moment(NOW.wall + 301, 5.0))

    assert not any(
        view.reporting
        for view in other.engine.state.view(Moment(NOW.wall + 301, 5.0)).brokers
    )


def test_the_limits_of_the_new_process_hold(drain: Drain) -> None:
    other = restored(drain, Settings(limits=Limits(brokers=1, unknown_samples=1)))

    views = [one for one in other.engine.state.view(LATER).brokers if one.samples]
    assert len(views) == 1


@pytest.mark.parametrize("cut", [0, 1, 40, -1])
def test_a_damaged_checkpoint_is_refused(drain: Drain, cut: int) -> None:
    data = drain.engine.dump(NOW)

    with pytest.raises(ValueError, match="not a checkpoint"):
        Drain().engine.load(data[:cut], LATER)


def test_a_checkpoint_of_another_version_is_refused(drain: Drain) -> None:
    data = drain.engine.dump(NOW).replace(b"\xa7version\x01", b"\xa7version\x02")

    with pytest.raises(ValueError, match="version 2"):
        Drain().engine.load(data, LATER)
