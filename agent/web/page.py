"""The page at ``/``: what the agent knows right now, for a person with a browser.

Everything shown is rendered here and escaped by the template engine; the script in the
browser only fetches what has changed, takes over its parts, and draws the charts. The
policy below lets nothing else run and nothing be loaded from elsewhere.
"""

import asyncio
import contextlib
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple

import jinja2

from agent.amounts import write_amount
from agent.capacity.assessment import assess
from agent.capacity.estimate import BYTES_IN, mean_bytes_in
from agent.clock import Moment
from agent.drain_command import write_drain_command
from agent.engine import Engine
from agent.kafka.categories import Urgency
from agent.metrics.spec import PREFIX
from agent.settings import Settings
from agent.state.history import STEP_SECONDS
from agent.state.log_events import EventFilter, LogEvent
from agent.web.copies import ClusterCopy, Copier, Copies, Histories
from agent.web.page_model import (
    COLUMNS,
    Counts,
    copy_counts,
    count_statuses,
    describe_cluster,
    group_events,
    write_age,
    write_time,
)
from agent.web.revisions import Cursor, parse_cursor

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

MAX_ROWS = 1_000
"""Brokers and nodes of one page; the rest is behind a link."""

_AGE = re.compile(r'<time data-age="([0-9.]+)">')


class PageQuery(NamedTuple):
    """What is asked for.

    Attributes:
        since: What the client has seen; None for nothing.
        after: Only clusters whose names sort after this.
    """

    since: Cursor | None
    after: str


def parse_page_query(parameters: Mapping[str, str]) -> PageQuery:
    """Read the parameters of the query; an invalid cursor asks for the whole page."""
    since = None
    with contextlib.suppress(ValueError):
        since = parse_cursor(parameters.get("since", ""))
    return PageQuery(since, parameters.get("after", ""))


class _Content(NamedTuple):
    """What one page shows; shares nothing that changes."""

    copies: Copies
    shown: list[tuple[str, ClusterCopy]]
    histories: Histories
    counts: Counts
    events: list[LogEvent]


class Page:
    """Renders the page, and what of it has changed.

    Args:
        engine: What is shown.
        settings: Address, drain credentials, retention and thresholds.
        copier: Copies the clusters.
        addons: The only add-ons whose events are shown; empty for all.
    """

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        copier: Copier,
        addons: frozenset[str],
    ) -> None:
        self._engine = engine
        self._settings = settings
        self._copier = copier
        self._addons = addons
        self._visible = EventFilter(addons=addons)
        # The newest text of each part and cluster, and since which revision it stands.
        self._parts: dict[str, tuple[int, str]] = {}
        self._sections: dict[str, tuple[int, str]] = {}

    async def render(self, base_url: str, query: PageQuery) -> bytes:
        """Copy on the event loop, render in a thread; run one at a time.

        Args:
            base_url: Where the reader has found us, for the drain's address.
            query: What is asked for.

        Returns:
            HTML that asks no other host for anything: a whole document, or the parts
            that have changed since `query.since`.
        """
        copies = await self._copier.copy()
        shown = choose_clusters(copies, query.after)
        content = _Content(
            copies,
            shown,
            await self._copier.copy_histories(shown, (BYTES_IN,)),
            copy_counts(self._engine.telemetry),
            self._engine.log.dump(),
        )
        return await asyncio.to_thread(self._render, base_url, query, content)

    def _render(self, base_url: str, query: PageQuery, content: _Content) -> bytes:
        copies, shown = content.copies, content.shown
        templates = _load_templates()
        events = filter(self._visible.wants, reversed(content.events))
        parts = {
            "summary": templates.parts.summary(count_statuses(copies)),
            "empty": templates.parts.empty(
                copies.clusters, content.counts, self._drain_command(base_url)
            ),
            "events": templates.parts.events(group_events(events)),
            "trust": templates.parts.trust(content.counts),
        }
        self._update_parts(parts, copies.revision)
        self._update_sections(content)
        revisions = self._copier.revisions
        step = int(copies.now.wall) // STEP_SECONDS
        cursor = Cursor(revisions.token, copies.revision, step)
        now = templates.parts.now(copies.now.wall, cursor)
        sections = {name: self._sections[name] for name, _ in shown}
        base = revisions.maybe_base(query.since, step)
        if base is not None:
            changes = templates.changes.render(
                now=now,
                parts=_newer(self._parts, base.revision),
                sections=_newer(sections, base.revision),
            )
            return changes.encode()
        last = shown[-1][0] if shown else ""
        page = templates.page.render(
            now=now,
            parts=parts,
            sections=[text for _, text in sections.values()],
            last=last,
            more=sum(name > last for name in copies.clusters),
        )
        return _AGE.sub(lambda found: _fill_age(found, copies.now), page).encode()

    def _drain_command(self, base_url: str) -> str:
        """Write the command that adds the drain; never with its secret."""
        settings = replace(
            self._settings,
            public_url=self._settings.public_url or base_url,
            show_secrets=False,
            drain_credentials=tuple(
                one
                for one in self._settings.drain_credentials
                if not self._addons or (one.addons and one.addons <= self._addons)
            ),
        )
        return write_drain_command(settings)

    def _update_parts(self, parts: dict[str, str], revision: int) -> None:
        for name, text in parts.items():
            if name not in self._parts or self._parts[name][1] != text:
                self._parts[name] = (revision, text)

    def _update_sections(self, content: _Content) -> None:
        """Render the clusters that have changed since they were last rendered."""
        templates, copies = _load_templates(), content.copies
        today = datetime.fromtimestamp(copies.now.wall, UTC).date()
        self._sections = {
            name: found
            for name, found in self._sections.items()
            if name in copies.clusters
        }
        for name, cluster in content.shown:
            changed = self._copier.revisions.last_change(name)
            if name in self._sections and self._sections[name][0] >= changed:
                continue
            brokers = [
                content.histories[name, view.broker]
                for view in cluster.brokers
                if view.broker is not None
            ]
            assessment = None
            if cluster.plan is not None:
                assessment = assess(
                    cluster.plan,
                    mean_bytes_in(brokers, copies.now),
                    self._settings.retention_seconds,
                    today,
                    self._settings.thresholds,
                )
            text = templates.parts.section(describe_cluster(name, cluster, assessment))
            self._sections[name] = (changed, text)


def choose_clusters(copies: Copies, after: str) -> list[tuple[str, ClusterCopy]]:
    """Choose the clusters of one page: at least one, and about `MAX_ROWS` rows."""
    chosen: list[tuple[str, ClusterCopy]] = []
    rows = 0
    for name, cluster in copies.clusters.items():
        if name > after:
            rows += len(cluster.brokers) + len(cluster.nodes)
            if chosen and rows > MAX_ROWS:
                break
            chosen.append((name, cluster))
    return chosen


def _newer(texts: Mapping[str, tuple[int, str]], revision: int) -> list[str]:
    return [text for changed, text in texts.values() if changed > revision]


def _fill_age(found: re.Match[str], now: Moment) -> str:
    return f"{found[0]}{write_age(float(found[1]), now)}"


class _Templates(NamedTuple):
    """The whole page, what has changed of it, and the parts that both are made of."""

    page: jinja2.Template
    changes: jinja2.Template
    parts: Any


@cache
def _load_templates() -> _Templates:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("agent.web"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {
        "write_amount": write_amount,
        "write_time": write_time,
        "columns": COLUMNS,
        "prefix": PREFIX,
        "urgencies": list(Urgency),
    }
    return _Templates(
        environment.get_template("page.html"),
        environment.get_template("changes.html"),
        environment.get_template("parts.html").module,
    )
