"""Grafana's HTTP API, as far as an upload needs it.

Written with httpx2, which the agent has anyway. grafana-dashboard-builder, which builds
the dashboards, has a client too, but it knows no folders by uid and needs Kerberos
libraries to be installed.

The credentials go to the address that was given and nowhere else: redirects are not
followed, and neither the environment's proxies nor its netrc are looked at. Only
``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` are, for authorities of one's own.
"""

import asyncio
import json
import ssl
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Self

import httpx2

from agent.dashboards.address import authorization_of
from agent.errors import AgentError
from agent.secret import Secret
from agent.settings import Credentials

TIMEOUT_SECONDS = 30.0
ANSWER_BYTES = 8 * 1024 * 1024
"""More than any dashboard that Grafana gives back, or than a page of its folders."""

_LONGEST_REASON = 300

_REASONS: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "the token or password is wrong or has expired",
    HTTPStatus.NOT_FOUND: "no Grafana there? Its address may need a path, like /grafana",
    HTTPStatus.CONFLICT: "it exists already",
    HTTPStatus.PRECONDITION_FAILED: "it exists already, or was changed meanwhile",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "a proxy before it takes no request so large",
    HTTPStatus.TOO_MANY_REQUESTS: "too many requests; try again later",
}


class GrafanaError(AgentError):
    """Grafana did not do what it was asked to; one sentence.

    Attributes:
        is_final: No other request will fare better.
        status: Grafana's; None where there was no such answer.
    """

    def __init__(
        self, message: str, *, is_final: bool = False, status: int | None = None
    ) -> None:
        super().__init__(message)
        self.is_final = is_final
        self.status = status

    @property
    def is_conflict(self) -> bool:
        """What was sent would replace something."""
        return self.status in (HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED)


@dataclass(frozen=True, slots=True)
class Answer:
    """What Grafana answered.

    Attributes:
        status: 200 or 404; all others are raised.
        value: The JSON.
    """

    status: int
    value: object = field(repr=False)


class Grafana:
    """Asks, one request at a time; an asynchronous context manager.

    Args:
        address: As `check_address` returns it.
        login: Token of a service account, or user and password.
        timeout_seconds: Time for a whole answer.
    """

    def __init__(
        self,
        address: str,
        login: Secret | Credentials,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self.address = address
        self._timeout_seconds = timeout_seconds
        authorization = authorization_of(login)
        self._secrets = [authorization.partition(" ")[2]]
        if isinstance(login, Credentials):
            self._secrets.append(login.password)
        self._client = httpx2.AsyncClient(
            headers={
                "Authorization": authorization,
                "Accept": "application/json",
                "User-Agent": "heroku-kafka-agent",
                # A compressed answer could unfold to a thousand times its size.
                "Accept-Encoding": "identity",
            },
            verify=httpx2.create_ssl_context(),
            timeout=timeout_seconds,
            follow_redirects=False,
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def find(
        self, path: str, permission: str, *, is_hidden: bool = False
    ) -> object | None:
        """GET something that may be missing.

        Args:
            path: Below the address, like ``/api/folders/kafka``.
            permission: What a token must be allowed for it, as Grafana names it.
            is_hidden: To all but administrators, Grafana forbids what is missing.

        Returns:
            Its JSON, None where Grafana says that there is none.

        Raises:
            GrafanaError: Anything else.
        """
        try:
            answer = await self._ask("GET", path, permission)
        except GrafanaError as error:
            if is_hidden and error.status == HTTPStatus.FORBIDDEN:
                return None
            raise
        return None if answer.status == HTTPStatus.NOT_FOUND else answer.value

    async def post(self, path: str, body: object, permission: str) -> object:
        """POST something.

        Args:
            path: Below the address, like ``/api/folders``.
            body: Goes out as JSON.
            permission: What a token must be allowed for it, as Grafana names it.

        Returns:
            The JSON of the answer.

        Raises:
            GrafanaError: Grafana did not take it.
        """
        answer = await self._ask("POST", path, permission, body)
        if answer.status == HTTPStatus.NOT_FOUND:
            raise self._refusal(answer.status, answer.value, permission)
        return answer.value

    async def _ask(
        self, method: str, path: str, permission: str, body: object = None
    ) -> Answer:
        try:
            # httpx2's own timeout is one for each read: a trickle would never end.
            async with (
                asyncio.timeout(self._timeout_seconds),
                self._client.stream(
                    method, f"{self.address}{path}", json=body
                ) as response,
            ):
                return self._judge(response, await _read(response), permission)
        except (TimeoutError, httpx2.TimeoutException):
            message = f"no whole answer within {self._timeout_seconds:g} s"
            raise GrafanaError(message) from None
        except httpx2.HTTPError as error:
            raise _name_fault(error) from None

    def _judge(self, response: httpx2.Response, body: bytes, permission: str) -> Answer:
        status = response.status_code
        try:
            value = json.loads(body)
        except (ValueError, RecursionError):
            value = None
        if status == HTTPStatus.OK:
            if isinstance(value, dict | list):
                return Answer(status, value)
            message = (
                "the answer is no JSON: no Grafana there, or a login page before it"
            )
            raise GrafanaError(message)
        # Grafana's own 404 says what is missing; a web server's says that nobody knows.
        if status == HTTPStatus.NOT_FOUND and _said(value):
            return Answer(status, value)
        raise self._refusal(status, value, permission)

    def _refusal(self, status: int, value: object, permission: str) -> GrafanaError:
        reason = _REASONS.get(status, "")
        if status // 100 == 3:  # noqa: PLR2004 (the class of redirects)
            reason = "a redirect, which is not followed with credentials"
        if status == HTTPStatus.FORBIDDEN:
            reason = f"not allowed: it takes the permission {permission}"
        parts = [f"HTTP {status}", reason, self._shown(_said(value))]
        return GrafanaError(
            ": ".join(filter(None, parts)),
            is_final=status == HTTPStatus.UNAUTHORIZED,
            status=status,
        )

    def _shown(self, text: str) -> str:
        """Make foreign text fit to be shown; it may repeat what was sent."""
        for secret in self._secrets:
            if secret:
                text = text.replace(secret, "****")
        if len(text) > _LONGEST_REASON:
            text = f"{text[:_LONGEST_REASON]}…"
        # The quotes escape what a terminal would act upon.
        return f"Grafana says {text!r}" if text else ""


async def _read(response: httpx2.Response) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > ANSWER_BYTES:
            message = f"the answer is larger than {ANSWER_BYTES} bytes"
            raise GrafanaError(message)
    return bytes(body)


def _said(value: object) -> str:
    message = value.get("message") if isinstance(value, dict) else None
    return message if isinstance(message, str) else ""


def _name_fault(error: httpx2.HTTPError) -> GrafanaError:
    """Say what is wrong with a connection; the exception's text may show what was sent."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            message = (
                f"its certificate is not trusted ({cause.verify_message}); name an "
                "authority of your own in SSL_CERT_FILE"
            )
            return GrafanaError(message, is_final=True)
        if isinstance(cause, ssl.SSLError):
            message = f"no TLS there ({cause.reason or 'handshake failed'})"
            return GrafanaError(message, is_final=True)
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpx2.ConnectError):
        return GrafanaError("nobody answers there", is_final=True)
    return GrafanaError("the connection broke")
