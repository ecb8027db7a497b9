"""What the agent makes of one line or frame, in words.

It runs the very parsers that the drain runs, the pyparsing grammar among them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from agent.escaping import escape_controls
from agent.kafka.categories import CATEGORY_MEANING, URGENCY_MEANING
from agent.kafka.classifier import NO_OVERRIDES, Overrides, classify, maybe_match
from agent.metrics.specs import LOG_EVENTS, LOG_LINES, Drop
from agent.settings import Limits
from agent.state.admission import Admission
from agent.state.log_events import join_continuations
from parsers import (
    BrokerContinuation,
    BrokerLog,
    Budget,
    DrainDecoder,
    DrainLoss,
    FrameKind,
    Header,
    MetricLine,
    ParserFault,
    Reason,
    Record,
    SampleKey,
    Unparsed,
    maybe_parse_header,
    maybe_parse_heroku_logs_line,
    maybe_parse_papertrail_line,
    parse_line,
)

_TRACE_ROWS = 20
_TEXT_FORMATS = (
    ("heroku logs line", maybe_parse_heroku_logs_line),
    ("Papertrail line", maybe_parse_papertrail_line),
)
_NAMED_ROWS = 10
_COUNTED = re.compile(rb"[0-9]+ ")
_SYSLOG = re.compile(rb"<[0-9]{1,3}>")

MEANING: dict[Reason, str] = {
    Reason.BAD_COUNT: "a frame must begin with its length in bytes and a blank",
    Reason.FRAME_TOO_LARGE: "the length is larger than any frame that is accepted",
    Reason.TRUNCATED: "there are fewer bytes than the length says",
    Reason.MISCOUNTED: "the length is wrong: what follows it is no frame; the last "
    "token may be cut and is not used",
    Reason.BAD_HEADER: "a frame needs <PRI>1 TIMESTAMP HOSTNAME APP-NAME PROCID",
    Reason.BAD_TIMESTAMP: "the timestamp is no time; the time of receipt is used",
    Reason.BAD_BROKER: "behind heroku-kafka. there must be a broker's number",
    Reason.NO_ADDON: "without addon= nobody knows which cluster this is",
    Reason.BAD_ADDON: "this is no name of an add-on",
    Reason.NO_SAMPLES: "there is no sample#name=value in it",
    Reason.BAD_SYNTAX: "tokens are key=value, with a closing quote for each opening one",
    Reason.BAD_NAME: "a sample's name is made of letters, digits and _ . : / -",
    Reason.NO_VALUE: "there is no value behind the name",
    Reason.BAD_NUMBER: "this is no finite decimal number",
    Reason.UNKNOWN_UNIT: "the unit is unknown, so the value has no meaning",
    Reason.DUPLICATE_SAMPLE: "the line has this sample twice; the last one counts",
    Reason.NOT_A_SAMPLE: "only sample# is a gauge; measure# and count# are not",
    Reason.GRAMMAR_BUDGET: "too many lines of this kind in one second",
    Reason.BAD_NODE: "a broker's log line comes from <add-on>.<number>",
    Reason.NO_LEVEL: "a broker's line begins with pri=; this continues another one",
    Reason.UNKNOWN_LEVEL: "brokers' lines count at WARN, ERROR and FATAL only",
}
"""What each refusal means, for a person."""

_NOT_EXPORTED = {
    Drop.UNIT_CHANGED: "not the sample's unit",
    Drop.NAME_TAKEN: "the name belongs to another series",
    Drop.UNKNOWN_SAMPLES: "too many undocumented samples",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Subject:
    """A line taken apart as far as its header."""

    what: str
    header: Header | None
    message: bytes


def explain_text(text: bytes, overrides: Overrides = NO_OVERRIDES) -> Iterator[str]:
    """Explain a frame, a body of frames, a line of ``heroku logs``, or a message.

    Args:
        text: What was given, as bytes.
        overrides: Urgencies that go before those of the rules.

    Yields:
        Lines for a terminal; control characters of `text` are escaped in them.
    """
    if _COUNTED.match(text) and _SYSLOG.match(text.split(b" ", 1)[1]):
        yield from _explain_frames(text, overrides)
        return
    for line in text.splitlines() or [b""]:
        yield from _explain_line(line, overrides)


def _explain_frames(body: bytes, overrides: Overrides) -> Iterator[str]:
    batch = DrainDecoder().decode(body)
    kinds = [f"{getattr(batch, kind.value)} {kind.value}" for kind in FrameKind]
    yield f"drain body       {len(body)} bytes, {batch.frames} frames: {', '.join(kinds)}"
    if batch.other:
        yield f"not ours         {batch.other} frames of dynos, router or other add-ons"
    for event in join_continuations(batch.records):
        yield from _explain_record(event, overrides)


def _explain_line(line: bytes, overrides: Overrides) -> Iterator[str]:
    subject = _take_apart(line)
    yield f"{subject.what}"
    header = subject.header
    if header is None:
        yield from _explain_bare(subject.message, overrides)
        return
    yield f"  time           {_time(header.timestamp)}"
    yield f"  source         {_safe(header.app)}[{_safe(header.proc)}]"
    kind, records = parse_line(header, subject.message, Budget())
    for record in records:
        yield from _explain_record(record, overrides)
    if kind is FrameKind.OTHER:
        yield (
            "  not ours       Kafka writes as heroku-kafka, heroku-kafka.N or "
            "kafka[ADD-ON.N]; what the text says does not count"
        )
    elif not records:
        yield "  nothing        the log pipeline's own line, no loss in it"


def _take_apart(line: bytes) -> _Subject:
    for what, parse in _TEXT_FORMATS:
        parsed = parse(line)
        if parsed is not None:
            return _Subject(what=what, header=parsed[0], message=parsed[1])
    frame = maybe_parse_header(line) if _SYSLOG.match(line) else None
    if frame is not None:
        header, start = frame
        return _Subject(
            what="syslog frame without its length", header=header, message=line[start:]
        )
    return _Subject(what="message without a header", header=None, message=line)


def _explain_bare(message: bytes, overrides: Overrides) -> Iterator[str]:
    """Explain a message as whoever could have written it."""
    proc = (b"kafka", b"ADD-ON.0") if b"pri=" in message else (b"app", b"heroku-kafka")
    if not any(mark in message for mark in (b"pri=", b"sample#", b"addon=")):
        yield "  not ours       neither a metric line nor a broker's line"
        return
    header = Header(app=proc[0], proc=proc[1], timestamp=None)
    yield f"  read as        {_safe(proc[0])}[{_safe(proc[1])}]; the header decides that"
    for record in parse_line(header, message, Budget()).records:
        yield from _explain_record(record, overrides)


def _explain_record(record: Record, overrides: Overrides) -> Iterator[str]:
    match record:
        case MetricLine():
            yield from _explain_metrics(record)
        case BrokerLog():
            yield from _explain_log(record, overrides)
        case BrokerContinuation():
            yield f"  continues      the line before it of node {record.node}, if there is one"
            yield f"  text           {escape_controls(record.text)}"
        case DrainLoss():
            whose = f" by drain {record.drain}" if record.drain else ""
            yield f"  loss           {record.code}: {record.count} messages dropped{whose}"
        case Unparsed():
            yield from _explain_refusal(record)
        case ParserFault():
            yield f"  internal error {type(record.error).__name__}; please report it"


def _explain_metrics(line: MetricLine) -> Iterator[str]:
    broker = "the whole cluster" if line.broker is None else f"broker {line.broker}"
    yield f"  metrics of     {line.addon}, {broker}"
    yield f"  attachment     {line.source or 'not named'}"
    yield f"  timestamp      {_time(line.timestamp)}"
    admission = Admission(Limits())
    for key, value in line.samples.items():
        yield f"  {_metric(key, line.broker, admission)} {_number(value)}"


def _metric(key: SampleKey, broker: str | None, admission: Admission) -> str:
    """Name the series of a sample, padded to a column."""
    found = admission.admit_sample(key)
    if isinstance(found, Drop):
        return (
            f"{key[0]} in {key[1] or 'no unit'}: not exported, {_NOT_EXPORTED[found]};"
        )
    spec = found.cluster if broker is None else found.broker
    return f"{spec.name:<43}"


def _explain_log(line: BrokerLog, overrides: Overrides) -> Iterator[str]:
    verdict = classify(line, overrides)
    yield f"  log line of    {line.addon}, node {line.node} (not known to be a broker id)"
    yield f"  timestamp      {_time(line.timestamp)}"
    yield f"  level          {line.level.value}"
    yield f"  thread         {escape_controls(line.thread) or 'not named'}"
    yield f"  class          {escape_controls(line.logger) or 'not named'}"
    for context in line.contexts:
        fields = ", ".join(f"{key}={value}" for key, value in context.fields.items())
        yield f"  context        {escape_controls(f'{context.name} {fields}'.strip())}"
    yield f"  message        {escape_controls(line.text)}"
    for row in line.trace.splitlines()[:_TRACE_ROWS]:
        yield f"                 {escape_controls(row)}"
    yield from _explain_references(line)
    yield f"  category       {verdict.category.value}: {CATEGORY_MEANING[verdict.category]}"
    yield f"  urgency        {verdict.urgency.value}: {URGENCY_MEANING[verdict.urgency]}"
    yield f"  rule           {_explain_rule(line)}"
    yield f"  means          {verdict.meaning}"
    yield f"  first look at  {verdict.first_step}"
    sender = f'addon="{line.addon}",node="{line.node}"'
    yield f'  {LOG_LINES.name}{{{sender},level="{line.level.value}"}} +1'
    yield (
        f'  {LOG_EVENTS.name}{{{sender},category="{verdict.category.value}",'
        f'urgency="{verdict.urgency.value}"}} +1'
    )


def _explain_rule(line: BrokerLog) -> str:
    """Name the rule that decided and the words that it found."""
    match = maybe_match(line)
    if match is None:
        return "none; the class or the thread decides"
    words = ", ".join(f'"{escape_controls(word)}"' for word in match.words)
    return f"{match.rule.id}{f', by {words}' if words else ', by the class'}"


def _explain_references(line: BrokerLog) -> Iterator[str]:
    for named in line.partitions[:_NAMED_ROWS]:
        number = "" if named.partition is None else f", partition {named.partition}"
        yield f"  topic          {named.topic}{number}"
    if line.broker:
        yield f"  written by     broker {line.broker}, as the line itself says"
    if line.peer:
        yield f"  speaks of      broker {line.peer}"
    if line.exception:
        yield f"  exception      {line.exception}"


def _explain_refusal(refusal: Unparsed) -> Iterator[str]:
    yield f"  refused        {refusal.reason.value} at byte {refusal.offset}"
    yield f"                 {MEANING[refusal.reason]}"
    yield f"                 {_safe(refusal.excerpt)}"


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() else repr(value)


def _time(timestamp: float | None) -> str:
    if timestamp is None:
        return "none; the time of receipt is used"
    return datetime.fromtimestamp(timestamp, tz=UTC).isoformat(timespec="microseconds")


def _safe(text: bytes) -> str:
    return escape_controls(text.decode("utf-8", "backslashreplace"))
