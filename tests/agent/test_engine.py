"""The engine: preparing touches nothing, committing is exact whatever happened between."""

from agent.change import Origin
from agent.clock import Moment
from agent.engine import SLICE_LINES, Engine
from agent.settings import Settings
from parsers import Batch, ClusterUse, DrainDecoder, Level, Source
from tests.documented import ADDON, LOG, METRICS
from tests.engines import exposition
from tests.frames import frame

NOW = Moment(1_780_872_400.0, 1_000.0)
L10 = (
    b"<172>1 2026-04-15T14:53:17+00:00 host heroku logplex - Error L10 (output buffer "
    b"overflow): %d messages dropped since 2026-04-15T14:44:12+00:00."
)


def decode(body: bytes) -> Batch:
    return DrainDecoder().decode(body)


def test_preparing_touches_nothing() -> None:
    engine = Engine(Settings())
    before = engine.dump(NOW)

    change = engine.prepare(decode(frame(METRICS) + frame(LOG)), Origin(), NOW)

    assert len(change.lines) == 2
    assert engine.dump(NOW) == before


def test_a_change_says_what_is_new_repeated_and_refused() -> None:
    engine = Engine(Settings())
    engine.commit(engine.prepare(decode(frame(METRICS)), Origin(), NOW))

    change = engine.prepare(
        decode(frame(METRICS) + frame(LOG) + frame(b"no header")), Origin(), NOW
    )

    assert len(change.lines) == 1
    assert sum(change.repeated.values()) == 1
    assert sum(change.refused.values()) == 1
    assert not change.is_duplicate


def test_two_changes_prepared_at_once_count_a_line_once() -> None:
    engine = Engine(Settings())
    changes = [
        engine.prepare(decode(frame(METRICS) + frame(LOG)), Origin(), NOW)
        for _ in range(2)
    ]

    applied = [engine.commit(change) for change in changes]

    assert [len(one.lines) for one in applied] == [2, 0]
    (broker,) = engine.state.view(NOW).brokers
    (node,) = engine.state.view(NOW).nodes
    assert (broker.samples, node.lines[Level.WARN]) == (11, 1)


def test_two_tries_of_a_request_prepared_at_once_count_it_once() -> None:
    engine = Engine(Settings())
    origin = Origin(drain_token=b"d.x", request_id=b"1")
    changes = [
        engine.prepare(decode(frame(L10 % losses) + frame(LOG)), origin, NOW)
        for losses in (3, 5)
    ]

    for change in changes:
        engine.commit(change)

    telemetry = engine.telemetry
    assert (telemetry.dropped["L10"], telemetry.duplicate_requests) == (5, 1)
    (node,) = engine.state.view(NOW).nodes
    assert node.lines[Level.WARN] == 1


def test_other_changes_may_be_committed_between_slices() -> None:
    engine = Engine(Settings())
    lines = [LOG.replace(b"pri=WARN", b"pri=WARN n=%d" % n) for n in range(250)]
    batch = decode(b"".join(map(frame, lines)))
    change = engine.begin(batch.counts, Origin(), NOW)
    slices = engine.prepare_in_slices(change, batch)

    next(slices)
    assert len(change.lines) == SLICE_LINES
    engine.commit(engine.prepare(batch, Origin(), NOW))
    for _ in slices:
        pass
    engine.commit(change)

    (node,) = engine.state.view(NOW).nodes
    assert sum(node.lines.values()) == len(lines)


def test_learning_a_plan_is_enough_to_expect_its_brokers() -> None:
    engine = Engine(Settings())

    engine.learn(ClusterUse(addon=ADDON, source=Source.TEXT, plan="standard-0"), NOW)

    assert len(engine.snapshot(NOW).brokers) == 3
    assert b"heroku_kafka_plan_brokers{" in exposition(engine, NOW)
