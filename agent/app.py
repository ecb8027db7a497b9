"""The composition root: makes every part once, runs the server, stops it in order."""

import asyncio
import contextlib
import errno
import gc
import signal
import socket
import sys
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import uvicorn
from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
)

from agent.clock import read_clock
from agent.drain_command import write_drain_command
from agent.engine import Engine
from agent.errors import SettingsError
from agent.evaluator import Evaluator
from agent.heroku_api.poller import Poller
from agent.http.connections import GuardedProtocol
from agent.http.descriptors import fit_connections
from agent.http.guard import SWEEP_SECONDS, ConnectionGuard
from agent.http.tls import HandshakeProtocol, ServerTls, TlsFiles
from agent.ingest import TRANSPORTS
from agent.logs import get_logger
from agent.reload import Part, Reloader
from agent.settings import Settings
from agent.web.routes import Pages, build_app
from parsers import IMPLEMENTATION, ClusterUse

_SHUTDOWN_SECONDS = 8
_LAST_REQUESTS_SECONDS = 5.0
_FORGET_SECONDS = 60.0
_TLS_POLL_SECONDS = 5.0
_BACKLOG = 1024

# A scrape is rendered in a thread. CPython lets a thread keep the interpreter for
# 5 ms by default; a drain that waits for it should not notice.
_SWITCH_SECONDS = 0.0005


class App:
    """One agent.

    Make it, then `run` it in an event loop until `stop` or a signal.

    Args:
        settings: Checked settings.
        read: Reads the settings again for a reload; raises `SettingsError`. None keeps
            them as they are.

    Raises:
        SettingsError: The address is in use or cannot be listened on, or the TLS
            files are no certificate and key.
    """

    def __init__(
        self, settings: Settings, read: Callable[[], Settings] | None = None
    ) -> None:
        self._is_reloadable = read is not None
        self._read = read or (lambda: settings)
        self.engine = Engine(settings)
        started = read_clock().wall
        self.engine.telemetry.created = started
        self.engine.telemetry.reload_success_timestamp = started
        connections = fit_connections(settings.limits.connections, _BACKLOG)
        self._is_lowered = connections < settings.limits.connections
        limits = replace(settings.limits, connections=connections)
        self._guard = ConnectionGuard(limits, self.engine.telemetry)
        self._transports = [
            make(replace(settings, limits=limits), self.engine) for make in TRANSPORTS
        ]
        self._tls = _maybe_load_tls(settings)
        protocol = _choose_protocol(
            self._tls,
            self._guard,
            partial(
                GuardedProtocol,
                guard=self._guard,
                handlers=[one for each in self._transports for one in each.handlers()],
            ),
        )
        self._socket = _listen(settings.host, settings.port)
        port = self._socket.getsockname()[1]
        self.settings = replace(settings, port=port, limits=limits)
        self._poller = self._maybe_make_poller()
        parts: dict[str, Part] = {"settings": self._prepare_settings}
        if self._tls is not None:
            parts["tls"] = self._tls.prepare
        self._reloader = Reloader(parts, self.engine.telemetry)
        self._pages = Pages(
            self.settings, self.engine, _process_registry(), self._reloader.reload
        )
        self._evaluator = Evaluator(self.engine)
        self._tasks: set[asyncio.Task[Any]] = set()
        config = uvicorn.Config(
            build_app(self._pages),
            http=protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            backlog=_BACKLOG,
            timeout_keep_alive=int(settings.limits.keep_alive_seconds),
            timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
        )
        self._server = _Server(config)

    def _prepare_settings(self) -> Callable[[], None]:
        """Read the settings again; what listens, limits and identifies stays."""
        found = self._read()
        settings = replace(
            self.settings,
            drain_credentials=found.drain_credentials,
            read_credentials=found.read_credentials,
            thresholds=found.thresholds,
            plans=found.plans,
        )
        return partial(self._reconfigure, settings)

    def _reconfigure(self, settings: Settings) -> None:
        self.settings = settings
        self.engine.reconfigure(settings)
        for transport in self._transports:
            transport.reconfigure(settings)
        self._pages.reconfigure(settings)

    def _maybe_make_poller(self) -> Poller | None:
        settings = self.settings
        if settings.api_token is None:
            return None
        return Poller(
            settings.api_token,
            settings.collected,
            self._learn,
            self.engine.telemetry.poller,
            platform_url=settings.platform_url,
            data_url=settings.data_url,
        )

    def _learn(self, use: ClusterUse) -> None:
        self.engine.learn(use, read_clock())

    async def run(self) -> None:
        """Serve until stopped, then finish what is in flight."""
        sys.setswitchinterval(_SWITCH_SECONDS)
        logger = get_logger()
        logger.info("agent.listening", url=self.settings.url, parsers=IMPLEMENTATION)
        command = write_drain_command(self.settings)
        logger.info("agent.drain_command", command=command)
        if self._is_lowered:
            logger.warning(
                "agent.connections_limited",
                connections=self.settings.limits.connections,
                reason="limit on open files; raise it with ulimit -n",
            )
        tasks = [
            asyncio.create_task(self._sweep()),
            asyncio.create_task(self._evaluator.run()),
        ]
        if self._tls is not None:
            tasks.append(asyncio.create_task(self._watch_tls(self._tls)))
        if self._poller is not None:
            tasks.append(asyncio.create_task(self._poller.run()))
        for transport in self._transports:
            await transport.start()
        try:
            await self._server.serve(sockets=[self._socket])
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            logger.info("agent.stopped")

    def stop(self) -> None:
        """Stop accepting, answer what is in flight, close the rest."""
        if not self._server.should_exit:
            get_logger().info("agent.stopping")
            self._server.should_exit = True
            loop = asyncio.get_running_loop()
            self._guard.hurry(loop.time() + _LAST_REQUESTS_SECONDS)
            self._start_task(self._stop_transports())

    async def _stop_transports(self) -> None:
        for transport in self._transports:
            await transport.stop()

    def handle_signals(self) -> None:
        """Let SIGTERM and SIGINT call `stop`, and SIGHUP reload the configuration.

        Call it inside the event loop. Without anything to reload, SIGHUP ends the process
        as it does when its terminal is closed.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        if self._is_reloadable:
            loop.add_signal_handler(
                signal.SIGHUP, lambda: self._start_task(self._reloader.reload())
            )

    def _start_task(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        """Start a task; the event loop itself would keep no reference to it."""
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _watch_tls(self, tls: ServerTls) -> None:
        """Load certificate and key again when their files change."""
        while True:
            await asyncio.sleep(_TLS_POLL_SECONDS)
            if tls.has_changed():
                await self._reloader.reload("tls")

    async def _sweep(self) -> None:
        """Close slow connections, and forget what has been gone for a day."""
        loop = asyncio.get_running_loop()
        next_forget = 0.0
        while True:
            self._guard.sweep(loop.time())
            if loop.time() >= next_forget:
                self.engine.forget(read_clock())
                next_forget = loop.time() + _FORGET_SECONDS
            await asyncio.sleep(SWEEP_SECONDS)


class _Server(uvicorn.Server):
    """uvicorn's server without its signal handlers, which would re-raise SIGTERM."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        reason = {
            errno.EADDRINUSE: "the port is in use; stop the other program or choose "
            "another --port",
            errno.EACCES: "not permitted; choose a --port above 1023",
        }.get(error.errno or 0, error.strerror or "the address cannot be used")
        message = f"cannot listen on {host}:{port}: {reason}"
        raise SettingsError(message) from error


def _maybe_load_tls(settings: Settings) -> ServerTls | None:
    if settings.tls_certificate is None or settings.tls_key is None:
        return None
    return ServerTls(
        TlsFiles(settings.tls_certificate, settings.tls_key, settings.tls_client_ca)
    )


def _choose_protocol(
    tls: ServerTls | None, guard: ConnectionGuard, make: Callable[..., GuardedProtocol]
) -> Any:
    """Return what makes a connection of uvicorn's arguments, after TLS if configured."""
    if tls is None:
        return make

    def accept(**given: Any) -> HandshakeProtocol:
        return HandshakeProtocol(tls.context, guard, partial(make, **given))

    return accept


def _process_registry() -> CollectorRegistry:
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return registry


def run_app(app: App, companion: Coroutine[None, None, None] | None = None) -> None:
    """Run `app` in a new event loop until a signal stops it.

    Args:
        app: The agent.
        companion: What runs beside it, and is cancelled when it stops.
    """

    async def main() -> None:
        app.handle_signals()
        beside = asyncio.create_task(companion) if companion is not None else None
        await app.run()
        if beside is not None:
            beside.cancel()
            await asyncio.wait([beside])

    # A full garbage collection stops the event loop; without the modules and constants
    # of a started agent, it has a fraction of the objects to visit.
    gc.collect()
    gc.freeze()
    with asyncio.Runner(loop_factory=_loop_factory) as runner:
        runner.run(main())


def _loop_factory() -> asyncio.AbstractEventLoop:
    """Make uvloop's event loop, or asyncio's where uvloop is not to be had."""
    try:
        import uvloop  # noqa: PLC0415 (not for Windows, nor for other interpreters)
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
