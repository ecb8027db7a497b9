"""An HTTP connection with deadlines and bounds, which uvicorn leaves to a proxy.

uvicorn times idle keep-alive connections only: one that never finishes its headers or
its body would stay for ever. Here each connection has one deadline, moved on as the
request proceeds and looked at once a second, so that a request costs no timers. Requests
that a client sends ahead of its answers are queued by uvicorn without bound; here they
stay unread in the socket. Requests for a `Handler` do not pass through ASGI at all.
"""

import math
from collections.abc import Sequence
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from agent.http.exchange import Exchange
from agent.http.flow import HoldableFlow
from agent.http.guard import STATE, ConnectionGuard
from agent.http.handler import Handler
from agent.http.responses import HEAD_TOO_LARGE

# Answers are small and ready; this is for clients that do not read them.
_ANSWER_SECONDS = 60.0
_BLANK_LINE = b"\r\n\r\n"


class GuardedProtocol(HttpToolsProtocol):
    """uvicorn's HTTP/1.1 connection with deadlines, and bounds on what it holds.

    Input is parsed in pieces that end where a head or a body ends: so head bytes are
    counted exactly, and no request is parsed before the one ahead of it is answered.

    Attributes:
        deadline: Time of the event loop at which the connection is closed.
        is_authenticated: Whether it has brought a request with valid credentials.
    """

    flow: HoldableFlow

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: Any = None,
        *,
        guard: ConnectionGuard,
        handlers: Sequence[Handler] = (),
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._guard = guard
        self._limits = guard.limits
        self._exchange = Exchange(handlers, server_state)
        self.deadline = math.inf
        self.is_authenticated = False
        self._in_head = True
        self._head_bytes = 0
        self._last_bytes = b""  # of a piece, as far as they may begin a blank line
        self._body_left = 0  # 0 in a body means that it is chunked
        self._is_answering = False
        self._is_blocked = False  # the client does not take its answers
        self._pending = b""  # requests that wait for the answer to an earlier one
        self._parsed = 0  # bytes of `_pending`

    def connection_made(self, transport: Any) -> None:
        """Start the time for the first request's headers."""
        super().connection_made(transport)
        self.flow = HoldableFlow(transport)
        self._exchange.transport = transport
        self.deadline = self.loop.time() + self._limits.head_seconds
        self._guard.admit(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Leave the guard's list."""
        self._release_pending()
        self._guard.release(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse up to the end of a request, and hold the rest until it is answered."""
        if self._is_answering:
            self._hold(self._pending[self._parsed :] + data, 0)
        elif not (self._in_head and not self._head_bytes and self._read_known(data)):
            self._parse(data, 0)

    def _read_known(self, data: bytes) -> bool:
        """Answer a whole request whose head is like the last one; see `Exchange`."""
        if not self._exchange.read_known(data, self._limits.head_bytes):
            return False
        self._guard.touch(self)
        if self._exchange.is_ready:
            self.mark_authenticated()
            self._begin_answer()
            self._answer_directly(is_last=True)
        return True

    def mark_authenticated(self) -> None:
        """Keep the connection when others have to make room."""
        if not self.is_authenticated:
            self.is_authenticated = True
            self._guard.authenticate(self)

    def _parse(self, data: bytes, start: int) -> None:
        while start < len(data):
            if self._is_answering:
                self._hold(data, start)
                return
            if self.transport.is_closing():
                return
            end = self._find_end(data, start)
            if self._body_left:
                self._body_left -= end - start
            else:
                self._head_bytes += end - start
                if self._in_head and self._head_bytes > self._limits.head_bytes:
                    self._refuse_head()
                    return
            self._feed(data, start, end)
            start = end
            if self._exchange.is_ready:
                self._answer_directly(is_last=end == len(data))

    def _feed(self, data: bytes, start: int, end: int) -> None:
        """Let the parser read a piece; learn it if it is the head of a direct request."""
        is_whole_head = self._in_head and self._head_bytes == end - start
        whole = end - start == len(data)
        super().data_received(
            data if whole else memoryview(data)[start:end]  # type: ignore[arg-type] # httptools takes any buffer
        )
        if self._head_bytes > self._limits.head_bytes:
            self._refuse_head()
        if is_whole_head and self._exchange.is_accepted:
            self._exchange.learn(data[start:end])

    def _answer_directly(self, *, is_last: bool) -> None:
        """Answer a direct request, outside of the parser's callbacks."""
        task = self._exchange.handle()
        if task is not None:
            task.add_done_callback(lambda _: self._end_direct())
        elif is_last:
            self._end_direct()
        else:  # other connections come first
            self.loop.call_soon(self._end_direct)

    def _end_direct(self) -> None:
        """Go on behind a direct request, unless the client does not take answers."""
        self._is_blocked = self.flow.write_paused
        if not self._is_blocked:
            self.on_response_complete()

    def resume_writing(self) -> None:
        """Go on with the next request once the client has taken its answers."""
        super().resume_writing()
        if self._is_blocked:
            self.loop.call_soon(self._end_direct)

    def _find_end(self, data: bytes, start: int) -> int:
        """Find where the head or body that goes on at `start` ends, at the latest.

        Heads and chunked bodies end with a blank line, which may come in two reads.
        """
        if self._body_left:
            return min(start + self._body_left, len(data))
        before, self._last_bytes = self._last_bytes, b""
        if before:
            found = (before + data[start : start + 3]).find(_BLANK_LINE)
            if found >= 0:
                return start + found + len(_BLANK_LINE) - len(before)
        found = data.find(_BLANK_LINE, start)
        if found >= 0:
            return found + len(_BLANK_LINE)
        self._last_bytes = (before + data[max(start, len(data) - 3) :])[-3:]
        return len(data)

    def _refuse_head(self) -> None:
        """Close a connection whose head, trailers or chunk headers are too long."""
        if self._exchange.is_open:
            is_answered = self._exchange.is_refused
        else:
            is_answered = not self._in_head and self.cycle.response_started
            if not self._in_head:
                self.cycle.disconnected = True
                self.cycle.message_event.set()
        if not is_answered:
            self.transport.write(HEAD_TOO_LARGE)
        self.transport.close()

    def _hold(self, data: bytes, parsed: int) -> None:
        """Read no more, and keep what was read, until the answer has been taken."""
        self.flow.pause_reading()
        self.flow.is_held = True
        more = len(data) - len(self._pending)
        self._pending, self._parsed = data, parsed
        if not self._guard.hold(more):
            self.transport.abort()

    def _release_pending(self) -> None:
        if self._pending:
            self._guard.hold(-len(self._pending))
            self._pending = b""
            self.flow.is_held = False

    def on_message_begin(self) -> None:
        """Start the time for the headers."""
        self.url = b""
        self.headers = []
        self.deadline = self.loop.time() + self._limits.head_seconds

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; a trailer is discarded, as no route reads any."""
        if self._in_head:
            self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Start the time for the body."""
        headers = dict(self.headers)
        self._in_head, self._head_bytes = False, 0
        self._body_left = int(headers.get(b"content-length", 0))
        self.deadline = self.loop.time() + self._limits.body_seconds
        handler = self._exchange.maybe_find(self.url)
        if handler is not None:
            self._begin_directly(handler, headers)
            return
        self._make_scope(headers)
        super().on_headers_complete()
        if self.parser.should_upgrade():
            # The parser takes what follows for another protocol: no request is read
            # from it.
            self.cycle.keep_alive = False

    def _begin_directly(self, handler: Handler, headers: dict[bytes, bytes]) -> None:
        keep_alive = (
            self.parser.should_keep_alive()
            and not self.parser.should_upgrade()
            # HTTP/1.0, which may ask for it, is always closed.
            and (
                b"connection" not in headers or self.parser.get_http_version() != "1.0"
            )
        )
        if self._exchange.begin(
            handler, self.parser.get_method(), headers, keep_alive=keep_alive
        ):
            self.mark_authenticated()

    def _make_scope(self, headers: dict[bytes, bytes]) -> None:
        """Let uvicorn make the ASGI scope, as it does when a request begins."""
        url, found = self.url, self.headers
        super().on_message_begin()
        self.url = url
        self.headers += found
        self.expect_100_continue = (
            headers.get(b"expect", b"").lower() == b"100-continue"
        )
        self.scope["state"][STATE] = self

    def on_body(self, body: bytes) -> None:
        """Pass on a part of the body."""
        self._head_bytes = 0
        if self._exchange.is_open:
            self._exchange.add(body)
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Start the time for the answer."""
        self._in_head, self._head_bytes = True, 0
        self._body_left = 0
        self._guard.touch(self)
        if self._exchange.is_open:
            self._exchange.end()
        elif self.cycle.response_complete:
            self.deadline = self.loop.time() + self._limits.keep_alive_seconds
            return
        else:
            super().on_message_complete()
        self._begin_answer()

    def _begin_answer(self) -> None:
        self._is_answering = True
        self.deadline = self.loop.time() + _ANSWER_SECONDS

    def on_response_complete(self) -> None:
        """Go on with the next request, or start the time that the client may idle.

        uvicorn's own timers for idle connections are not used: they cost each request
        more than the deadline does.
        """
        self.server_state.total_requests += 1
        self._is_answering = False
        if self.transport.is_closing():
            return
        if self._in_head:
            self.deadline = self.loop.time() + self._limits.keep_alive_seconds
        pending, parsed = self._pending, self._parsed
        if pending:
            self._release_pending()
            self._parse(pending, parsed)
        if self.flow.read_paused:
            self.flow.resume_reading()

    def shutdown(self) -> None:
        """Close the connection, after the answer to a request that is in flight."""
        if self._exchange.is_open:
            self._exchange.close_after_answer()
        else:
            super().shutdown()
