"""The routes of ``serve``: metrics, the page for people, health."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping
from http import HTTPStatus

from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from agent.clock import read_clock
from agent.engine import Engine
from agent.http.auth import Authenticator
from agent.http.guard import mark_authenticated
from agent.settings import Settings
from agent.web.answers import Answer, compress, wants_gzip
from agent.web.capacity_upload import receive_capacity
from agent.web.clusters import build_clusters, parse_cluster_query
from agent.web.events import parse_query, render_events
from agent.web.exposition import Exposition
from agent.web.page import CONTENT_SECURITY_POLICY, parse_page_query
from agent.web.problems import render_problems
from agent.web.render_queue import QueueFullError, RenderQueue
from agent.web.schema import Error, Reload, encode
from agent.web.scope import Scope
from agent.web.static import STATIC

_BUSY = PlainTextResponse(
    "Too many different answers wait to be rendered\n",
    HTTPStatus.SERVICE_UNAVAILABLE,
    headers={"retry-after": "1"},
)
Endpoint = Callable[[Request], Awaitable[Response]]

_PRIVATE = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
_PAGE_HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "referrer-policy": "no-referrer",
    **_PRIVATE,
}
_JSON = "application/json"
_PAUSE_FACTOR = 3.0
"""Pages and JSON are rendered for a quarter of the time at most."""
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
        self._exposition = Exposition(engine, process)
        self._reload = reload
        self._readers = Authenticator(settings.readers)
        self._parsing = asyncio.Lock()
        self._scopes: dict[frozenset[str], Scope] = {}
        self._queue = RenderQueue(_PAUSE_FACTOR)

    def reconfigure(self, settings: Settings) -> None:
        """Use the credentials and thresholds of other settings from now on.

        Readers start over: a cursor from before gets everything.
        """
        self._settings = settings
        self.writers.replace(settings.drain_credentials)
        self._readers.replace(settings.readers)
        self._scopes.clear()

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
                try:
                    return await endpoint(request)
                except QueueFullError:
                    return _BUSY
            self._engine.telemetry.auth_failures += 1
            return PlainTextResponse(
                "Unauthorized\n", HTTPStatus.UNAUTHORIZED, headers=_CHALLENGE
            )

        return self.count(route, guarded)

    async def metrics(self, request: Request) -> Response:
        """Answer with the exposition."""
        return await self._exposition.answer(request)

    async def page(self, request: Request) -> Response:
        """Render the page for people, or what has changed of it."""
        base_url = _base_url(request)
        query = parse_page_query(request.query_params)
        return await self._answer(
            request,
            (base_url, query),
            lambda scope: scope.page.render(base_url, query),
            "text/html; charset=utf-8",
            _PAGE_HEADERS,
        )

    async def static(self, request: Request) -> Response:
        """Serve one of the few files that the page is made of."""
        file = STATIC.get(request.path_params["name"])
        if file is None:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        headers = {**_PRIVATE, "cache-control": "private, max-age=3600"}
        headers["etag"] = file.etag
        if file.etag in request.headers.get("if-none-match", ""):
            return Response(None, HTTPStatus.NOT_MODIFIED, headers)
        body = file.compressed if wants_gzip(request) else file.content
        return Answer(body, f"{file.media_type}; charset=utf-8", headers)

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
            media_type=_JSON,
            headers=_PRIVATE,
        )

    async def clusters(self, request: Request) -> Response:
        """Answer with the clusters and their last hours, as JSON."""
        try:
            query = parse_cluster_query(request.query_params.multi_items())
        except ValueError as error:
            return _refuse_query(error)
        admission = self._engine.state.admission
        return await self._answer(
            request,
            query,
            lambda scope: build_clusters(scope.copier, admission, query),
            _JSON,
            _PRIVATE,
        )

    async def events(self, request: Request) -> Response:
        """Answer with the newest events that the query asks for, as JSON."""
        items = request.query_params.multi_items()
        try:
            query = parse_query(items, read_clock())
        except ValueError as error:
            return _refuse_query(error)

        async def build(scope: Scope) -> bytes:
            events = self._engine.log.enumerate()
            token = scope.copier.revisions.token
            return await asyncio.to_thread(
                render_events, events, query, scope.addons, token
            )

        key = ("events", tuple(items))
        return await self._answer(request, key, build, _JSON, _PRIVATE)

    async def _answer(
        self,
        request: Request,
        key: Hashable,
        build: Callable[[Scope], Awaitable[bytes]],
        media_type: str,
        headers: Mapping[str, str],
    ) -> Response:
        """Render an answer once for all of a scope who ask for it at the same time."""
        is_gzip = wants_gzip(request)
        scope = self._find_scope(request.user.addons)

        async def build_compressed() -> bytes:
            content = await build(scope)
            return await asyncio.to_thread(compress, content, is_gzip=is_gzip)

        body = await self._queue.share((scope, key, is_gzip), build_compressed)
        return Answer(body, media_type, headers)

    def _find_scope(self, addons: frozenset[str]) -> Scope:
        """Return the scope of some add-ons; there are as many as credentials at most."""
        scope = self._scopes.get(addons)
        if scope is None:
            scope = Scope(self._engine, self._settings, addons)
            self._scopes[addons] = scope
        return scope

    async def problems(self, request: Request) -> Response:
        """Answer with what the alert rules find, as JSON."""
        engine, reader = self._engine, request.user

        async def build(_scope: Scope) -> bytes:
            return await asyncio.to_thread(
                render_problems, engine.problems, engine.evaluated_at, reader
            )

        return await self._answer(request, "problems", build, _JSON, _PRIVATE)

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


def _refuse_query(error: ValueError) -> Response:
    return Response(
        encode(Error(str(error))),
        HTTPStatus.BAD_REQUEST,
        media_type=_JSON,
        headers=_PRIVATE,
    )


def _base_url(request: Request) -> str:
    """Return the address under which the reader has found us."""
    scheme = request.headers.get("x-forwarded-proto", request.url.scheme)
    return f"{scheme}://{request.headers.get('host', 'HOST')}"
