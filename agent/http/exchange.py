"""Requests that a connection answers itself, through a handler."""

import asyncio
from collections.abc import Coroutine, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

import httptools
from uvicorn.server import ServerState

from agent.http.handler import Handler, Outcome, Refusal
from agent.http.known_heads import KnownHead, maybe_learn_head
from agent.http.responses import build_accepted, build_refusal

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
# A Logplex request is at most 102,550 bytes: read that much of one that is refused,
# so that its sender sees the 401 rather than a reset connection.
_DISCARD_BYTES = 131_072
_LINGER_SECONDS = 5.0


class Exchange:
    """The direct requests of one connection, one after the other.

    Args:
        handlers: What answers them.
        state: Headers of every answer, and the tasks that a shutdown waits for.

    Attributes:
        transport: The connection, once there is one.
        is_open: Whether a request's head was read and its answer is not complete.
        is_ready: Whether a request was read to its end and waits for `handle`.
        is_refused: Whether the open request was answered before its end.
    """

    def __init__(self, handlers: Sequence[Handler], state: ServerState) -> None:
        self._handlers = handlers
        self._state = state
        self.transport: Any = None
        self.is_open = self.is_ready = self.is_refused = False
        self._target: tuple[bytes, Handler | None] = (b"", None)  # the last one
        self._known: tuple[KnownHead, Handler] | None = None
        self._handler: Any = None  # of the open request, as all that follows
        self._receive: Any = None
        self._method = b""
        self._headers: dict[bytes, bytes] = {}
        self._keep_alive = True
        self._body: bytes | bytearray = b""
        self._size = 0
        self._defaults: Any = None  # headers of every answer, as in `_accepted`
        self._accepted = b""

    @property
    def is_accepted(self) -> bool:
        """Whether a request is open and its body is wanted."""
        return self.is_open and not self.is_refused

    def maybe_find(self, target: bytes) -> Handler | None:
        """Find the handler of a request.

        Args:
            target: The request's target, in any form.

        Raises:
            httptools.HttpParserInvalidURLError: The target is not a URL.
        """
        if target != self._target[0]:  # a drain has one
            path = unquote(httptools.parse_url(target).path.decode("ascii"))
            found = (one for one in self._handlers if one.serves(path))
            self._target = target, next(found, None)
        return self._target[1]

    def begin(
        self,
        handler: Handler,
        method: bytes,
        headers: dict[bytes, bytes],
        *,
        keep_alive: bool,
    ) -> bool:
        """Start with a request whose head is complete; True if its body is wanted."""
        self.is_open = True
        self._handler = handler
        self._method = method
        self._headers = headers
        self._keep_alive = keep_alive
        self._size = 0
        judged = handler.accept(method, headers)
        if isinstance(judged, Refusal):
            self._refuse(judged)
            return False
        self._receive = judged
        if headers.get(b"expect", b"").lower() == b"100-continue":
            self.transport.write(_CONTINUE)
        return True

    def learn(self, head: bytes) -> None:
        """Recognise heads like that of the open request from now on."""
        known = maybe_learn_head(head, self._headers)
        self._known = None if known is None else (known, self._handler)

    def read_known(self, data: bytes, head_bytes: int) -> bool:
        """Read a whole request without the parser, if its head is known.

        Args:
            data: What was read where a request begins.
            head_bytes: Maximum size of a head.
        """
        if self._known is None:
            return False
        known, handler = self._known
        found = known.maybe_match(data)
        if found is None or found[1] > head_bytes:
            return False
        headers, size = found
        if self.begin(handler, b"POST", headers, keep_alive=True):
            self._size = len(data) - size
            self._body = data[size:]
        self.end()
        return True

    def add(self, piece: bytes) -> None:
        """Take a part of the body, or discard it once the request is refused."""
        self._size += len(piece)
        if self.is_refused:
            if self._size > _DISCARD_BYTES:
                self.transport.close()
        elif self._size > self._handler.body_bytes:
            self._body, self._size = b"", 0
            self._refuse(self._handler.refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE))
        elif not self._body:
            self._body = piece  # all of it, mostly
        else:
            if isinstance(self._body, bytes):
                self._body = bytearray(self._body)
            self._body += piece

    def end(self) -> None:
        """Note that the request was read to its end."""
        if self.is_refused:
            self.transport.close()
        else:
            self.is_ready = True

    def close_after_answer(self) -> None:
        """Close the connection with the answer to the open request."""
        self._keep_alive = False

    def handle(self) -> asyncio.Task[None] | None:
        """Answer the request that was read; return a task where that takes longer."""
        self.is_ready = False
        body, self._body = self._body, b""
        outcome = self._receive(self._headers, bytes(body))
        if outcome is None or isinstance(outcome, Refusal):
            self._answer(outcome)
            return None
        task = asyncio.get_running_loop().create_task(self._answer_later(outcome))
        self._state.tasks.add(task)
        task.add_done_callback(self._state.tasks.discard)
        return task

    async def _answer_later(self, outcome: Coroutine[Any, Any, Outcome]) -> None:
        try:
            found = await outcome
        except BaseException:
            self.transport.close()
            raise
        if not self.transport.is_closing():
            self._answer(found)

    def _answer(self, outcome: Outcome) -> None:
        """Answer a request that was read to its end."""
        headers = self._state.default_headers
        if outcome is None and self._keep_alive:
            if headers is not self._defaults:  # once a second
                self._defaults = headers
                self._accepted = build_accepted(headers, keep_alive=True)
            self.transport.write(self._accepted)
            self.is_open = False
            return
        if outcome is None:
            self.transport.write(build_accepted(headers, keep_alive=False))
        else:
            self._write_refusal(outcome)
        self.transport.close()

    def _refuse(self, refusal: Refusal) -> None:
        """Answer a request before its end, and discard what follows for a while.

        Closing at once would make the client's system reset the connection, and the
        answer would be lost with it.
        """
        self.is_refused = True
        self._write_refusal(refusal)
        loop = asyncio.get_running_loop()
        loop.call_later(_LINGER_SECONDS, self.transport.close)

    def _write_refusal(self, refusal: Refusal) -> None:
        headers = (*self._state.default_headers, *refusal.headers)
        self.transport.write(
            build_refusal(refusal.status, headers, is_head=self._method == b"HEAD")
        )
