"""``serve``: the agent itself."""

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import click

from agent.alerting.thresholds import packaged_thresholds
from agent.app import App, run_app
from agent.cli.options import (
    Duration,
    Listed,
    PlanOf,
    Size,
    addon_option,
    choose_credentials,
    choose_plans,
    option,
    read_thresholds,
    rule_override_option,
    stale_after_option,
    threshold_options,
)
from agent.config_files import CredentialLists
from agent.errors import SettingsError
from agent.logs import configure_logging
from agent.secret import Secret
from agent.settings import (
    DATA_URL,
    DEFAULT_HOST,
    DEFAULT_PORT,
    PLATFORM_URL,
    Limits,
    Settings,
    check_settings,
    choose_address,
    choose_public_url,
)

Made = TypeVar("Made")

_LIMITS = Limits()
_FILES = (
    "credentials_file",
    "plans_file",
    "thresholds",
    "tls_certificate",
    "tls_key",
    "tls_client_ca",
)
"""Options whose files a reload reads again."""


@click.command()
@option(
    "--host",
    help="Address to listen on.  "
    f"[default: {DEFAULT_HOST}; 0.0.0.0 where $PORT is set and neither option is]",
)
@option(
    "--port",
    type=int,
    help=f"Port to listen on, 0 for any.  [default: {DEFAULT_PORT}, or $PORT]",
)
@option(
    "--drain-credentials",
    multiple=True,
    type=Listed(),
    metavar="USER:PASSWORD",
    help="Who may write; give two during a rotation.",
)
@option(
    "--read-credentials",
    multiple=True,
    type=Listed(),
    metavar="USER:PASSWORD",
    help="Who may read /metrics, / and /api.  [default: the drain's]",
)
@option(
    "--credentials-file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="YAML file with more write and read credentials, each optionally for certain "
    "add-ons only; read again by a reload.",
)
@option(
    "--allow-anonymous",
    is_flag=True,
    help="Listen on a public address although anybody may then write and read.",
)
@option(
    "--tls-certificate",
    type=click.Path(path_type=Path),
    help="PEM file; serve HTTPS without a proxy.",
)
@option("--tls-key", type=click.Path(path_type=Path), help="PEM file with its key.")
@option(
    "--tls-client-ca",
    type=click.Path(path_type=Path),
    help="PEM file with CA certificates; every client must present a certificate that "
    "one of them has issued.",
)
@stale_after_option
@option(
    "--forget-after",
    type=Duration(),
    default="24h",
    show_default=True,
    help="The rest of a silent broker's series vanishes after so long.",
)
@addon_option
@rule_override_option
@option(
    "--require-local0",
    is_flag=True,
    help="Believe only lines of syslog facility local0, as add-ons write.",
)
@option(
    "--public-url",
    metavar="URL",
    help="Where Heroku reaches the agent, for the drains:add command that it logs.  "
    "[default: the app's domain, where Heroku tells it]",
)
@option(
    "--show-secrets",
    is_flag=True,
    help="Log that command with its password instead of stars.",
)
@option(
    "--plan",
    "plans",
    multiple=True,
    type=PlanOf(),
    metavar="ADDON=PLAN",
    help="The plan of an add-on, like kafka-animated-39618=standard-0; repeatable.",
)
@option(
    "--plans-file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="YAML file with the plans of add-ons; read again by a reload. --plan takes "
    "precedence.",
)
@option(
    "--retention",
    type=Duration(),
    default="24h",
    show_default=True,
    help="The retention that estimates of a cluster's data assume.",
)
@option(
    "--topic-metrics",
    type=click.IntRange(0, 1000),
    default=0,
    show_default=True,
    help="Topics of each cluster that become series, the largest first.",
)
@option(
    "--api-token",
    metavar="TOKEN",
    help="Heroku access token; lets the agent ask Heroku for the size and health of the "
    "add-ons that --addon and --plan name.",
)
@option(
    "--platform-url",
    default=PLATFORM_URL,
    show_default=True,
    help="Heroku's Platform API.",
)
@option(
    "--data-url",
    default=DATA_URL,
    show_default=True,
    help="Heroku's Data API.",
)
@threshold_options
@option(
    "--body-limit",
    type=Size(),
    default=_LIMITS.body_bytes,
    show_default=True,
    help="Largest drain request, in bytes or like 1MiB.",
)
@option(
    "--decoded-limit",
    type=Size(),
    default=_LIMITS.decoded_bytes,
    show_default=True,
    help="Largest drain request after decompression.",
)
@option(
    "--frame-limit",
    type=Size(),
    default=_LIMITS.frame_bytes,
    show_default=True,
    help="Largest frame.",
)
@option(
    "--max-connections",
    type=int,
    default=_LIMITS.connections,
    show_default=True,
    help="Open connections.",
)
@option(
    "--head-timeout",
    type=Duration(),
    default=f"{_LIMITS.head_seconds:g}s",
    show_default=True,
    help="Time for the headers of a request.",
)
@option(
    "--body-timeout",
    type=Duration(),
    default=f"{_LIMITS.body_seconds:g}s",
    show_default=True,
    help="Time for the body of a request.",
)
@option(
    "--keep-alive-timeout",
    type=Duration(),
    default=f"{_LIMITS.keep_alive_seconds:g}s",
    show_default=True,
    help="Idle time of a connection; Logplex closes its own after 144 to 159 s.",
)
@option(
    "--max-clusters",
    type=int,
    default=_LIMITS.clusters,
    show_default=True,
    help="Add-ons.",
)
@option(
    "--max-brokers",
    type=int,
    default=_LIMITS.brokers,
    show_default=True,
    help="Brokers of one add-on.",
)
@option(
    "--max-unknown-samples",
    type=int,
    default=_LIMITS.unknown_samples,
    show_default=True,
    help="Sample names that this version does not know.",
)
@option(
    "--dedupe-entries",
    type=int,
    default=_LIMITS.dedupe_entries,
    show_default=True,
    help="Requests remembered to recognise retries.",
)
@option(
    "--max-events",
    type=int,
    default=_LIMITS.events,
    show_default=True,
    help="Broker lines remembered for /api/events.",
)
@option(
    "--max-events-size",
    type=Size(),
    default=_LIMITS.events_bytes,
    show_default=True,
    help="Memory that they may take.",
)
@option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
    help="Lines below this level are not written.",
)
def serve(*, log_level: str, **given: Any) -> None:
    """Receive log drains on POST /logs and serve GET /metrics."""
    read = partial(read_settings, given, os.environ)
    settings = read()
    configure_logging(log_level)
    run_app(App(settings, read))


def read_settings(given: Mapping[str, Any], environ: Mapping[str, str]) -> Settings:
    """Make settings of the options of ``serve``, and check them.

    Args:
        given: By the names of the options' parameters, ``log_level`` may be missing.
        environ: The environment, for what Heroku says there.

    Returns:
        Settings that can work.

    Raises:
        SettingsError: One sentence for each problem, all at once.
    """
    problems: list[str] = []

    def attempt(read: Callable[[], Made], otherwise: Made) -> Made:
        try:
            return read()
        except SettingsError as error:
            problems.extend(error.problems)
            return otherwise

    host, port = attempt(
        lambda: choose_address(given["host"], given["port"], environ),
        (DEFAULT_HOST, DEFAULT_PORT),
    )
    credentials = attempt(lambda: choose_credentials(given), CredentialLists())
    token = given["api_token"]
    settings = Settings(
        host=host,
        port=port,
        drain_credentials=credentials.write,
        read_credentials=credentials.read,
        allow_anonymous=given["allow_anonymous"],
        tls_certificate=given["tls_certificate"],
        tls_key=given["tls_key"],
        tls_client_ca=given["tls_client_ca"],
        stale_after_seconds=given["stale_after"],
        forget_after_seconds=given["forget_after"],
        addons=frozenset(given["addons"]),
        require_local0=given["require_local0"],
        plans=attempt(lambda: choose_plans(given), {}),
        retention_seconds=given["retention"],
        topic_metrics=given["topic_metrics"],
        api_token=Secret(token) if token else None,
        platform_url=given["platform_url"],
        data_url=given["data_url"],
        public_url=choose_public_url(given["public_url"], environ),
        show_secrets=given["show_secrets"],
        thresholds=attempt(
            lambda: read_thresholds(given["thresholds"], given["settings"]),
            packaged_thresholds(),
        ),
        rule_overrides=dict(given["rule_overrides"]),
        files=tuple(given[name] for name in _FILES if given[name] is not None),
        limits=_limits(given),
    )
    attempt(lambda: check_settings(settings), None)
    if problems:
        raise SettingsError(*problems)
    return settings


def _limits(given: Mapping[str, Any]) -> Limits:
    """Map the options' names to those of `Limits`."""
    return replace(
        _LIMITS,
        body_bytes=int(given["body_limit"]),
        decoded_bytes=int(given["decoded_limit"]),
        frame_bytes=int(given["frame_limit"]),
        connections=int(given["max_connections"]),
        head_seconds=given["head_timeout"],
        body_seconds=given["body_timeout"],
        keep_alive_seconds=given["keep_alive_timeout"],
        clusters=int(given["max_clusters"]),
        brokers=int(given["max_brokers"]),
        unknown_samples=int(given["max_unknown_samples"]),
        dedupe_entries=int(given["dedupe_entries"]),
        events=int(given["max_events"]),
        events_bytes=int(given["max_events_size"]),
    )
