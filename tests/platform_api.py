"""Heroku's two APIs played on loopback, and a collector that asks them."""

import asyncio
import contextlib
import gc
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from agent.heroku_api.poller import (
    DEFAULT_LIMITS,
    Endpoint,
    Outcome,
    Poller,
    PollerTelemetry,
)
from agent.secret import Secret
from parsers import ClusterUse

FIXTURES = Path(__file__).parents[1] / "fixtures" / "platform"
ADDON = "kafka-animated-39618"
UUID = "00000000-0000-4000-8000-000000000002"
TOKEN = "HRKU-correct-horse-battery"
INTERVAL = 0.02
TIMEOUT_SECONDS = 10.0

LOOKUP = f"/addons/{ADDON}"
CLUSTER = f"/data/kafka/v0/clusters/{UUID}"
TOPICS = f"{CLUSTER}/topics"
WAIT = f"{CLUSTER}/wait_status"


def load(name: str) -> Any:
    return json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Reply:
    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Request:
    path: str
    headers: dict[str, str]
    at: float


Act = Callable[[asyncio.StreamWriter], Awaitable[None]]


def ok(value: object, **headers: str) -> Reply:
    return Reply(200, json.dumps(value).encode(), tuple(headers.items()))


@dataclass
class Api:
    """Plays both APIs; `replies` may be changed while it runs."""

    replies: dict[str, Reply | Act] = field(
        default_factory=lambda: {
            LOOKUP: ok(load("addon")),
            CLUSTER: ok(load("cluster_dedicated")),
            TOPICS: ok(load("topics")),
            WAIT: ok(load("wait_status")),
        }
    )
    requests: list[Request] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    in_flight: int = 0
    most_in_flight: int = 0
    url: str = ""
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator["Api"]:
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with server:
            yield self
            for task in self.tasks:
                task.cancel()
            await asyncio.gather(*self.tasks, return_exceptions=True)

    async def _accept(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.ensure_future(self._serve(reader, writer))
        self.tasks.add(task)
        await asyncio.wait([task])

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            first, *lines = head.strip().split("\r\n")
            fields = (line.split(": ", 1) for line in lines)
            headers = {name.lower(): text for name, text in fields}
            path = first.split(" ")[1]
            now = asyncio.get_running_loop().time()
            self.requests.append(Request(path, headers, now))
            self.in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self.in_flight)
            reply = self.replies.get(path, Reply(404))
            try:
                await (
                    send(writer, reply) if isinstance(reply, Reply) else reply(writer)
                )
            finally:
                self.in_flight -= 1
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
            self.changed.set()

    def asked(self, path: str) -> list[Request]:
        return [request for request in self.requests if request.path == path]

    def gaps(self, path: str) -> list[float]:
        return [after.at - before.at for before, after in pairwise(self.asked(path))]


async def send(writer: asyncio.StreamWriter, reply: Reply) -> None:
    headers = {"Content-Length": str(len(reply.body)), "Connection": "close"}
    lines = [
        f"{name}: {text}" for name, text in {**headers, **dict(reply.headers)}.items()
    ]
    head = "\r\n".join([f"HTTP/1.1 {reply.status} x", *lines, "", ""])
    writer.write(head.encode() + reply.body)
    await writer.drain()


async def eventually(check: Callable[[], bool]) -> None:
    """Wait for what no server sees."""
    async with asyncio.timeout(TIMEOUT_SECONDS):
        while not check():  # noqa: ASYNC110 (counters have no event to wait for)
            await asyncio.sleep(0.001)


async def hang(_: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def hang_up(_: asyncio.StreamWriter) -> None:
    pass


async def hang_up_in_the_body(writer: asyncio.StreamWriter) -> None:
    writer.write(b'HTTP/1.1 200 x\r\nContent-Length: 100\r\n\r\n{"state":')
    await writer.drain()


async def trickle(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 x\r\n\r\n")
    with contextlib.suppress(OSError):
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.005)


async def flood(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 x\r\n\r\n")
    with contextlib.suppress(OSError):
        while True:
            writer.write(b" " * 65_536)
            await writer.drain()


@dataclass
class Watch:
    """A running collector, and what it has handed over."""

    api: Api
    collector: Poller
    telemetry: PollerTelemetry
    uses: list[ClusterUse]
    task: asyncio.Task[None]

    async def until(self, check: Callable[[], bool]) -> None:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            while not check():
                self.api.changed.clear()
                await self.api.changed.wait()

    async def until_asked(self, path: str, times: int) -> None:
        await self.until(lambda: len(self.api.asked(path)) >= times)

    async def until_counted(self, endpoint: Endpoint, outcome: Outcome) -> None:
        await self.until(lambda: self.telemetry.requests[endpoint, outcome] > 0)

    async def until_used(self, times: int) -> None:
        await self.until(lambda: len(self.uses) >= times)


@contextlib.asynccontextmanager
async def collecting(
    api: Api,
    *,
    addons: tuple[str, ...] = (ADDON,),
    interval_seconds: float = INTERVAL,
    **limits: float,
) -> AsyncIterator[Watch]:
    uses: list[ClusterUse] = []
    telemetry = PollerTelemetry()

    def take(use: ClusterUse) -> None:
        uses.append(use)
        api.changed.set()

    collector = Poller(
        Secret(TOKEN),
        addons,
        take,
        telemetry,
        platform_url=api.url,
        data_url=f"{api.url}/",
        interval_seconds=interval_seconds,
        limits=replace(DEFAULT_LIMITS, **limits),  # type: ignore[arg-type] # ints are floats
    )
    task = asyncio.create_task(collector.run())
    try:
        yield Watch(api, collector, telemetry, uses, task)
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.wait([task])
    assert task.cancelled()


def run(
    body: Callable[[Watch], Awaitable[None]],
    replies: dict[str, Reply | Act] | None = None,
    **options: Any,
) -> Watch:
    """Run `body` beside a collector that asks an API with these replies."""

    async def main() -> Watch:
        api = Api()
        api.replies.update(replies or {})
        async with api.serving(), collecting(api, **options) as watch:
            await body(watch)
        return watch

    gc.freeze()  # so that the collection looks at nothing but this run's objects
    try:
        return asyncio.run(main())
    finally:
        gc.collect()  # what was not closed warns here, and a warning is an error
        gc.unfreeze()
