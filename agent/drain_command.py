"""The command that makes Heroku send an app's log to this agent."""

from urllib.parse import quote

from agent.settings import Credentials, Settings

_STARS = "****"
_PLACEHOLDER = "https://your-agent.example.com"


def write_drain_command(settings: Settings) -> str:
    """Write the ``heroku drains:add`` command of an agent.

    Args:
        settings: Checked settings.

    Returns:
        The command, with a placeholder for an address that is not known, and with
        stars for the secret unless the settings say to show it.
    """
    scheme, _, rest = (settings.public_url or _PLACEHOLDER).partition("://")
    user = _write_user(settings.drain_credentials, shown=settings.show_secrets)
    return f"heroku drains:add {scheme}://{user}{rest}/logs -a YOUR-APP"


def _write_user(accepted: tuple[Credentials, ...], *, shown: bool) -> str:
    """Write the part of the URL before the host; a bare token is all secret."""
    if not accepted:
        return ""
    first = accepted[0]
    if not first.password:
        return f"{quote(first.user, safe='') if shown else _STARS}@"
    password = quote(first.password, safe="") if shown else _STARS
    return f"{quote(first.user, safe='')}:{password}@"
