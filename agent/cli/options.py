"""Kinds of option: each is also an environment variable, lists go by commas."""

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from agent.alerting.rules import check_thresholds
from agent.alerting.thresholds import Thresholds, choose_thresholds
from agent.clock import parse_duration
from agent.config_files import (
    CredentialLists,
    parse_credentials,
    read_credentials,
    read_plans,
)
from agent.errors import SettingsError
from agent.kafka.categories import Urgency
from agent.kafka.message_rules import RULE_BY_ID
from agent.kafka.plans import PLANS, maybe_find_plan
from agent.settings import ENVIRONMENT_PREFIX, Credentials
from agent.suggestions import suggest

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

_SHARE = re.compile(r"([0-9]{1,4}(?:\.[0-9]+)?)(%?)")
_SIZE = re.compile(r"(\d+)\s*(B|KiB|MiB|)")
_BYTES = {"": 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20}


class Duration(click.ParamType[float]):
    """A duration as Prometheus writes it (``5m``), to seconds."""

    name = "duration"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Convert ``5m`` to 300.0."""
        try:
            return parse_duration(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Size(click.ParamType[int]):
    """A size in bytes, KiB or MiB, to bytes."""

    name = "size"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """Convert ``1MiB`` to 1048576."""
        match = _SIZE.fullmatch(str(value))
        if match is None:
            self.fail(f"{value!r} is no size like 65536, 64KiB or 1MiB", param, ctx)
        return int(match[1]) * _BYTES[match[2]]


class Share(click.ParamType[float]):
    """A part of a whole, like ``90%`` or ``0.9``."""

    name = "percent"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Convert ``90%`` to 0.9."""
        match = _SHARE.fullmatch(str(value))
        if match is None:
            self.fail(f"{value!r} is no share like 90% or 0.9", param, ctx)
        return float(match[1]) / (100 if match[2] else 1)


class PlanOf(click.ParamType[tuple[str, str]]):
    """``ADDON=PLAN``; an environment variable holds several with commas between."""

    name = "text"
    envvar_list_splitter = ","

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        """Split at the equals sign; refuse plans that are not in the table."""
        if isinstance(value, tuple):
            return value
        addon, _, name = str(value).strip().partition("=")
        plan = maybe_find_plan(name)
        if not addon or plan is None:
            known = ", ".join(PLANS)
            self.fail(f"{value!r} is no ADDON=PLAN; plans are {known}", param, ctx)
        return addon, plan.name


class Listed(click.ParamType[str]):
    """A word; an environment variable holds several with commas between them."""

    name = "text"
    envvar_list_splitter = ","

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """Strip the blanks around a word."""
        del param, ctx
        return str(value).strip()


def option(*names: str, **attributes: Any) -> Callable[[Decorated], Decorated]:
    """Declare an option that is also ``HEROKU_KAFKA_AGENT_<OPTION>``."""
    long_name = next(name for name in names if name.startswith("--"))
    bare = long_name.split("/")[0].removeprefix("--")
    variable = f"{ENVIRONMENT_PREFIX}_{bare.replace('-', '_').upper()}"
    return click.option(*names, envvar=variable, show_envvar=True, **attributes)


class RuleOverride(click.ParamType[tuple[str, str]]):
    """``RULE=URGENCY``; an environment variable holds several with commas between."""

    name = "text"
    envvar_list_splitter = ","

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        """Split at the equals sign; reject unknown rules and urgencies."""
        if isinstance(value, tuple):
            return value
        rule, _, urgency = str(value).strip().partition("=")
        if rule not in RULE_BY_ID:
            near = suggest(rule, RULE_BY_ID)
            message = f"unknown rule {rule!r}{near}; MESSAGES.md lists the rules"
            self.fail(message, param, ctx)
        urgencies = [one.value for one in Urgency]
        if urgency not in urgencies:
            known = ", ".join(urgencies)
            message = f"unknown urgency {urgency!r} for rule {rule}; use one of {known}"
            self.fail(message, param, ctx)
        return rule, urgency


rule_override_option = option(
    "--rule-override",
    "rule_overrides",
    multiple=True,
    type=RuleOverride(),
    metavar="RULE=URGENCY",
    help="Urgency of the log lines that match a rule, e.g. follower-marked-failed=noise; "
    "repeatable.",
)

stale_after_option = option(
    "--stale-after",
    type=Duration(),
    default="5m",
    show_default=True,
    help="A broker's values vanish when none came for so long.",
)

addon_option = option(
    "--addon",
    "addons",
    multiple=True,
    type=Listed(),
    metavar="NAME",
    help="Believe only this add-on; repeatable.  [default: all]",
)


def threshold_options(command: Decorated) -> Decorated:
    """Declare ``--thresholds`` and ``--set``; `read_thresholds` reads their values."""
    command = option(
        "--set",
        "settings",
        multiple=True,
        type=Listed(),
        metavar="NAME=VALUE",
        help="One threshold, like load.warning=0.7, or ADDON:load.warning=0.7 for one "
        "cluster; repeatable, takes precedence over the file.",
    )(command)
    return option(
        "--thresholds",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        help="YAML file with thresholds that differ from the packaged "
        "alerts/thresholds.yaml.",
    )(command)


def read_thresholds(path: Path | None, settings: Iterable[str]) -> Thresholds:
    """Apply a user's thresholds to the packaged ones, and check the result.

    Args:
        path: Value of ``--thresholds``.
        settings: Values of ``--set``.

    Raises:
        SettingsError: One sentence for each value that is unknown or malformed, or
            else for each contradiction.
    """
    thresholds = choose_thresholds(path, settings)
    check_thresholds(thresholds)
    return thresholds


def choose_credentials(given: Mapping[str, Any]) -> CredentialLists:
    """Join the credentials of the options and of ``--credentials-file``.

    Args:
        given: Options of ``serve`` by parameter name.

    Raises:
        SettingsError: One sentence for each problem.
    """
    path = given["credentials_file"]
    problems: list[str] = []
    found = CredentialLists()
    try:
        found = CredentialLists() if path is None else read_credentials(path)
    except SettingsError as error:
        problems += error.problems
    else:
        if path is not None and not (
            found.write or given["drain_credentials"] or given["allow_anonymous"]
        ):
            problems.append(
                f"--credentials-file: {path} has no write credentials: add one, or give "
                "--drain-credentials, or --allow-anonymous if anyone may write"
            )
    options: dict[str, tuple[Credentials, ...]] = {}
    for name in ("drain_credentials", "read_credentials"):
        try:
            options[name] = tuple(map(parse_credentials, given[name]))
        except SettingsError as error:
            flag = f"--{name.replace('_', '-')}"
            problems += (f"{flag}: {one}" for one in error.problems)
    if problems:
        raise SettingsError(*problems)
    return CredentialLists(
        options["drain_credentials"] + found.write,
        options["read_credentials"] + found.read,
    )


def choose_plans(given: Mapping[str, Any]) -> dict[str, str]:
    """Put the plans of ``--plan`` over those of ``--plans-file``.

    Args:
        given: Options of ``serve`` by parameter name.

    Returns:
        Names of plans by add-on.

    Raises:
        SettingsError: One sentence for each problem of the file.
    """
    path = given["plans_file"]
    in_file = {} if path is None else read_plans(path)
    return {**in_file, **dict(given["plans"])}
