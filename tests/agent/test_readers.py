"""Reading costs the drain little, and a reader is sent only what is new."""

import asyncio
import gzip
import json
import re
import time
from array import array
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.clock import read_clock
from agent.settings import Settings
from agent.web.answers import PIECE_BYTES, accepts_gzip
from agent.web.clusters import build_clusters, parse_cluster_query, write_points
from agent.web.copies import Copier
from agent.web.render_queue import MAX_WAITING, QueueFullError, RenderQueue
from tests.engines import Drain
from tests.frames import FULL2, frame, log_frame
from tests.serving import AUTHORIZATION, Agent, running, serving

STALL_SECONDS = 0.1
SLACK = 3  # the test's own processes run on the same processors
ATTEMPTS = 3
IDLE_BYTES_PER_MINUTE = 20_000
POLLS_PER_MINUTE = 12
GZIP = {**AUTHORIZATION, "Accept-Encoding": "gzip"}


def sample(cluster: str, broker: int, load: float = 0.5) -> bytes:
    now = datetime.now(UTC).isoformat()
    text = f"source=KAFKA addon={cluster} sample#load-avg-1m={load}"
    return frame(f"<134>1 {now} host app heroku-kafka.{broker} - {text}".encode())


def read_clusters(agent: Agent, query: str = "") -> Any:
    answer = agent.request("GET", f"/api/clusters{query}")
    assert answer.status == 200
    return json.loads(answer.body)


def names(answer: Any) -> list[str]:
    return [one["cluster"] for one in answer["clusters"]]


def cursor_of(page: bytes) -> str:
    found = re.search(rb'data-next="([^"]+)"', page)
    assert found
    return found[1].decode()


@pytest.fixture(scope="module")
def loaded() -> Iterator[Agent]:
    with serving("--port", "0") as agent:
        for cluster in range(100):
            lines = [
                FULL2.replace(b"kafka.2", b"kafka.%d" % broker).replace(
                    b"animated-39618", b"animated-%05d" % cluster
                )
                for broker in range(64)
            ]
            assert agent.post(b"".join(map(frame, lines))).status == 204
        yield agent


def longest_wait(agent: Agent, path: str) -> float:
    """Ask for the health on other connections while `path` is read."""
    longest = 0.0
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(agent.request, "GET", path)
        while not reading.done():
            started = time.monotonic()
            assert agent.request("GET", "/-/healthy").status == 200
            longest = max(longest, time.monotonic() - started)
    assert reading.result().status == 200
    return longest


@pytest.mark.parametrize("path", ["/api/clusters", "/", "/metrics"])
def test_reading_6400_brokers_does_not_stall_others(loaded: Agent, path: str) -> None:
    waits: list[float] = []
    for _ in range(ATTEMPTS):
        waits.append(longest_wait(loaded, path))
        if waits[-1] < SLACK * STALL_SECONDS:
            break

    assert min(waits) < SLACK * STALL_SECONDS


def test_all_clusters_come_in_bounded_answers(loaded: Agent) -> None:
    found: list[str] = []
    after: str | None = ""
    while after is not None:
        answer = loaded.request("GET", f"/api/clusters?points=30&after={after}")
        assert len(answer.body) < 8_000_000
        content = json.loads(answer.body)
        found += names(content)
        after = content["after"]

    assert found == [f"kafka-animated-{cluster:05}" for cluster in range(100)]


def test_the_page_is_bounded_and_links_to_the_rest(loaded: Agent) -> None:
    page, found = loaded.request("GET", "/").body.decode(), 0
    while True:
        assert len(page) < 1_000_000
        found += page.count("<section id=")
        more = re.search(r'href="(/\?after=[^"]+)"', page)
        if not more:
            break
        page = loaded.request("GET", more[1]).body.decode()

    assert found == 100
    assert "6400 brokers" in page


def bytes_of_a_minute(agent: Agent, since: str, busy: bytes = b"") -> int:
    """Poll as often as the page does in a minute; count heads and bodies."""
    total = 0
    for poll in range(POLLS_PER_MINUTE):
        if busy and poll == 0:
            agent.post(busy)
        answer = agent.request("GET", f"/?since={since}", headers=GZIP)
        body = answer.body
        total += len(body) + sum(len(k) + len(v) + 4 for k, v in answer.headers.items())
        if answer.headers.get(
            "Content-Encoding", answer.headers.get("content-encoding")
        ):
            body = gzip.decompress(body)
        since = cursor_of(body)
    return total


def test_an_idle_tab_is_sent_less_than_20_kb_a_minute() -> None:
    with running() as agent:
        agent.post(b"".join(sample("kafka-a", broker) for broker in range(8)))
        since = cursor_of(agent.request("GET", "/").body)

        assert bytes_of_a_minute(agent, since) < IDLE_BYTES_PER_MINUTE


def test_a_tab_is_sent_the_clusters_that_report_and_no_others() -> None:
    with running() as agent:
        agent.post(sample("kafka-a", 0) + sample("kafka-b", 0))
        since = cursor_of(agent.request("GET", "/").body)
        agent.post(sample("kafka-b", 0, 0.7))
        page = agent.request("GET", f"/?since={since}").body.decode()

    assert 'id="cluster-kafka-b"' in page
    assert 'id="cluster-kafka-a"' not in page
    assert 'id="events"' not in page
    assert 'id="main"' not in page


def test_an_event_is_sent_to_a_tab_that_has_the_rest() -> None:
    with running() as agent:
        since = cursor_of(agent.request("GET", "/").body)
        agent.post(log_frame(b"pri=FATAL t=main at=Kafka$ Halting Kafka.", "1"))
        page = agent.request("GET", f"/?since={since}").body.decode()

    assert "Halting Kafka." in page
    assert 'id="main"' not in page


@pytest.mark.parametrize("since", ["", "junk", "00000000-1-1", "<script>"])
def test_a_tab_of_another_process_is_sent_the_whole_page(since: str) -> None:
    with running() as agent:
        page = agent.request("GET", f"/?since={since}").body

    assert b'id="main"' in page


def test_json_holds_only_the_clusters_that_have_changed() -> None:
    with running() as agent:
        agent.post(sample("kafka-a", 0) + sample("kafka-b", 0))
        first = read_clusters(agent)
        agent.post(sample("kafka-b", 1))
        second = read_clusters(agent, f"?since={first['next']}")
        third = read_clusters(agent, f"?since={second['next']}")

    assert (first["full"], names(first)) == (True, ["kafka-a", "kafka-b"])
    assert (second["full"], names(second)) == (False, ["kafka-b"])
    assert [one["broker"] for one in second["clusters"][0]["brokers"]] == ["0", "1"]
    for broker in second["clusters"][0]["brokers"]:
        points = broker["history"]["load_avg_1m"]
        assert len(points) <= 4
        assert points[-1] == 0.5 or points[-2] == 0.5  # a step may have ended
    assert names(third) == []


def test_json_of_another_process_is_full() -> None:
    with running() as agent:
        agent.post(sample("kafka-a", 0))

        for since in ("00000000-1-1", read_clusters(agent)["next"] + "0"):
            assert read_clusters(agent, f"?since={since}")["full"] is True


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("since=15m", "the value of next"),
        ("points=361", "0 to 360"),
        ("points=-1", "0 to 360"),
        ("limit=0", "1 to 1000"),
        ("limit=" + "9" * 5_000, "1 to 1000"),
        ("colour=red", "colour is not known"),
    ],
)
def test_an_invalid_query_is_answered_with_what_is_valid(query: str, says: str) -> None:
    with running() as agent:
        answer = agent.request("GET", f"/api/clusters?{query}")

    assert answer.status == 400
    assert says in json.loads(answer.body)["error"]


def test_json_is_limited_by_names_number_and_points() -> None:
    with running() as agent:
        agent.post(b"".join(sample(f"kafka-{name}", 0) for name in "abcd"))

        cut = read_clusters(agent, "?limit=2&points=1")
        assert (names(cut), cut["after"]) == (["kafka-a", "kafka-b"], "kafka-b")
        rest = read_clusters(agent, "?limit=2&after=kafka-b&points=0")
        assert (names(rest), rest["after"]) == (["kafka-c", "kafka-d"], None)
        assert names(read_clusters(agent, "?cluster=kafka-d,kafka-a")) == [
            "kafka-a",
            "kafka-d",
        ]
    assert len(cut["clusters"][0]["brokers"][0]["history"]["load_avg_1m"]) == 1
    assert rest["clusters"][0]["brokers"][0]["history"]["load_avg_1m"] == []


@given(
    st.lists(
        st.one_of(st.none(), st.tuples(st.sampled_from("abc"), st.integers(0, 2))),
        max_size=12,
    ),
    st.frozensets(st.sampled_from(["kafka-a", "kafka-b"])),
)
def test_a_client_that_follows_the_changes_has_what_a_full_answer_has(
    steps: list[tuple[str, int] | None], addons: frozenset[str]
) -> None:
    drain = Drain(Settings(forget_after_seconds=3600))
    copier = Copier(drain.engine, addons)

    def read(since: str) -> Any:
        query = parse_cluster_query([("since", since), ("points", "0")])
        admission = drain.engine.state.admission
        return json.loads(asyncio.run(build_clusters(copier, admission, query)))

    known: dict[str, Any] = {}
    since = ""
    for number, step in enumerate([*steps, None]):
        if step is None:
            answer = read(since)
            since = answer["next"]
            if answer["full"]:
                known.clear()
            known |= {one["cluster"]: one for one in answer["clusters"]}
        else:
            name, broker = step
            drain.receive(sample(f"kafka-{name}", broker, number), read_clock())
    full = read("")

    sent = {f"kafka-{step[0]}" for step in steps if step is not None}
    assert known == {one["cluster"]: one for one in full["clusters"]}
    assert known.keys() == (sent & addons if addons else sent)


def test_a_cluster_that_is_forgotten_makes_the_next_answer_full() -> None:
    drain = Drain(Settings(forget_after_seconds=0))
    copier = Copier(drain.engine)
    admission = drain.engine.state.admission

    def read(since: str) -> Any:
        query = parse_cluster_query([("since", since)])
        return json.loads(asyncio.run(build_clusters(copier, admission, query)))

    drain.receive(sample("kafka-a", 0), read_clock())
    first = read("")
    drain.engine.forget(read_clock())
    second = read(first["next"])

    assert names(first) == ["kafka-a"]
    assert (second["full"], names(second)) == (True, [])


@given(st.lists(st.floats(width=32), max_size=20))
def test_points_are_written_as_json(values: list[float]) -> None:
    points = array("f", values)

    read = json.loads(bytes(write_points(points)))
    for value, found in zip(points, read, strict=True):
        if value in {float("inf"), float("-inf")} or value != value:  # noqa: PLR0124 (NaN)
            assert found is None
        else:
            assert found == pytest.approx(value, rel=1e-6)


@pytest.mark.parametrize(
    ("header", "is_accepted"),
    [
        ("", False),
        ("gzip", True),
        ("GZIP", True),
        ("br, gzip;q=0.5", True),
        ("x-gzip", True),
        ("*", True),
        ("br, *;q=0.1", True),
        ("gzip;q=0", False),
        ("gzip; q=0.000, *", False),
        ("*;q=0", False),
        ("identity", False),
        ("gzip;q=nan", False),
        ("gzip;q=5", False),
        ("gzip;q=", False),
        ("deflate, br", False),
    ],
)
def test_gzip_is_sent_to_clients_that_accept_it(
    header: str, *, is_accepted: bool
) -> None:
    assert accepts_gzip(header) is is_accepted


@pytest.mark.parametrize(
    "path", ["/", "/metrics", "/api/clusters", "/api/events", "/static/page.js"]
)
def test_an_answer_is_the_same_with_and_without_gzip(path: str) -> None:
    with running() as agent:
        agent.post(frame(FULL2) + log_frame(b"pri=WARN t=x at=X y"))
        plain = agent.request("GET", path)
        refused = agent.request(
            "GET", path, headers={**AUTHORIZATION, "Accept-Encoding": "gzip;q=0"}
        )
        packed = agent.request("GET", path, headers=GZIP)

    assert "content-encoding" not in plain.headers
    assert "content-encoding" not in refused.headers
    assert packed.headers["content-encoding"] == "gzip"
    for answer in (plain, packed):
        assert "Accept-Encoding" in answer.headers["vary"]
        assert int(answer.headers["content-length"]) == len(answer.body)
    length = len(gzip.decompress(packed.body))
    assert length == pytest.approx(len(plain.body), abs=300)  # times and counters
    assert len(packed.body) < length


def test_an_answer_of_many_pieces_arrives_whole(loaded: Agent) -> None:
    answer = loaded.request("GET", "/metrics")

    assert len(answer.body) > 10 * PIECE_BYTES
    assert answer.body.count(b"heroku_kafka_load_avg_1m{") == 6_400


def test_an_unchanged_file_is_not_sent_again() -> None:
    with running() as agent:
        first = agent.request("GET", "/static/page.js")
        again = agent.request(
            "GET",
            "/static/page.js",
            headers={**AUTHORIZATION, "If-None-Match": first.headers["etag"]},
        )
        other = agent.request(
            "GET",
            "/static/page.js",
            headers={**AUTHORIZATION, "If-None-Match": 'W/"0"'},
        )

    assert (again.status, again.body) == (304, b"")
    assert (other.status, other.body) == (200, first.body)


def test_readers_of_the_same_answer_share_its_rendering() -> None:
    async def read() -> tuple[list[int], int]:
        queue, built = RenderQueue(), 0
        release = asyncio.Event()

        async def build() -> int:
            nonlocal built
            built += 1
            number = built
            await release.wait()
            return number

        first = asyncio.create_task(queue.share("a", build))
        await asyncio.sleep(0.01)  # its rendering has started
        others = [asyncio.create_task(queue.share("a", build)) for _ in range(10)]
        await asyncio.sleep(0.01)
        release.set()
        return await asyncio.gather(first, *others), built

    assert asyncio.run(read()) == ([1, *[2] * 10], 2)


def test_a_full_queue_is_refused_and_drains() -> None:
    async def read() -> list[int]:
        queue, release = RenderQueue(), asyncio.Event()

        async def build() -> int:
            await release.wait()
            return 1

        first = asyncio.create_task(queue.share("first", build))
        await asyncio.sleep(0.01)
        tasks = [
            asyncio.create_task(queue.share(number, build))
            for number in range(MAX_WAITING)
        ]
        await asyncio.sleep(0.01)
        with pytest.raises(QueueFullError):
            await queue.share("more", build)
        release.set()
        return [await first, *await asyncio.gather(*tasks), await queue.share(0, build)]

    assert asyncio.run(read()) == [1] * (MAX_WAITING + 2)


def test_a_rendering_that_fails_does_not_block_the_next() -> None:
    async def read() -> int:
        queue = RenderQueue()

        async def fail() -> int:
            raise ValueError

        async def build() -> int:
            return 2

        with pytest.raises(ValueError, match=r"^$"):
            await queue.share("a", fail)
        return await queue.share("a", build)

    assert asyncio.run(read()) == 2
