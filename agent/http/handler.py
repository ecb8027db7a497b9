"""What answers requests on their connection, without ASGI.

The drain is the busiest route by far, and its requests are alike: a small head, a whole
body, an answer without one. The connection collects the body and calls the handler, which
saves a task, a queue and an ASGI scope for each request.
"""

from collections.abc import Callable, Coroutine, Mapping
from http import HTTPStatus
from typing import Any, NamedTuple, Protocol


class Refusal(NamedTuple):
    """An answer other than 204; the connection is closed after it.

    Attributes:
        status: HTTP status.
        headers: Additional headers.
    """

    status: HTTPStatus
    headers: tuple[tuple[bytes, bytes], ...] = ()


Outcome = Refusal | None
"""How a request is answered; None: with 204."""

Receive = Callable[
    [Mapping[bytes, bytes], bytes], Outcome | Coroutine[Any, Any, Outcome]
]
"""Handles an accepted request, given its headers and its whole body.

Returns how it is answered; a coroutine where that takes longer than a turn of the event
loop should.
"""


class Handler(Protocol):
    """Answers the requests of some paths.

    Attributes:
        body_bytes: Maximum size of a body; a larger one is refused with 413.
    """

    body_bytes: int

    def serves(self, path: str) -> bool:
        """Say whether the handler answers requests for `path`, with any method."""

    def accept(
        self, method: bytes, headers: Mapping[bytes, bytes]
    ) -> Refusal | Receive:
        """Judge a request by its head.

        Args:
            method: HTTP method.
            headers: Headers by name in lower case; of equal names, the last.

        Returns:
            What handles an authenticated request whose body is wanted.
        """

    def refuse(self, status: HTTPStatus) -> Refusal:
        """Refuse a request that was accepted, because of its body."""
