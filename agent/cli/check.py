"""``check``: looks settings, thresholds and rules over, without starting anything."""

import copy
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource, iter_params_for_processing

from agent.alerting.rules import check_thresholds
from agent.alerting.thresholds import collect_thresholds, packaged_thresholds
from agent.checks import Problem, check_certificate, check_client_ca, check_rule_files
from agent.cli.options import Listed, option
from agent.cli.serve import read_settings, serve
from agent.errors import SettingsError
from agent.settings import ENVIRONMENT_PREFIX, Settings
from agent.suggestions import suggest

_UNREAD = f"{__name__}.unread"


class _Collecting(click.Command):
    """Takes the options of ``serve`` as well, and collects what click would stop at."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Put the options of ``serve`` before those of this command."""
        unread = ctx.meta.get(_UNREAD, {})
        params = [*serve.params, *super().get_params(ctx)]
        return [_leniently(one) if one.name in unread else one for one in params]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Convert each option; one that cannot be keeps its default."""
        params = {param.name: param for param in self.get_params(ctx)}
        unread: dict[str, list[Problem]] = {}
        for name, problem in self._find_unread(ctx, list(args)):
            unread.setdefault(name, []).append(problem)
        ctx.meta[_UNREAD] = unread
        rest = super().parse_args(ctx, args)
        for name in unread:
            default = params[name].to_info_dict()["default"]
            if default is not None:
                default = params[name].type_cast_value(ctx, default)
            ctx.params[name] = () if params[name].multiple else default
        return rest

    def _find_unread(
        self, ctx: click.Context, args: list[str]
    ) -> Iterator[tuple[str, Problem]]:
        given, _rest, order = self.make_parser(ctx).parse_args(args=args)
        params = self.get_params(ctx)
        for param in iter_params_for_processing(order, params):
            value, source = param.consume_value(ctx, given)
            several = param.multiple and isinstance(value, list | tuple)
            for one in value if several else [value]:
                try:
                    param.process_value(ctx, (one,) if several else one)
                except click.BadParameter as error:
                    where = _name_of(param, source)
                    yield str(param.name), Problem(where=where, what=error.message)


def _name_of(param: click.Parameter, source: ParameterSource) -> str:
    """Name what the user gave: the option, or its environment variable."""
    option = max(param.opts, key=len)
    if source is not ParameterSource.ENVIRONMENT:
        return option
    return f"{param.envvar} ({option})"


def _leniently(param: click.Parameter) -> click.Parameter:
    """Copy an option so that any value can be read, and none is by the environment."""
    copied = copy.copy(param)
    copied.type, copied.envvar = click.UNPROCESSED, None
    return copied


@click.command(cls=_Collecting)
@option(
    "--rules",
    "rule_files",
    multiple=True,
    type=Listed(),
    metavar="FILE",
    help="A rule file of yours for Prometheus; repeatable.",
)
@click.pass_context
def check(
    ctx: click.Context,
    /,
    *,
    thresholds: Path | None,
    settings: tuple[str, ...],
    rule_files: tuple[str, ...],
    **given: Any,
) -> int:
    """Check the settings of `serve`, thresholds, and rule files; start nothing.

    Takes all options of `serve` and their environment variables. All problems are named
    at once. Ends with 2 where settings or thresholds are wrong, with 1 where only rule
    files are, with 0 where nothing is; warnings change nothing.
    """
    # The thresholds have a heading of their own.
    found, served = _check_settings({**given, "thresholds": None, "settings": ()})
    unread = [one for several in ctx.meta[_UNREAD].values() for one in several]
    wrong = [*unread, *found, *_check_tls(given), *_check_environment(ctx)]
    about_thresholds, numbers = _check_thresholds(thresholds, settings)
    wrong += about_thresholds
    in_rules, count = check_rule_files(Path(name) for name in rule_files)
    for problem in (*wrong, *in_rules):
        click.echo(str(problem), err=True)
    errors = [one for one in (*wrong, *in_rules) if not one.is_warning]
    if not errors:
        click.echo(f"settings: {served}")
        click.echo(f"thresholds: {numbers}")
        if rule_files:
            click.echo(f"rules: {count} in {len(rule_files)} file(s)")
    warnings = len(wrong) + len(in_rules) - len(errors)
    click.echo(f"{len(errors)} error(s), {warnings} warning(s)")
    if any(not one.is_warning for one in wrong):
        return 2
    return 1 if errors else 0


def _check_settings(given: Mapping[str, Any]) -> tuple[list[Problem], str]:
    """List what is wrong with the settings, and say what they come to."""
    try:
        settings = read_settings(given, os.environ)
    except SettingsError as error:
        return [Problem(where="settings", what=one) for one in error.problems], ""
    return [], _describe(settings)


def _describe(settings: Settings) -> str:
    guarded = "with credentials" if settings.drain_credentials else "for anybody"
    plans = f", {len(settings.plans)} plan(s)" if settings.plans else ""
    asks = ", asks Heroku's API" if settings.api_token else ""
    return f"would listen on {settings.url} {guarded}{plans}{asks}"


def _check_tls(given: Mapping[str, Any]) -> Iterator[Problem]:
    """Check the TLS files, where `read_settings` has nothing to say about them."""
    certificate, key, client_ca = (
        given[name]
        if given[name] is not None and os.access(given[name], os.R_OK)
        else None
        for name in ("tls_certificate", "tls_key", "tls_client_ca")
    )
    if certificate is not None and key is not None:
        yield from check_certificate(certificate, key)
    if client_ca is not None:
        yield from check_client_ca(client_ca)


def _check_environment(ctx: click.Context) -> Iterator[Problem]:
    """Find variables that look like ours and are not read by any command."""
    group = ctx.find_root().command
    commands = group.commands.values() if isinstance(group, click.Group) else ()
    known = {
        str(param.envvar)
        for command in commands
        for param in command.params
        if param.envvar
    }
    for name in sorted(os.environ):
        if name.startswith(f"{ENVIRONMENT_PREFIX}_") and name not in known:
            what = f"no command reads this environment variable{suggest(name, known)}"
            yield Problem(where=name, what=what)


def _check_thresholds(
    path: Path | None, settings: tuple[str, ...]
) -> tuple[list[Problem], str]:
    """List what is wrong with the thresholds, and say how many are the user's."""
    thresholds, problems = collect_thresholds(path, settings)
    try:
        check_thresholds(thresholds)
    except SettingsError as error:
        problems += error.problems
    if problems:
        return [Problem(where="thresholds", what=one) for one in problems], ""
    packaged = packaged_thresholds().values
    own = sum(one != packaged[name] for name, one in thresholds.values.items())
    clusters = len(thresholds.clusters)
    told_apart = (
        f", {clusters} cluster(s) with numbers of their own" if clusters else ""
    )
    return [], f"{len(packaged)}, {own} of them yours{told_apart}"
