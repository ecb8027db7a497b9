"""The agent's settings: one frozen record, and the only reader of the environment."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

from agent.alerting.thresholds import Thresholds, packaged_thresholds
from agent.errors import SettingsError
from agent.secret import Secret

ENVIRONMENT_PREFIX = "HEROKU_KAFKA_AGENT"
DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 9841
FORGET_AFTER_SECONDS = 86_400.0
PLATFORM_URL = "https://api.heroku.com"
DATA_URL = "https://api.data.heroku.com"
_HIGHEST_PORT = 65535

# No user, query or blank: the address is shown as part of a shell command.
_PUBLIC_URL = re.compile(
    r"https?://([\w.-]+|\[[\da-fA-F:]+\])(:\d+)?(/[\w./~-]*)?", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Credentials:
    """One user and password; shows as stars wherever it is printed.

    Attributes:
        user: Everything before the first colon.
        password: Everything behind it; empty for a drain URL ``https://TOKEN@host``.
        addons: The only add-ons that they are valid for; empty for all.
    """

    user: str = field(repr=False)
    password: str = field(repr=False)
    addons: frozenset[str] = field(default=frozenset(), repr=False)

    @property
    def token(self) -> str:
        """The bearer token: the password, or all of a drain URL's secret."""
        return self.password or self.user

    def cover(self, addon: str) -> bool:
        """Return whether they are valid for an add-on."""
        return not self.addons or addon in self.addons

    def __str__(self) -> str:
        return "****"

    __repr__ = __str__


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one agent takes on; past a limit it counts and goes on.

    Attributes:
        body_bytes: A drain request as sent; Logplex sends up to 102,550 bytes.
        decoded_bytes: The same after decompression.
        frame_bytes: One frame; Logplex lets 10,240 bytes through.
        head_bytes: Request line and headers; or trailers.
        connections: Open connections; at the limit the longest idle one without an
            authenticated request makes room.
        head_seconds: Time from connecting, or from the first byte of a request, to
            the end of its headers.
        body_seconds: Time from there to the end of the body.
        hold_seconds: Time that a request is held and tried again before the answer is
            503; Logplex gives up after 5 s.
        keep_alive_seconds: Idle time of a connection; Logplex closes its own after
            144 to 159 s, and answering it with a closed socket costs it a try.
        clusters: Add-ons.
        brokers: Brokers, and nodes, of one add-on.
        unknown_samples: Sample names that the catalogue does not know.
        dedupe_entries: Requests remembered to recognise retries.
        grammar_bytes: Bytes a second that the slow grammar may read.
        events: Broker lines remembered for ``/api/events``.
        events_bytes: Memory that they may take.
    """

    body_bytes: int = 1_048_576
    decoded_bytes: int = 4_194_304
    frame_bytes: int = 65_536
    head_bytes: int = 32_768
    connections: int = 1_000
    head_seconds: float = 10.0
    body_seconds: float = 30.0
    hold_seconds: float = 3.5
    keep_alive_seconds: float = 180.0
    clusters: int = 100
    brokers: int = 64
    unknown_samples: int = 64
    dedupe_entries: int = 100_000
    grammar_bytes: int = 16_384
    events: int = 1_000
    events_bytes: int = 4_194_304


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything ``serve`` can be told.

    Attributes:
        host: Address to listen on.
        port: Port to listen on; 0 lets the system choose.
        drain_credentials: Any of them opens the drain routes.
        read_credentials: Any of them opens ``/metrics``, ``/`` and ``/api``; where
            there are none, the drain's do.
        allow_anonymous: Listen on a public address without credentials.
        tls_certificate: PEM file with the certificate chain.
        tls_key: PEM file with its private key.
        tls_client_ca: PEM file with the CA certificates that clients' certificates are
            verified against; None accepts clients without one.
        stale_after_seconds: Values vanish when no sample came for so long.
        forget_after_seconds: The rest of a broker vanishes after so long.
        addons: Only these add-ons are believed; empty believes all.
        require_local0: Believe lines of facility local0 alone, as add-ons write, and
            none of a dyno whose process type imitates the add-on.
        public_url: Where Heroku reaches the agent, None where that is not known.
        show_secrets: Write the drain's password into the log once, at the start.
        plans: Name of the plan of each add-on that has one configured.
        retention_seconds: The retention that estimates of a cluster's data assume.
        topic_metrics: Topics of each cluster that become series; the largest.
        api_token: Heroku access token of the collector; None leaves it off.
        platform_url: Where Heroku's Platform API is.
        data_url: Where Heroku's Data API is.
        rule_overrides: Urgency by id of a rule of the broker log messages.
        thresholds: Values that the page and the terminal mark as high.
        files: Files that these settings were read from, and that a reload reads again.
        limits: What the agent takes on.
    """

    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    drain_credentials: tuple[Credentials, ...] = ()
    read_credentials: tuple[Credentials, ...] = ()
    allow_anonymous: bool = False
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    tls_client_ca: Path | None = None
    stale_after_seconds: float = 300.0
    forget_after_seconds: float = FORGET_AFTER_SECONDS
    addons: frozenset[str] = frozenset()
    require_local0: bool = False
    public_url: str | None = None
    show_secrets: bool = False
    plans: Mapping[str, str] = field(default_factory=dict)
    retention_seconds: float = 86_400.0
    topic_metrics: int = 0
    api_token: Secret | None = None
    platform_url: str = PLATFORM_URL
    data_url: str = DATA_URL
    thresholds: Thresholds = field(default_factory=packaged_thresholds)
    rule_overrides: Mapping[str, str] = field(default_factory=dict)
    files: tuple[Path, ...] = ()
    limits: Limits = field(default_factory=Limits)

    @property
    def readers(self) -> tuple[Credentials, ...]:
        """The credentials that open the reading routes."""
        return self.read_credentials or self.drain_credentials

    @property
    def collected(self) -> tuple[str, ...]:
        """The add-ons that the collector asks for: all that are named anywhere."""
        return tuple(sorted(self.addons | self.plans.keys()))

    @property
    def url(self) -> str:
        """Where a browser on this machine finds the agent."""
        scheme = "https" if self.tls_certificate else "http"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}:{self.port}"


def choose_address(
    host: str | None, port: int | None, environ: Mapping[str, str]
) -> tuple[str, int]:
    """Decide where to listen.

    Heroku tells a web process its port in ``$PORT`` and routes to it from outside,
    so with neither option given that means all interfaces (Dev Center, "Runtime
    Principles").

    Args:
        host: As given, or None.
        port: As given, or None.
        environ: The environment.

    Returns:
        Host and port.

    Raises:
        SettingsError: ``$PORT`` is no port number.
    """
    heroku_port = environ.get("PORT")
    if host is None and port is None and heroku_port:
        if not heroku_port.isascii() or not heroku_port.isdigit():
            raise SettingsError("the environment variable PORT is not a port number")
        return "0.0.0.0", int(heroku_port)  # noqa: S104 (that is what Heroku asks for)
    return host or DEFAULT_HOST, DEFAULT_PORT if port is None else port


def choose_public_url(given: str | None, environ: Mapping[str, str]) -> str | None:
    """Find out where Heroku reaches the agent.

    An app knows its own domain only where ``heroku labs:enable
    runtime-dyno-metadata`` has told it (Dev Center, "Dyno Metadata").

    Args:
        given: As given, or None; it wins, as it may name a domain of one's own.
        environ: The environment.

    Returns:
        The URL without a slash at its end, None where nobody says.
    """
    domain = environ.get("HEROKU_APP_DEFAULT_DOMAIN_NAME")
    if given is None and domain:
        return f"https://{domain}"
    return given.rstrip("/") if given else None


def check_settings(settings: Settings) -> None:
    """Refuse settings that cannot work, all problems at once.

    Args:
        settings: What is about to run.

    Raises:
        SettingsError: One sentence for each problem.
    """
    problems: list[str] = []
    if not 0 <= settings.port <= _HIGHEST_PORT:
        problems.append(f"--port must be between 0 and {_HIGHEST_PORT}")
    open_to_all = not settings.drain_credentials and not settings.allow_anonymous
    if open_to_all and not is_loopback(settings.host):
        problems.append(
            f"refusing to listen on {settings.host} without credentials: give "
            "--drain-credentials user:password (or the environment variable "
            f"{ENVIRONMENT_PREFIX}_DRAIN_CREDENTIALS), or --allow-anonymous if anyone "
            "may write and read"
        )
    if (settings.tls_certificate is None) != (settings.tls_key is None):
        problems.append("--tls-certificate and --tls-key must be given together")
    if settings.tls_client_ca is not None and settings.tls_certificate is None:
        problems.append("--tls-client-ca needs --tls-certificate and --tls-key")
    for option, path in (
        ("--tls-certificate", settings.tls_certificate),
        ("--tls-key", settings.tls_key),
        ("--tls-client-ca", settings.tls_client_ca),
    ):
        if path is not None and not _is_readable(path):
            problems.append(f"{option}: cannot read the file {path}")
    problems += _check_scopes("write", settings.drain_credentials)
    problems += _check_scopes("read", settings.read_credentials)
    problems += _check_public_url(settings.public_url)
    problems += _check_clusters(settings)
    problems += _check_limits(settings.limits)
    if problems:
        raise SettingsError(*problems)


def is_loopback(host: str) -> bool:
    """Say whether only this machine can reach `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_readable(path: Path) -> bool:
    try:
        with path.open("rb"):
            return True
    except OSError:
        return False


def _check_scopes(kind: str, accepted: tuple[Credentials, ...]) -> list[str]:
    """Reject a password that is valid for different add-ons: Bearer sends no user."""
    scopes: dict[str, frozenset[str]] = {}
    if all(scopes.setdefault(one.token, one.addons) == one.addons for one in accepted):
        return []
    problem = (
        f"two {kind} credentials have the same password but different add-ons: give "
        "each its own password"
    )
    return [problem]


def _check_public_url(url: str | None) -> list[str]:
    if url is None or _PUBLIC_URL.fullmatch(url):
        return []
    # Not repeated: it may hold a password.
    return ["--public-url must be written https://agent.example.com, without a user"]


def _check_clusters(settings: Settings) -> list[str]:
    problems = []
    if settings.stale_after_seconds > settings.forget_after_seconds:
        problems.append("--stale-after must not be longer than --forget-after")
    if settings.api_token is not None and not settings.collected:
        problems.append(
            "--api-token needs to know which add-ons to ask for: give --addon or --plan"
        )
    return problems


def _check_limits(limits: Limits) -> list[str]:
    return [
        f"the limit on {limit.name.replace('_', ' ')} must be greater than 0"
        for limit in fields(limits)
        if getattr(limits, limit.name) <= 0
    ]
