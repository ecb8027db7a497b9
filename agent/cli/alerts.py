"""``alerts``: the Prometheus rules, with the user's thresholds."""

from pathlib import Path

import click

from agent.alerting.rules import RUNBOOKS, Links, render_rules
from agent.alerting.thresholds import choose_thresholds
from agent.cli.options import option, threshold_options
from agent.errors import AgentError


@click.command()
@threshold_options
@option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="File to write.  [default: standard output]",
)
@option(
    "--runbooks-url",
    metavar="URL",
    default=RUNBOOKS,
    show_default=True,
    help="Where your copy of the runbooks is; the name of the alert and .md go behind it.",
)
@option(
    "--grafana-url",
    metavar="URL",
    help="Base URL of a Grafana with our dashboards: each alert then links to one.",
)
@option(
    "--uid-prefix",
    metavar="PREFIX",
    default="",
    help="What you gave to `dashboards --uid-prefix`.",
)
def alerts(
    *,
    thresholds: Path | None,
    settings: tuple[str, ...],
    out: Path | None,
    runbooks_url: str,
    grafana_url: str | None,
    uid_prefix: str,
) -> None:
    """Write the Prometheus rules, with your own thresholds put in.

    Without options that is alerts/heroku-kafka.rules.yml as it is packaged.
    """
    links = Links(runbooks=runbooks_url, grafana=grafana_url, uid_prefix=uid_prefix)
    text = render_rules(choose_thresholds(thresholds, settings), links)
    if out is None:
        click.echo(text, nl=False)
        return
    try:
        out.write_text(text, "utf-8")
    except OSError as error:
        message = f"cannot write {out}: {error.strerror}"
        raise AgentError(message) from None
