"""The routes of ``serve``: metrics, the page for people, health."""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from agent.clock import read_clock
from agent.engine import Engine
from agent.http.auth import Authenticator
from agent.http.guard import mark_authenticated
from agent.metrics.exposition import render
from agent.settings import Settings
from agent.state.zero_first import ZeroFirst
from agent.web.api import parse_query, render_clusters, render_events
from agent.web.capacity_upload import receive_capacity
from agent.web.negotiation import choose_ranges
from agent.web.page import CONTENT_SECURITY_POLICY, Page
from agent.web.problems import render_problems
from agent.web.schema import Error, Reload, encode
from agent.web.static import STATIC

Endpoint = Callable[[Request], Awaitable[Response]]

_PRIVATE = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
_CHALLENGE = {"www-authenticate": 'Basic realm="heroku-kafka-agent"'}


def build_app(pages: "Pages") -> Starlette:
    """Build the ASGI application of everything but the transports.

    Args:
        pages: What is read.
    """
    app = Starlette(
        routes=[
            Route("/metrics", pages.guard("/metrics", pages.metrics)),
            Route("/", pages.guard("/", pages.page)),
            Route("/api/clusters", pages.guard("/api/clusters", pages.clusters)),
            Route("/api/events", pages.guard("/api/events", pages.events)),
            Route("/api/problems", pages.guard("/api/problems", pages.problems)),
            Route(
                "/api/capacity",
                pages.guard("/api/capacity", pages.capacity, pages.writers),
                methods=["POST"],
            ),
            Route(
                "/-/reload",
                pages.guard("/-/reload", pages.reload, pages.writers),
                methods=["POST"],
            ),
            Route("/static/{name}", pages.guard("/static", pages.static)),
            Route("/-/healthy", pages.count("/-/healthy", pages.healthy)),
            Route("/-/ready", pages.count("/-/ready", pages.healthy)),
        ],
        exception_handlers={HTTPException: pages.refuse},
    )
    app.router.redirect_slashes = False
    return app


class Pages:
    """What is read: by Prometheus, by people, by whoever restarts us.

    Args:
        settings: Credentials, and the agent's own address.
        engine: What the pages show.
        process: Registry of the process's own metrics.
        reload: Reloads the configuration and returns problems.

    Attributes:
        writers: Credentials of the routes that change something.
    """

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        process: CollectorRegistry,
        reload: Callable[[], Awaitable[tuple[str, ...]]],
    ) -> None:
        self.writers = Authenticator(settings.drain_credentials)
        self._settings = settings
        self._engine = engine
        self._process = process
        self._reload = reload
        self._readers = Authenticator(settings.readers)
        self._zero_first = ZeroFirst()
        self._parsing = asyncio.Lock()
        self._page = Page(engine, settings)

    def reconfigure(self, settings: Settings) -> None:
        """Use the credentials and thresholds of other settings from now on."""
        self._settings = settings
        self.writers.replace(settings.drain_credentials)
        self._readers.replace(settings.readers)
        self._page = Page(self._engine, settings)

    def count(self, route: str, endpoint: Endpoint) -> Endpoint:
        """Wrap `endpoint` so that its answers are counted under `route`."""

        async def counted(request: Request) -> Response:
            response = await endpoint(request)
            self._engine.telemetry.requests[route, response.status_code] += 1
            return response

        return counted

    def guard(
        self, route: str, endpoint: Endpoint, who: Authenticator | None = None
    ) -> Endpoint:
        """Wrap `endpoint` so that it requires credentials; by default, a reader's.

        The endpoint finds them in ``request.user``.
        """
        allowed = who or self._readers

        async def guarded(request: Request) -> Response:
            authorization = request.headers.get("authorization")
            presented = None if authorization is None else authorization.encode()
            found = allowed.maybe_authenticate(presented)
            if found is not None:
                request.scope["user"] = found
                mark_authenticated(request.scope)
                return await endpoint(request)
            self._engine.telemetry.auth_failures += 1
            return PlainTextResponse(
                "Unauthorized\n", HTTPStatus.UNAUTHORIZED, headers=_CHALLENGE
            )

        return self.count(route, guarded)

    async def metrics(self, request: Request) -> Response:
        """Render the exposition, in a thread so that no drain waits for it."""
        now = read_clock()
        snapshot = self._engine.snapshot(now)
        timeout = _maybe_read_timeout(request)
        if timeout is not None:
            nodes = self._zero_first.present(snapshot.nodes, now, timeout)
            snapshot = snapshot._replace(nodes=nodes)
        snapshot = snapshot.visible_to(request.user)
        accept = choose_ranges(request.headers.get("accept", ""))
        encode, content_type = choose_encoder(accept)
        is_openmetrics = content_type.startswith("application/openmetrics-text")
        body = await asyncio.to_thread(
            lambda: (
                render(snapshot.series(), encode, with_created=is_openmetrics)
                + encode(self._process)
            )
        )
        return Response(body, headers={"content-type": content_type})

    async def page(self, request: Request) -> Response:
        """Render the page for people."""
        html = self._page.render(_base_url(request), read_clock(), request.user)
        return Response(
            html,
            media_type="text/html",
            headers={
                "content-security-policy": CONTENT_SECURITY_POLICY,
                "referrer-policy": "no-referrer",
                **_PRIVATE,
            },
        )

    async def static(self, request: Request) -> Response:
        """Serve one of the few files that the page is made of."""
        file = STATIC.get(request.path_params["name"])
        if file is None:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        return Response(
            file.content,
            media_type=file.media_type,
            headers={**_PRIVATE, "cache-control": "private, max-age=3600"},
        )

    async def capacity(self, request: Request) -> Response:
        """Record what ``heroku kafka:info`` printed."""
        return await receive_capacity(request, self._engine, self._parsing)

    async def reload(self, request: Request) -> Response:
        """Reload the configuration; answer 500 with the problems where there are any."""
        if request.user.addons:
            return PlainTextResponse(
                "Credentials for certain add-ons cannot reload the configuration.\n",
                HTTPStatus.FORBIDDEN,
            )
        problems = await self._reload()
        files = [] if problems else list(map(str, self._settings.files))
        status = HTTPStatus.INTERNAL_SERVER_ERROR if problems else HTTPStatus.OK
        return Response(
            encode(Reload(files, problems)),
            status,
            media_type="application/json",
            headers=_PRIVATE,
        )

    async def clusters(self, request: Request) -> Response:
        """Answer with the clusters and their last hours, as JSON."""
        return Response(
            render_clusters(self._engine.state, read_clock(), request.user),
            media_type="application/json",
            headers=_PRIVATE,
        )

    async def events(self, request: Request) -> Response:
        """Answer with the newest events that the query asks for, as JSON."""
        try:
            query = parse_query(request.query_params.multi_items(), read_clock())
        except ValueError as error:
            return Response(
                encode(Error(str(error))),
                HTTPStatus.BAD_REQUEST,
                media_type="application/json",
                headers=_PRIVATE,
            )
        return Response(
            render_events(self._engine.log, query, request.user),
            media_type="application/json",
            headers=_PRIVATE,
        )

    async def problems(self, request: Request) -> Response:
        """Answer with what the alert rules find, as JSON."""
        engine = self._engine
        return Response(
            render_problems(engine.problems, engine.evaluated_at, request.user),
            media_type="application/json",
            headers=_PRIVATE,
        )

    async def healthy(self, request: Request) -> Response:
        """Answer whoever asks whether the process lives and can receive."""
        del request
        return PlainTextResponse("ok\n")

    async def refuse(self, request: Request, error: Exception) -> Response:
        """Answer for routes and methods that do not exist."""
        del request
        if not isinstance(error, HTTPException):
            raise error
        self._engine.telemetry.requests["other", error.status_code] += 1
        return PlainTextResponse(
            f"{error.detail}\n", error.status_code, headers=error.headers
        )


def _maybe_read_timeout(request: Request) -> float | None:
    """Read how long a scrape may take, in seconds; None if it is not Prometheus'.

    Prometheus, and what is built from its parts, sends it in a header.
    """
    try:
        timeout = float(request.headers.get("x-prometheus-scrape-timeout-seconds", ""))
    except ValueError:
        return None
    return timeout if timeout >= 0 else None  # nor NaN


def _base_url(request: Request) -> str:
    """Return the address under which the reader has found us."""
    scheme = request.headers.get("x-forwarded-proto", request.url.scheme)
    return f"{scheme}://{request.headers.get('host', 'HOST')}"
