"""One careful GET of Heroku's APIs: every answer and every fault is an `Answer`.

The token goes to the two addresses that were given and nowhere else: redirects are not
followed, and neither the environment's proxies nor its credentials are looked at.
"""

import asyncio
import email.utils
import json
from dataclasses import dataclass, field
from enum import Enum
from http import HTTPStatus
from typing import Self

import httpx2

from agent.secret import Secret


class Outcome(Enum):
    """What became of a request: label ``outcome``.

    A fault is followed by a longer pause, doubled each time up to an hour, except where
    something else is said.

    Attributes:
        OK: A JSON object of the expected kind.
        NOT_MODIFIED: 304; what came before still holds.
        UNAUTHORIZED: 401 or 403, a wanted second factor included: the token does not
            do. Asked again an hour later.
        NOT_FOUND: 404: not provisioned yet, or a wrong name. Asked again at the normal
            pace, and the name is looked up again.
        GONE: 410: deprovisioned. The whole add-on is asked hourly from then on.
        RATE_LIMITED: 429. The host is left alone for as long as it wishes, an hour at
            most.
        SERVER_ERROR: 5xx.
        TIMEOUT: The answer was not complete in time.
        CONNECTION: No connection, or one that broke.
        REDIRECT: 3xx; never followed.
        TOO_LARGE: The answer was cut off at the limit.
        BAD_JSON: No JSON, or none of the expected kind.
        OTHER: Any other status, and exceptions that should not have happened.
    """

    OK = "ok"
    NOT_MODIFIED = "not_modified"
    UNAUTHORIZED = "unauthorized"
    NOT_FOUND = "not_found"
    GONE = "gone"
    RATE_LIMITED = "rate_limited"
    SERVER_ERROR = "server_error"
    TIMEOUT = "timeout"
    CONNECTION = "connection"
    REDIRECT = "redirect"
    TOO_LARGE = "too_large"
    BAD_JSON = "bad_json"
    OTHER = "other"


_STATUS: dict[int, Outcome] = {
    HTTPStatus.UNAUTHORIZED: Outcome.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN: Outcome.UNAUTHORIZED,
    HTTPStatus.NOT_FOUND: Outcome.NOT_FOUND,
    HTTPStatus.GONE: Outcome.GONE,
    HTTPStatus.TOO_MANY_REQUESTS: Outcome.RATE_LIMITED,
    HTTPStatus.NOT_MODIFIED: Outcome.NOT_MODIFIED,
}
_CLASS = {3: Outcome.REDIRECT, 5: Outcome.SERVER_ERROR}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one request has brought.

    Attributes:
        outcome: What became of it.
        value: The JSON object of an `Outcome.OK`.
        etag: How the server names this state of it.
        retry_after: The header of this name, as sent.
    """

    outcome: Outcome
    value: object = field(default=None, repr=False)  # holds what must not be shown
    etag: str | None = None
    retry_after: str | None = None


class PlatformClient:
    """Asks, one request at a time; an asynchronous context manager.

    Args:
        token: Goes out as a Bearer token.
        timeout_seconds: Time for a whole answer.
        answer_bytes: What is read of one at most.
    """

    def __init__(
        self, token: Secret, *, timeout_seconds: float, answer_bytes: int
    ) -> None:
        self._timeout_seconds = timeout_seconds
        self._answer_bytes = answer_bytes
        self._client = httpx2.AsyncClient(
            headers={
                "Authorization": f"Bearer {token.text}",
                "User-Agent": "heroku-kafka-agent",
                # A compressed answer could unfold to a thousand times its size.
                "Accept-Encoding": "identity",
            },
            timeout=timeout_seconds,
            limits=httpx2.Limits(max_connections=2, max_keepalive_connections=2),
            follow_redirects=False,
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def get(self, url: str, accept: str, etag: str | None) -> Answer:
        """Ask once.

        Args:
            url: What to ask.
            accept: The media type to ask for.
            etag: The state that is known already.
        """
        headers = {"Accept": accept}
        if etag is not None:
            headers["If-None-Match"] = etag
        try:
            # httpx2's own timeout is one for each read: a trickle would never end.
            async with (
                asyncio.timeout(self._timeout_seconds),
                self._client.stream("GET", url, headers=headers) as response,
            ):
                return await self._read(response)
        except (TimeoutError, httpx2.TimeoutException):
            return Answer(outcome=Outcome.TIMEOUT)
        except httpx2.HTTPError:
            return Answer(outcome=Outcome.CONNECTION)

    async def _read(self, response: httpx2.Response) -> Answer:
        status = response.status_code
        if status != HTTPStatus.OK:
            general = _CLASS.get(status // 100, Outcome.OTHER)
            return Answer(
                outcome=_STATUS.get(status, general),
                retry_after=response.headers.get("Retry-After"),
            )
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > self._answer_bytes:
                return Answer(outcome=Outcome.TOO_LARGE)
        try:
            value = json.loads(body)
        except (ValueError, RecursionError):
            return Answer(outcome=Outcome.BAD_JSON)
        if not isinstance(value, dict):
            return Answer(outcome=Outcome.BAD_JSON)
        return Answer(
            outcome=Outcome.OK, value=value, etag=response.headers.get("ETag")
        )


def maybe_parse_retry_after(text: str | None, wall: float) -> float | None:
    """Read a ``Retry-After`` header (RFC 9110 section 10.2.3).

    Args:
        text: Seconds or a date, as sent; None for no header.
        wall: The present time in seconds since the epoch.

    Returns:
        Seconds from now, 0 for a date in the past; None for neither form.
    """
    if text is None:
        return None
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        date = email.utils.parsedate_to_datetime(text)
        return max(date.timestamp() - wall, 0.0)
    except (ValueError, OverflowError, TypeError):
        return None
