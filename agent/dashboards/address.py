"""Where a Grafana is and who asks: checked before anything is sent."""

import base64
import ipaddress
import re
from urllib.parse import urlsplit

import httpx2

from agent.errors import SettingsError
from agent.secret import Secret
from agent.settings import Credentials

# No query, fragment or blank; user and password have options of their own.
_ADDRESS = re.compile(
    r"https?://([\w.-]+|\[[\da-fA-F:]+\])(:\d{1,5})?(/[\w./~%-]*)?", re.ASCII
)
_TOKEN = re.compile(r"[!-~]+")


def check_address(text: str, *, allow_plain_http: bool) -> str:
    """Check the address that credentials will be sent to.

    Args:
        text: As given, like ``https://grafana.example.com/grafana/``.
        allow_plain_http: The user knows that everybody on the way can read them.

    Returns:
        The address without a slash at its end.

    Raises:
        SettingsError: It is none, or unsafe. What may hold a password is not repeated.
    """
    if "@" in text:
        message = "--upload must hold no user or password: use --token or --basic"
        raise SettingsError(message)
    host = _maybe_find_host(text)
    if host is None:
        message = "--upload must be an address like https://grafana.example.com"
        raise SettingsError(message)
    if text.startswith("http:") and not (allow_plain_http or _is_loopback(host)):
        message = (
            f"--upload {text} would show the credentials to everybody on the way: use "
            "https://, or say --allow-plain-http"
        )
        raise SettingsError(message)
    return text.rstrip("/")


def _maybe_find_host(text: str) -> str | None:
    """Find the host of an address that can be asked."""
    if not _ADDRESS.fullmatch(text):
        return None
    try:
        # What a pattern cannot tell: ports and IPv6 addresses that do not exist.
        parts = urlsplit(text)
        host = parts.hostname if parts.port != 0 else None
        httpx2.URL(text).host.encode("idna")
    except (ValueError, httpx2.InvalidURL):
        return None
    return host


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def authorization_of(login: Secret | Credentials) -> str:
    """Write the header's text for a token, or for user and password.

    Raises:
        SettingsError: It cannot stand in a header. The message does not repeat it.
    """
    if isinstance(login, Credentials):
        pair = f"{login.user}:{login.password}".encode()
        return f"Basic {base64.b64encode(pair).decode('ascii')}"
    if not _TOKEN.fullmatch(login.text):
        message = "--token holds blanks or characters that no token of Grafana's has"
        raise SettingsError(message)
    return f"Bearer {login.text}"
