"""``watch``: text of ``heroku logs --session`` becomes a live table of the cluster."""

import io
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from agent.clock import Moment
from agent.metrics.specs import Drop
from agent.settings import Settings
from agent.state.log_events import EventFilter
from agent.watch.plain import render_plain
from agent.watch.report import render_report
from agent.watch.session import Session
from parsers import Reason
from tests.tail_lines import ADDON, LOG, LOSS, METRICS, ROUTER

STAMP = 1776264796.0  # 2026-04-15T14:53:16Z
NOW = Moment(STAMP + 5, 1000.0)


def read(*lines: bytes, settings: Settings | None = None) -> Session:
    session = Session(settings or Settings())
    session.receive_data(b"\n".join(lines) + b"\n", NOW)
    session.receive_eof(NOW)
    return session


def values(
    session: Session, broker: str | None = "2"
) -> Mapping[tuple[str, str], float]:
    views = session.engine.state.view(NOW).brokers
    return {
        key: value
        for view in views
        if (view.addon, view.broker) == (ADDON, broker)
        for key, value in view.values.items()
    }


def warnings(session: Session) -> float:
    return sum(
        sum(view.lines.values()) for view in session.engine.state.view(NOW).nodes
    )


def draw(
    session: Session,
    width: int = 120,
    height: int = 40,
    *,
    now: Moment = NOW,
    events: int = 8,
) -> str:
    """Draw the screen as text, every line of which must fit."""
    console = Console(
        file=io.StringIO(),
        record=True,
        force_terminal=True,
        width=width,
        height=height,
    )
    console.print(render_report(session, now, console, events=events, ended=False))
    text = console.export_text()
    assert max(map(cell_len, text.splitlines())) <= width
    assert len(text.splitlines()) <= height
    return text


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param([METRICS], id="H01_documented"),
        pytest.param([METRICS + b"\r"], id="crlf"),
        pytest.param([b"", b"\x00" + METRICS, b"\x00"], id="H05_keep_alive"),
        pytest.param(
            [b"id: 1776264796", b"data: " + METRICS, b"", b": "], id="H10_sse"
        ),
        pytest.param([b"\x1b[38;5;185m" + METRICS + b"\x1b[0m"], id="H04_colour"),
        pytest.param([b"\xff\xfe", METRICS, b"\xc3("], id="invalid_utf8"),
    ],
)
def test_a_metric_line_has_eleven_samples(lines: list[bytes]) -> None:
    session = read(*lines)

    assert len(values(session)) == 11
    assert values(session)["load-avg-1m", ""] == 0.005
    assert values(session)["bytes-out-per-second", ""] == 0.0
    assert session.tally.kafka == 1
    assert not session.tally.refused


def test_colour_codes_of_any_kind_are_no_part_of_a_value() -> None:
    session = read(
        b"\x1b[1m\x1b[38;2;10;20;30m\x1b[48;5;236m2026-04-15T14:53:16.000000+00:00 "
        b"app[heroku-kafka.2]:\x1b[49m\x1b[39m\x1b[22m source=KAFKA "
        b"addon=kafka-animated-39618 sample#read-iops=1\x1b[0m"
    )

    assert values(session) == {("read-iops", ""): 1.0}


def test_a_broker_line_is_an_event() -> None:
    session = read(LOG)

    assert warnings(session) == 1
    assert "A follower stopped fetching a partition" in draw(session)


def test_a_line_cut_before_its_last_value_gives_the_other_ten() -> None:
    session = read(METRICS.removesuffix(b"=0.0"))

    assert len(values(session)) == 10
    assert sum(session.tally.refused.values()) == 1


def test_a_local_offset_is_converted() -> None:
    session = read(METRICS.replace(b"14:53:16.000000+00:00", b"07:53:16-07:00"))

    (view,) = session.engine.state.view(NOW).brokers
    assert view.last_timestamp == STAMP


@pytest.mark.parametrize(
    "line",
    [
        b"Fetching logs... ",
        b" \xe2\x80\xba   Warning: heroku update available",
        b"Error: Couldn't find that app.",
        b"my-app | " + METRICS,
    ],
)
def test_what_the_command_says_is_no_line(line: bytes) -> None:
    session = read(LOG, line)

    assert session.tally.chatter == 1
    assert (session.tally.kafka, session.tally.lines) == (1, 2)
    assert not session.engine.state.view(NOW).brokers


def test_a_stream_that_timed_out_is_said_until_it_goes_on() -> None:
    session = read(METRICS, b"Log stream timed out. Please try again.")
    assert "timed out" in draw(session)

    session.receive_data(ROUTER + b"\n", NOW)

    assert "timed out" not in draw(session)


def test_losses_of_the_tail_are_shown_once_however_often_they_are_printed() -> None:
    session = read(LOSS, LOSS)

    assert session.tally.losses == {"L11": 1101}
    assert "1,101 lines lost before they came here (L11)" in draw(session)


def test_lines_printed_again_after_a_reconnect_change_nothing() -> None:
    session = read(METRICS, LOG)
    silent = Moment(NOW.wall + 400, NOW.monotonic + 400)

    shown = session.receive_data(METRICS + b"\n" + LOG + b"\n", silent)

    assert shown == []
    assert warnings(session) == 1
    assert session.tally.repeated == 2
    (view,) = session.engine.state.view(silent).brokers
    assert (view.samples, view.reporting) == (11, False)


def test_lines_of_several_processes_are_told_apart() -> None:
    one = METRICS.replace(b"heroku-kafka.2", b"heroku-kafka.1")
    whole = METRICS.replace(b"heroku-kafka.2", b"heroku-kafka")

    session = read(ROUTER, one, LOG, ROUTER, METRICS, whole)

    assert [len(values(session, name)) for name in ("1", "2", None)] == [11, 11, 11]
    assert (session.tally.kafka, session.tally.other) == (4, 2)


def test_a_stack_trace_without_headers_belongs_to_its_line() -> None:
    error = LOG.replace(b"Partition my-example-topic-16 marked as failed", b"Oops")

    session = read(
        error,
        b"org.apache.kafka.common.errors.NotEnoughReplicasException: too few",
        b"\tat kafka.cluster.Partition.append(Partition.scala:1)",
        b"Fetching logs...",
    )

    (event,) = session.engine.log.select(EventFilter())
    assert event.line.trace.count("\n") == 1
    assert event.verdict.urgency.value == "critical"
    assert session.tally.chatter == 1


def test_a_refused_line_is_counted_with_its_reason() -> None:
    session = read(METRICS.replace(b"addon=kafka-animated-39618 ", b""))

    assert session.tally.refused == {Reason.NO_ADDON: 1}
    assert "refused: no_addon 1" in draw(session)


def test_other_add_ons_are_left_out_where_one_is_named() -> None:
    session = read(METRICS, LOG, settings=Settings(addons=frozenset({"kafka-other"})))

    assert session.tally.dropped == {Drop.ADDON_NOT_ALLOWED: 12}
    assert ADDON not in draw(session)


@given(
    st.lists(
        st.one_of(
            st.binary(max_size=200),
            st.sampled_from([METRICS, LOG, LOSS, ROUTER]),
            st.builds(
                lambda line, at, extra: line[:at] + extra + line[at:],
                st.sampled_from([METRICS, LOG, LOSS]),
                st.integers(0, 420),
                st.binary(max_size=8),
            ),
        ),
        max_size=8,
    )
)
def test_no_line_can_raise_and_each_is_counted_once(lines: list[bytes]) -> None:
    session = read(*lines)

    draw(session, width=80)
    tally = session.tally
    parts = (tally.kafka, tally.other, tally.chatter, tally.repeated)
    assert sum(parts) == tally.lines


@pytest.mark.parametrize(
    "stamp", [b"9999-12-31T23:59:59.999999-12:00", b"0001-01-01T00:00:00+12:00"]
)
def test_a_time_outside_the_calendar_is_none(stamp: bytes) -> None:
    session = read(LOG.replace(b"2026-04-15T14:53:17+00:00", stamp))

    assert "1 no log lines" in draw(session)


def test_absurd_values_stay_in_their_columns() -> None:
    line = METRICS.replace(b"0.0", b"9" * 40).replace(b"=0", b"=" + b"8" * 40)

    draw(read(line), width=80)
    draw(read(line), width=120)


def test_80_columns_show_what_matters_most() -> None:
    text = draw(read(METRICS, LOG), width=80, height=24)

    for shown in (ADDON, "reporting", "5s", "0.005", "31.9%", "0 B", "node 0", "WARN"):
        assert shown in text
    assert "my-example-topic-16 marked as failed" in text
    assert "IOPS" not in text


def test_120_columns_show_everything() -> None:
    text = draw(read(METRICS, LOG))

    for title in ("load1", "load5", "load15", "cache", "in/s", "out/s", "IOPS r/w"):
        assert title in text
    assert "5.0 GiB" in text
    assert "0/0.18" in text


@pytest.mark.parametrize("width", [1, 20, 40, 60, 100, 160, 300])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    draw(read(METRICS, LOG, ROUTER), width=width, height=200)


def test_wide_characters_count_as_wide() -> None:
    wide = "漢字".encode() * 200

    draw(read(METRICS, LOG.replace(b"Partition", wide)), width=80)


def test_brokers_that_find_no_room_are_counted() -> None:
    lines = [METRICS.replace(b"kafka.2", b"kafka.%d" % number) for number in range(30)]

    text = draw(read(*lines, LOG), height=20)

    assert "30 reporting" in text
    assert "18 more; the terminal is too low" in text
    assert "31 lines read" in text


@pytest.mark.parametrize("height", [10, 14, 24, 50])
def test_the_screen_is_never_higher_than_the_terminal(height: int) -> None:
    lines = [LOG.replace(b"topic-16", b"topic-%d" % number) for number in range(40)]

    text = draw(read(METRICS, *lines), height=height, events=1000)

    assert "41 lines read" in text


def test_a_sparkline_grows_with_the_samples() -> None:
    session = Session(Settings())
    for minute in range(4):
        line = METRICS.replace(b"14:53:16", b"14:%d:16" % (50 + minute))
        loaded = line.replace(b"1m=0.005", b"1m=%d" % minute)
        session.receive_data(loaded + b"\n", NOW)

    assert "▁▃▆█" in draw(session)


@pytest.mark.parametrize(
    ("seconds", "status"),
    [(0, "reporting"), (299, "reporting"), (301, "stale"), (3601, "stale")],
)
def test_a_broker_is_stale_when_no_sample_comes(seconds: float, status: str) -> None:
    now = Moment(NOW.wall, NOW.monotonic + seconds)

    text = draw(read(METRICS), now=now)

    assert f"2       {status}" in text
    assert ("0.005" in text) is (status == "reporting")


@pytest.mark.parametrize(("seconds", "status"), [(301, "stale"), (86_400, "stale")])
def test_history_is_not_called_reporting_although_it_came_just_now(
    seconds: float, status: str
) -> None:
    text = draw(read(METRICS), now=Moment(STAMP + seconds, NOW.monotonic))

    assert f"2       {status}" in text
    assert "0.005" in text


def test_hostile_text_is_shown_and_not_obeyed() -> None:
    hostile = b"\x1b]0;owned\x07 [bold red]x[/] [/nonsense] :skull: \xe2\x80\xae \xff"
    session = read(LOG.replace(b"Partition my", hostile + b" Partition my"))
    console = Console(file=io.StringIO(), force_terminal=True, width=200)

    console.print(render_report(session, NOW, console, events=8, ended=True))

    assert isinstance(console.file, io.StringIO)
    written = console.file.getvalue()
    assert r"\x1b]0;owned\x07 [bold red]x[/] [/nonsense] :skull: \u202e" in written
    assert "\x1b]" not in written
    assert "\u202e" not in written


def test_nothing_yet_is_said_plainly() -> None:
    assert "No sample of a Kafka cluster yet" in draw(Session(Settings()), width=80)


def test_plain_lines_are_harmless() -> None:
    session = Session(Settings())
    line = LOG.replace(b"Partition my", b"\x1b[2J\x07 Partition my")

    (shown,) = session.receive_data(line.replace(b"\x1b[2J", b"\x1b]2;x") + b"\n", NOW)

    assert r"\x1b]2;x\x07 Partition" in render_plain(shown, NOW)


@pytest.mark.parametrize("width", [60, 80, 200])
def test_the_worst_problem_is_above_the_table(width: int) -> None:
    session, moment = read(METRICS), NOW
    for seconds in range(0, 1200, 15):
        moment = Moment(NOW.wall + seconds, NOW.monotonic + seconds)
        line = METRICS.replace(b"heroku-kafka.2", b"heroku-kafka.1")
        stamp = b"%d:%02d:%02d" % (
            14 + (53 * 60 + 16 + seconds) // 3600,
            (53 + (16 + seconds) // 60) % 60,
            (16 + seconds) % 60,
        )
        session.receive_data(line.replace(b"14:53:16", stamp) + b"\n", moment)
        session.evaluate(moment)
        if seconds == 15:
            assert "ALL CLEAR" in draw(session, width, now=moment)

    text = draw(session, width, now=moment)

    assert "WARNING  broker 2 of" in text
    assert "First: " in text
    assert text.index("WARNING") < text.index("load1")
