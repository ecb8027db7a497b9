"""The shapes of the JSON API, and their encoding.

Names, nesting and meaning are part of the public contract. Texts are as the brokers
wrote them.
"""

import json
import re
from collections.abc import Mapping, Sequence

import msgspec

from agent.kafka.categories import Category, Urgency
from agent.state.views import Status
from parsers import Level

_NON_ASCII = re.compile(r"[^\x00-\x7f]+")
_encoder = msgspec.json.Encoder()


class Context(msgspec.Struct, frozen=True):
    """One bracketed prefix of a broker's line, e.g. ``[ReplicaFetcher replicaId=1]``."""

    name: str
    fields: Mapping[str, str]


class Partition(msgspec.Struct, frozen=True):
    """A topic, and the number of its partition where the line names one."""

    topic: str
    partition: int | None


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a broker and what it means.

    Attributes:
        time: RFC 3339, in UTC.
        node: The number as written in ``kafka[ADDON.node]``.
        rule: Id of the message rule; None where none matched.
        logger: ``class`` in JSON.
        trace: Stack trace; None if there is none, like the fields below.
        topic: Topic that the line names.
        partition: Partition of that topic.
        partitions: All topics and partitions that it names, that one first.
        broker: Broker that wrote the line.
        peer: Broker that the line names.
        exception: Name of the exception's class.
    """

    time: str
    cluster: str
    node: str
    level: Level
    category: Category
    urgency: Urgency
    rule: str | None
    logger: str = msgspec.field(name="class")
    thread: str
    context: Sequence[Context]
    message: str
    trace: str | None
    topic: str | None
    partition: int | None
    partitions: Sequence[Partition]
    broker: str | None
    peer: str | None
    exception: str | None
    meaning: str
    first_step: str


class Events(msgspec.Struct, frozen=True):
    """Response of ``GET /api/events``.

    Attributes:
        events: Each an `Event`, the newest first.
        remembered: Number of events in memory.
        after: What to pass as ``after`` for the older events; None if there are none.
    """

    events: Sequence[msgspec.Raw]
    remembered: int
    after: str | None


class Broker(msgspec.Struct, frozen=True, kw_only=True):
    """One broker, or the cluster's own samples.

    Attributes:
        broker: None for the cluster's own samples.
        last_sample: Seconds since the epoch.
        values: Newest values by the gauge's name, in its unit.
        history: Values of the last hours by the gauge's name, an array each; null for
            a step without samples.
    """

    broker: str | None
    status: Status
    last_sample: float
    values: Mapping[str, float]
    history: Mapping[str, msgspec.Raw]


class Node(msgspec.Struct, frozen=True):
    """Log lines of one node, by level and by urgency; `broker` is None if unknown."""

    node: str
    broker: str | None
    lines: Mapping[str, int]
    urgencies: Mapping[str, int]


class Cluster(msgspec.Struct, frozen=True):
    """One cluster by the name of its add-on; each of its brokers is a `Broker`."""

    cluster: str
    brokers: Sequence[msgspec.Raw]
    nodes: Sequence[Node]


class Clusters(msgspec.Struct, frozen=True):
    """Response of ``GET /api/clusters``.

    Attributes:
        now: Seconds since the epoch.
        step: Seconds between two values of a history.
        full: Whether all clusters are meant, not only those that have changed.
        next: What to pass as ``since`` for the changes after this response.
        after: What to pass as ``after`` for the rest of a response that was cut.
        clusters: Each a `Cluster`, by name.
    """

    now: float
    step: int
    full: bool
    next: str
    after: str | None
    clusters: Sequence[msgspec.Raw]


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """An alert that fires, as the agent itself evaluates the alert rules.

    Attributes:
        severity: ``critical``, ``warning`` or ``info``.
        cluster: Name of the add-on; None for a problem of the agent itself.
        broker: Number of the broker; None if it is not about one, like `node`.
        node: The number as written in ``kafka[ADDON.node]``.
        details: Other labels of the alert.
        since: When the condition became true; RFC 3339, in UTC, like `ended`.
        ended: When the condition was last true, if the alert is kept firing although
            the condition is no longer true; else None.
        value: In the base unit; None where the alert has no number, like its text.
        value_text: The same with its unit.
        limit: What the value is compared with; None if no number is, like its text.
        limit_text: The same with its unit.
        summary: What is wrong.
        description: The facts.
        consequence: What happens to clients.
        first_step: What to do first.
        runbook: Path of the runbook in the source tree.
    """

    alert: str
    severity: str
    cluster: str | None
    broker: str | None
    node: str | None
    details: Mapping[str, str]
    since: str
    ended: str | None
    value: float | None
    value_text: str | None
    limit: float | None
    limit_text: str | None
    summary: str
    description: str
    consequence: str
    first_step: str
    runbook: str


class Problems(msgspec.Struct, frozen=True):
    """Response of ``GET /api/problems``.

    Attributes:
        evaluated_at: When the rules were last evaluated, RFC 3339 in UTC; None before
            the first evaluation.
        problems: The worst first, then the oldest.
    """

    evaluated_at: str | None
    problems: Sequence[Problem]


class TextLine(msgspec.Struct, frozen=True):
    """A line of an uploaded text that could not be parsed; the first line is 1."""

    line: int
    reason: str


class CapacityUpload(msgspec.Struct, frozen=True):
    """Response of ``POST /api/capacity``.

    Attributes:
        clusters: Add-ons whose use was applied.
        problems: Lines that could not be parsed.
    """

    clusters: Sequence[str]
    problems: Sequence[TextLine]


class Reload(msgspec.Struct, frozen=True):
    """Response of ``POST /-/reload``.

    Attributes:
        files: Files that were read again.
        problems: Why the previous configuration was kept; empty after a successful
            reload.
    """

    files: Sequence[str]
    problems: Sequence[str]


class Error(msgspec.Struct, frozen=True):
    """Response to an invalid query."""

    error: str


def encode(response: msgspec.Struct) -> bytes:
    """Encode a response as JSON in ASCII.

    Terminals act on control characters beyond ASCII (U+009B starts a sequence, U+202E
    reverses text), so all of them are escaped.

    Args:
        response: One of the shapes above.

    Returns:
        JSON; null for a number that is not finite.
    """
    encoded = _encoder.encode(response)
    if encoded.isascii():
        return encoded
    return _NON_ASCII.sub(_escape, encoded.decode()).encode("ascii")


def _escape(found: re.Match[str]) -> str:
    return json.dumps(found[0], ensure_ascii=True)[1:-1]
