"""The collector against an API on loopback that answers, and fails in every way."""

import asyncio
import email.utils
import gc
import json
import logging
import time

import pytest
import structlog

from agent.errors import SettingsError
from agent.heroku_api.client import maybe_parse_retry_after
from agent.heroku_api.poller import (
    Endpoint,
    Outcome,
    Poller,
    PollerTelemetry,
)
from agent.secret import Secret
from parsers import ClusterUse, Source
from tests.platform_api import (
    ADDON,
    CLUSTER,
    INTERVAL,
    LOOKUP,
    TIMEOUT_SECONDS,
    TOKEN,
    TOPICS,
    UUID,
    WAIT,
    Act,
    Api,
    Reply,
    Watch,
    collecting,
    eventually,
    flood,
    hang,
    hang_up,
    hang_up_in_the_body,
    load,
    ok,
    run,
    trickle,
)


def test_a_cluster_becomes_a_record() -> None:
    watch = run(lambda watch: watch.until_used(1))

    use = watch.uses[0]
    assert (use.addon, use.plan, use.source) == (ADDON, "standard-0", Source.API)
    assert (use.data_size_bytes, use.upgrading) == (71_701_627, False)
    assert [topic.name for topic in use.topic_uses] == ["my-example-topic"]
    assert watch.telemetry.unseen == set()


def test_what_is_asked_and_how() -> None:
    watch = run(lambda watch: watch.until_used(1))

    accept = {request.path: request.headers["accept"] for request in watch.api.requests}
    assert accept == {
        LOOKUP: "application/vnd.heroku+json; version=3",
        CLUSTER: "application/json",
        TOPICS: "application/json",
        WAIT: "application/json",
    }
    for request in watch.api.requests:
        assert request.headers["authorization"] == f"Bearer {TOKEN}"
        assert request.headers["accept-encoding"] == "identity"
        assert "cookie" not in request.headers


def test_each_endpoint_is_asked_once_per_interval_and_one_at_a_time() -> None:
    watch = run(lambda watch: watch.until_asked(CLUSTER, 6), interval_seconds=0.05)

    gaps = [gap for path in (CLUSTER, TOPICS, WAIT) for gap in watch.api.gaps(path)]
    assert min(gaps) >= 0.9 * 0.05
    assert len(set(gaps)) > 1
    assert watch.api.most_in_flight == 1
    assert len(watch.api.asked(LOOKUP)) == 1


def test_the_name_is_looked_up_again_at_the_slow_pace() -> None:
    watch = run(lambda watch: watch.until_asked(LOOKUP, 3), slow_seconds=0.06)

    assert min(watch.api.gaps(LOOKUP)) >= 0.9 * 0.06


FAULTS: dict[str, tuple[Reply | Act, Outcome]] = {
    "401": (Reply(401, b'{"id":"unauthorized"}'), Outcome.UNAUTHORIZED),
    "403": (Reply(403), Outcome.UNAUTHORIZED),
    "two_factor": (Reply(403, b'{"id":"two_factor"}'), Outcome.UNAUTHORIZED),
    "404": (Reply(404), Outcome.NOT_FOUND),
    "429": (Reply(429), Outcome.RATE_LIMITED),
    "500": (Reply(500), Outcome.SERVER_ERROR),
    "503": (Reply(503, b"<html>"), Outcome.SERVER_ERROR),
    "hangs": (hang, Outcome.TIMEOUT),
    "trickles": (trickle, Outcome.TIMEOUT),
    "hangs_up": (hang_up, Outcome.CONNECTION),
    "hangs_up_in_the_body": (hang_up_in_the_body, Outcome.CONNECTION),
    "redirects": (
        Reply(302, headers=(("Location", "http://127.0.0.1:1/"),)),
        Outcome.REDIRECT,
    ),
    "floods": (flood, Outcome.TOO_LARGE),
    "html": (Reply(200, b"<html>"), Outcome.BAD_JSON),
    "list": (Reply(200, b"[]"), Outcome.BAD_JSON),
    "deep": (Reply(200, b"[" * 200_000), Outcome.BAD_JSON),
    "not_utf8": (Reply(200, b'{"a":"\xff"}'), Outcome.BAD_JSON),
    "compressed": (
        Reply(200, b"\x1f\x8b\x08", (("Content-Encoding", "gzip"),)),
        Outcome.BAD_JSON,
    ),
    "304_unasked": (Reply(304), Outcome.OTHER),
    "204": (Reply(204), Outcome.OTHER),
    "400": (Reply(400), Outcome.OTHER),
    "unknown_status": (Reply(799), Outcome.OTHER),
}
each_fault = pytest.mark.parametrize(
    ("reply", "outcome"), FAULTS.values(), ids=FAULTS.keys()
)


@each_fault
def test_a_fault_is_counted_and_leaves_the_other_endpoints_alone(
    reply: Reply | Act, outcome: Outcome
) -> None:
    async def body(watch: Watch) -> None:
        await watch.until_counted(Endpoint.TOPICS, outcome)
        await watch.until_used(len(watch.uses) + 2)

    watch = run(body, {TOPICS: reply}, timeout_seconds=0.3)

    assert watch.telemetry.requests[Endpoint.TOPICS, Outcome.OK] == 0
    assert watch.uses[-1].topic_uses == ()


@each_fault
def test_a_lookup_that_fails_holds_its_own_cluster_only(
    reply: Reply | Act, outcome: Outcome
) -> None:
    async def body(watch: Watch) -> None:
        await watch.until_counted(Endpoint.ADDON, outcome)
        await watch.until_used(2)

    watch = run(
        body,
        {"/addons/kafka-bad-1": reply},
        addons=("kafka-bad-1", ADDON),
        timeout_seconds=0.3,
    )

    assert {use.addon for use in watch.uses} == {ADDON}
    assert watch.telemetry.unseen == {"kafka-bad-1"}


def test_nobody_listening_is_a_fault_of_the_connection() -> None:
    key = Endpoint.ADDON, Outcome.CONNECTION

    async def main() -> PollerTelemetry:
        async with Api().serving() as api:
            pass  # nobody listens there any more
        async with collecting(api) as watch:
            await eventually(lambda: watch.telemetry.requests[key] >= 2)
        return watch.telemetry

    telemetry = asyncio.run(main())

    assert telemetry.requests[key] == sum(telemetry.requests.values())


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_token_slows_down_and_is_logged_once(status: int) -> None:
    with structlog.testing.capture_logs() as logs:
        watch = run(
            lambda watch: watch.until_asked(CLUSTER, 6),
            {TOPICS: Reply(status), WAIT: Reply(status)},
        )

    assert len(watch.api.asked(TOPICS)) == len(watch.api.asked(WAIT)) == 1
    assert logs == [{"event": "collector.unauthorized", "log_level": "warning"}]


def test_a_missing_cluster_is_looked_up_again_and_found_under_its_new_uuid() -> None:
    new = UUID.replace("2", "3")

    async def body(watch: Watch) -> None:
        await watch.until_used(1)
        del watch.api.replies[CLUSTER]
        watch.api.replies |= {
            path.replace(UUID, new): ok({"data_size": 7})
            for path in (CLUSTER, TOPICS, WAIT)
        }
        watch.api.replies[LOOKUP] = ok({**load("addon"), "id": new})
        await watch.until(lambda: watch.uses[-1].data_size_bytes == 7)

    watch = run(body, {TOPICS: ok(load("topics"), ETag='"old"')})

    assert len(watch.api.asked(LOOKUP)) == 2
    assert watch.uses[-1].topic_uses == ()  # those were the old cluster's
    for request in watch.api.asked(TOPICS.replace(UUID, new)):
        assert "if-none-match" not in request.headers


def test_what_is_not_provisioned_yet_is_asked_at_the_normal_pace() -> None:
    async def body(watch: Watch) -> None:
        await watch.until_asked(LOOKUP, 8)
        watch.api.replies[LOOKUP] = ok(load("addon"))
        await watch.until_used(1)

    watch = run(body, {LOOKUP: Reply(404)})

    assert min(watch.api.gaps(LOOKUP)) >= 0.9 * INTERVAL
    assert watch.telemetry.requests[Endpoint.CLUSTER, Outcome.NOT_FOUND] == 0


def test_an_endpoint_that_stays_away_has_the_name_looked_up_each_interval() -> None:
    watch = run(lambda watch: watch.until_asked(TOPICS, 5), {TOPICS: Reply(404)})

    assert min(watch.api.gaps(LOOKUP)) >= 0.9 * INTERVAL
    assert len(watch.uses) >= 3


LIMITED = Reply(429, headers=(("Retry-After", "86400"),))


@pytest.mark.parametrize("refusal", [LIMITED, Reply(401)], ids=["429", "401"])
def test_a_refused_lookup_is_not_hurried_by_a_missing_endpoint(refusal: Reply) -> None:
    async def body(watch: Watch) -> None:
        await watch.until_used(1)
        watch.api.replies |= {LOOKUP: refusal, TOPICS: Reply(404)}
        await watch.until_asked(LOOKUP, 3)

    watch = run(body, slow_seconds=0.3)

    assert watch.api.gaps(LOOKUP)[1] >= 0.9 * 0.3


def test_a_limited_host_is_not_asked_for_another_add_on() -> None:
    watch = run(
        lambda watch: watch.until_asked(LOOKUP, 2),
        {"/addons/kafka-other-1": LIMITED, TOPICS: Reply(404)},
        addons=(ADDON, "kafka-other-1"),
        slow_seconds=0.3,
    )

    assert watch.api.gaps(LOOKUP)[0] >= 0.3


@pytest.mark.parametrize("path", [LOOKUP, WAIT, CLUSTER])
def test_a_deprovisioned_add_on_is_left_alone(path: str) -> None:
    other, uuid = "kafka-other-1", UUID.replace("2", "9")
    other_cluster = CLUSTER.replace(UUID, uuid)

    async def body(watch: Watch) -> None:
        await watch.until_asked(path, 1)
        asked = len([one for one in watch.api.requests if UUID in one.path])
        await watch.until_asked(other_cluster, len(watch.api.asked(other_cluster)) + 4)
        assert len([one for one in watch.api.requests if UUID in one.path]) == asked

    watch = run(
        body,
        {
            path: Reply(410),
            f"/addons/{other}": ok({"id": uuid, "name": other}),
            other_cluster: ok({}),
        },
        addons=(ADDON, other),
    )

    assert len(watch.api.asked(LOOKUP)) == len(watch.api.asked(path)) == 1


def test_what_was_deprovisioned_is_looked_up_at_the_slow_pace() -> None:
    watch = run(
        lambda watch: watch.until_asked(LOOKUP, 3),
        {CLUSTER: Reply(410)},
        slow_seconds=0.06,
    )

    assert min(watch.api.gaps(LOOKUP)) >= 0.9 * 0.06
    assert min(watch.api.gaps(CLUSTER)) >= 0.9 * 0.06


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_holds_the_whole_host_and_has_a_cap(form: str) -> None:
    date = email.utils.formatdate(time.time() + 86_400, usegmt=True)
    wish = {"seconds": "86400", "date": date}[form]

    watch = run(
        lambda watch: watch.until_asked(TOPICS, 2),
        {WAIT: Reply(429, headers=(("Retry-After", wish),))},
        slow_seconds=0.4,
    )

    first = watch.api.asked(WAIT)[0].at
    later = [one.at for one in watch.api.requests if UUID in one.path][1:]
    assert min(later) >= first + 0.4
    assert len(watch.api.asked(LOOKUP)) > 1  # the other host


@pytest.mark.parametrize(
    ("text", "want"),
    [
        (None, None),
        ("0", 0.0),
        ("120", 120.0),
        ("9" * 400, float("inf")),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        ("Thu, 01 Jan 1970 00:20:00 GMT", 200.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("Thu, 32 Jan 1970 00:00:00 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(text: str | None, want: float | None) -> None:
    assert maybe_parse_retry_after(text, 1_000.0) == want


def test_an_endpoint_that_is_limited_again_and_again_lets_the_others_go_first() -> None:
    watch = run(
        lambda watch: watch.until_used(2),
        {WAIT: LIMITED},
        slow_seconds=0.2,
    )

    assert len(watch.api.asked(WAIT)) <= 3


def test_an_add_on_without_a_uuid_is_a_fault() -> None:
    watch = run(
        lambda watch: watch.until_counted(Endpoint.ADDON, Outcome.BAD_JSON),
        {LOOKUP: ok({"name": ADDON})},
    )

    assert {request.path for request in watch.api.requests} == {LOOKUP}


def test_faults_in_a_row_double_the_pause() -> None:
    watch = run(lambda watch: watch.until_asked(TOPICS, 6), {TOPICS: Reply(500)})

    for doublings, gap in enumerate(watch.api.gaps(TOPICS)):
        assert gap >= 0.9 * INTERVAL * 2**doublings
    assert len(watch.api.asked(CLUSTER)) > len(watch.api.asked(TOPICS))


def test_faults_do_not_slow_down_beyond_the_slow_pace() -> None:
    watch = run(
        lambda watch: watch.until_asked(TOPICS, 12),
        {TOPICS: hang_up},
        slow_seconds=0.05,
    )

    assert watch.telemetry.requests[Endpoint.TOPICS, Outcome.CONNECTION] >= 11


def test_success_ends_the_back_off() -> None:
    async def body(watch: Watch) -> None:
        await watch.until_asked(TOPICS, 4)
        watch.api.replies[TOPICS] = ok(load("topics"))
        await watch.until_counted(Endpoint.TOPICS, Outcome.OK)
        clusters = len(watch.api.asked(CLUSTER))
        await watch.until_asked(TOPICS, len(watch.api.asked(TOPICS)) + 4)
        assert len(watch.api.asked(CLUSTER)) <= clusters + 8

    run(body, {TOPICS: Reply(500)})


def test_topics_outlive_two_faults_and_not_three() -> None:
    key = Endpoint.TOPICS, Outcome.SERVER_ERROR
    seen: list[tuple[int, bool]] = []

    async def body(watch: Watch) -> None:
        await watch.until_used(1)
        watch.api.replies[TOPICS] = Reply(500)
        while not seen or seen[-1][1]:
            await watch.until_used(len(watch.uses) + 1)
            has_topics = watch.uses[-1].topic_uses != ()
            seen.append((watch.telemetry.requests[key], has_topics))

    run(body)

    assert (2, True) in seen
    assert all(has_topics == (faults < 3) for faults, has_topics in seen)


def test_an_etag_spares_the_body() -> None:
    async def body(watch: Watch) -> None:
        await watch.until_used(1)
        watch.api.replies[CLUSTER] = Reply(304)
        await watch.until_used(4)

    etag = 'W/"abc"'
    watch = run(body, {CLUSTER: ok(load("cluster_dedicated"), ETag=etag)})

    first, *later = [
        one.headers.get("if-none-match") for one in watch.api.asked(CLUSTER)
    ]
    assert first is None
    assert set(later) == {etag}
    assert {use.data_size_bytes for use in watch.uses} == {71_701_627}
    assert watch.telemetry.requests[Endpoint.CLUSTER, Outcome.NOT_MODIFIED] >= 2
    assert all("if-none-match" not in one.headers for one in watch.api.asked(TOPICS))


def test_a_redirect_does_not_carry_the_token_to_another_host() -> None:
    async def main() -> tuple[Watch, Api]:
        async with Api().serving() as other, Api().serving() as api:
            target = other.url.replace("127.0.0.1", "localhost")
            for path in (CLUSTER, TOPICS, WAIT):
                away = (("Location", f"{target}{path}"),)
                api.replies[path] = Reply(307, headers=away)
            async with collecting(api) as watch:
                await watch.until_asked(CLUSTER, 3)
        return watch, other

    watch, other = asyncio.run(main())

    assert other.requests == []
    assert watch.telemetry.requests[Endpoint.CLUSTER, Outcome.REDIRECT] >= 2


def test_an_answer_is_cut_off_at_the_limit() -> None:
    body = json.dumps({"message": "x" * 900}).encode()

    watch = run(
        lambda watch: watch.until_asked(WAIT, 3),
        {WAIT: Reply(200, body), TOPICS: ok({"topics": []})},
        answer_bytes=len(body) - 1,
    )

    assert watch.telemetry.requests[Endpoint.WAIT_STATUS, Outcome.TOO_LARGE] >= 2
    assert watch.telemetry.requests[Endpoint.TOPICS, Outcome.OK] >= 1


def test_an_answer_as_long_as_the_limit_is_read() -> None:
    body = json.dumps({"message": "x" * 9_000}).encode()

    watch = run(
        lambda watch: watch.until_counted(Endpoint.WAIT_STATUS, Outcome.OK),
        {WAIT: Reply(200, body)},
        answer_bytes=len(body),
    )

    assert watch.telemetry.requests[Endpoint.WAIT_STATUS, Outcome.TOO_LARGE] == 0


def test_a_name_cannot_lead_to_another_path() -> None:
    watch = run(
        lambda watch: watch.until(lambda: bool(watch.api.requests)),
        addons=("../account?x#y",),
    )

    assert watch.api.requests[0].path == "/addons/..%2Faccount%3Fx%23y"


def test_a_record_has_the_name_that_the_drain_knows() -> None:
    watch = run(
        lambda watch: watch.until_used(1),
        {f"/addons/{UUID}": ok(load("addon"))},
        addons=(UUID,),
    )

    assert watch.uses[0].addon == ADDON
    assert watch.telemetry.unseen == set()


def test_what_is_unseen_has_the_name_that_the_drain_knows_too() -> None:
    async def body(watch: Watch) -> None:
        gone = Endpoint.CLUSTER, Outcome.GONE
        await eventually(lambda: watch.telemetry.requests[gone] > 0)

    watch = run(
        body,
        {f"/addons/{UUID}": ok(load("addon")), CLUSTER: Reply(410)},
        addons=(UUID,),
    )

    assert watch.telemetry.unseen == {ADDON}


def test_a_consumer_that_raises_stops_nothing() -> None:
    asked = 0

    def refuse(use: ClusterUse) -> None:
        nonlocal asked
        asked += 1
        message = f"no {use.addon} {TOKEN}"
        raise ValueError(message)

    async def main() -> None:
        async with Api().serving() as api:
            collector = Poller(
                Secret(TOKEN),
                [ADDON],
                refuse,
                PollerTelemetry(),
                platform_url=api.url,
                data_url=api.url,
                interval_seconds=INTERVAL,
            )
            task = asyncio.create_task(collector.run())
            async with asyncio.timeout(TIMEOUT_SECONDS):
                while asked < 3:
                    api.changed.clear()
                    await api.changed.wait()
            task.cancel()
            await asyncio.wait([task])

    with structlog.testing.capture_logs() as logs:
        asyncio.run(main())

    assert [one["event"] for one in logs] == ["collector.failed"]
    assert TOKEN not in repr(logs)


def test_an_exception_of_the_client_is_counted_and_logged_without_its_text() -> None:
    key = Endpoint.ADDON, Outcome.OTHER

    async def main() -> PollerTelemetry:
        telemetry = PollerTelemetry()
        collector = Poller(
            Secret(TOKEN),
            [ADDON],
            lambda _: None,
            telemetry,
            platform_url="https://127.0.0.1:99999",
            interval_seconds=INTERVAL,
        )
        task = asyncio.create_task(collector.run())
        await eventually(lambda: telemetry.requests[key] >= 2)
        task.cancel()
        await asyncio.wait([task])
        return telemetry

    with structlog.testing.capture_logs() as logs:
        asyncio.run(main())

    assert [one["event"] for one in logs] == ["collector.failed"]
    assert "99999" not in repr(logs)


@each_fault
def test_nothing_shows_the_token_or_what_is_internal(
    reply: Reply | Act, outcome: Outcome, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    shown = ""

    async def body(watch: Watch) -> None:
        nonlocal shown
        await watch.until_counted(Endpoint.TOPICS, outcome)
        await watch.until_used(1)
        parts = vars(watch.collector)
        shown = f"{watch.collector!r} {parts!r} {parts} {watch.task!r} {watch.uses!r}"

    with structlog.testing.capture_logs() as logs:
        run(
            body,
            {TOPICS: reply, CLUSTER: ok(load("cluster_multi_tenant"))},
            timeout_seconds=0.3,
        )

    for text in (shown, repr(logs), caplog.text):
        assert TOKEN not in text
        assert "dod-kafka-tenant" not in text
    assert "****" in shown


@pytest.mark.parametrize("token", ["", "two words", f"{TOKEN}\n", "hür", "\x00"])
def test_a_token_that_cannot_stand_in_a_header_is_refused(token: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Poller(Secret(token), [], lambda _: None, PollerTelemetry())

    assert not token or token not in str(caught.value)


@pytest.mark.parametrize("option", ["platform_url", "data_url"])
def test_the_token_is_not_sent_unencrypted(option: str) -> None:
    with pytest.raises(SettingsError, match="https://"):
        Poller(
            Secret(TOKEN),
            [],
            lambda _: None,
            PollerTelemetry(),
            **{option: "http://example.com"},  # type: ignore[arg-type] # one of the URLs
        )


def test_cancelling_closes_the_request_in_flight() -> None:
    """The server sees the connection close; anything left open would warn."""
    closed: list[bool] = []

    async def wait_for_the_end(writer: asyncio.StreamWriter) -> None:
        await trickle(writer)
        closed.append(True)

    async def main() -> None:
        api = Api(replies={LOOKUP: wait_for_the_end})
        async with api.serving():
            async with collecting(api):
                await eventually(lambda: api.in_flight == 1)
            await eventually(lambda: closed == [True])

    asyncio.run(main())
    gc.collect()

    assert closed == [True]


def test_without_add_ons_it_waits_to_be_cancelled() -> None:
    async def body(_: Watch) -> None:
        await asyncio.sleep(0)

    watch = run(body, addons=())

    assert watch.api.requests == []
    assert watch.task.cancelled()


def test_all_counters_exist_from_the_start() -> None:
    telemetry = PollerTelemetry()

    Poller(Secret(TOKEN), [ADDON], lambda _: None, telemetry)

    assert len(telemetry.requests) == len(Endpoint) * len(Outcome)
    assert telemetry.unseen == {ADDON}
