"""``GET /metrics``: the exposition, rendered once for all who scrape the same."""

import asyncio

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from starlette.requests import Request
from starlette.responses import Response

from agent.clock import read_clock
from agent.engine import Engine
from agent.metrics.exposition import render
from agent.state.zero_first import ZeroFirst
from agent.web.answers import Answer, compress, wants_gzip
from agent.web.copies import copy_view
from agent.web.negotiation import choose_ranges
from agent.web.render_queue import RenderQueue


class Exposition:
    """Answers scrapes.

    Args:
        engine: What is exported.
        process: Registry of the process's own metrics.
    """

    def __init__(self, engine: Engine, process: CollectorRegistry) -> None:
        self._engine = engine
        self._process = process
        self._zero_first = ZeroFirst()
        self._queue = RenderQueue()

    async def answer(self, request: Request) -> Response:
        """Render the exposition, in a thread so that no drain waits for it.

        Args:
            request: Authenticated; only add-ons that its credentials are valid for are
                exported.
        """
        timeout = _maybe_read_timeout(request)
        accepted = choose_ranges(request.headers.get("accept", ""))
        encode, content_type = choose_encoder(accepted)
        is_openmetrics = content_type.startswith("application/openmetrics-text")
        is_gzip = wants_gzip(request)
        reader = request.user

        async def build() -> bytes:
            now = read_clock()
            view = await copy_view(self._engine.state, now)
            snapshot = self._engine.complete_snapshot(view, now)
            if timeout is not None:
                nodes = self._zero_first.present(snapshot.nodes, now, timeout)
                snapshot = snapshot._replace(nodes=nodes)
            series = snapshot.visible_to(reader).series()
            return await asyncio.to_thread(
                lambda: compress(
                    render(series, encode, with_created=is_openmetrics)
                    + encode(self._process),
                    is_gzip=is_gzip,
                )
            )

        key = (reader.addons, timeout, content_type, is_gzip)
        body = await self._queue.share(key, build)
        return Answer(body, content_type, {}, vary="Accept, Accept-Encoding")


def _maybe_read_timeout(request: Request) -> float | None:
    """Read how long a scrape may take, in seconds; None if it is not Prometheus'.

    Prometheus, and what is built from its parts, sends it in a header.
    """
    try:
        timeout = float(request.headers.get("x-prometheus-scrape-timeout-seconds", ""))
    except ValueError:
        return None
    return timeout if timeout >= 0 else None  # nor NaN
