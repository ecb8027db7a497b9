"""Apache Kafka on Heroku: which lines are its own, and what they say.

Recognised by APP-NAME and PROCID alone, which Logplex writes; the message never
decides, because dynos print what their users type.

- metrics: PROCID ``heroku-kafka`` (the cluster) or ``heroku-kafka.N`` (broker N),
  under any APP-NAME (Dev Center, "Kafka Metrics");
- broker logs: APP-NAME ``kafka``, PROCID ``<add-on>.<node>`` ("Kafka Logs").
"""

import re
from functools import lru_cache

from parsers.errors import Reason, Unparsed, refuse
from parsers.families.base import Budget, Family
from parsers.families.kafka.broker_logs import parse_broker_line
from parsers.families.kafka.contexts import (
    MAX_CONTEXTS_CHARACTERS,
    Split,
    maybe_split_contexts,
)
from parsers.families.kafka.grammar import parse_contexts, parse_metric_message
from parsers.families.kafka.references import find_exception, find_references
from parsers.families.kafka.samples import (
    SampleLine,
    cut_last_token,
    is_addon_name,
    maybe_scan_samples,
)
from parsers.records import (
    BrokerContinuation,
    BrokerLog,
    FrameKind,
    Header,
    Level,
    MetricLine,
    Record,
)

_METRICS = b"heroku-kafka"
_LOGS = b"kafka"
_CONTEXTS_DISCOUNT = 3  # their grammar takes a third of the time for a byte
_NUMBER = re.compile(rb"0|[1-9][0-9]{0,8}")
_LEVELS = {level.value: level for level in Level}


def kind_of(app: bytes, proc: bytes) -> FrameKind | None:
    """Say which of our two kinds of line this is, or None for anybody else's."""
    if proc == _METRICS or proc.startswith(_METRICS + b"."):
        return FrameKind.SAMPLE
    if app == _LOGS and b"." in proc:
        return FrameKind.BROKER_LOG
    return None


def may_own(app: bytes, proc_start: bytes) -> bool:
    """Say whether a PROCID that starts like this could still be ours."""
    return (
        app == _LOGS
        or _METRICS.startswith(proc_start)
        or proc_start.startswith(_METRICS)
    )


def parse(
    kind: FrameKind,
    header: Header,
    message: bytes,
    complete: bool,  # noqa: FBT001 (the signature of all families)
    budget: Budget,
) -> list[Record]:
    """Parse one of our lines; refusals come as events beside what could be read."""
    if kind is FrameKind.BROKER_LOG:
        return [_parse_broker_log(header, message, budget)]
    if not complete:
        message = cut_last_token(message)
    return _parse_metrics(header, message, budget)


def _parse_broker_log(header: Header, message: bytes, budget: Budget) -> Record:
    addon, _, node = header.proc.rpartition(b".")
    name = addon.decode("utf-8", "replace")
    if not is_addon_name(name) or not _NUMBER.fullmatch(node):
        return refuse(Reason.BAD_NODE, header.proc)
    parsed = parse_broker_line(message)
    if parsed is None:
        return BrokerContinuation(
            addon=name,
            node=node.decode("ascii"),
            timestamp=header.timestamp,
            text=message.decode("utf-8", "replace").rstrip(),
        )
    level = _LEVELS.get(parsed.level)
    if level is None:
        return refuse(Reason.UNKNOWN_LEVEL, message)
    contexts, text = _split_contexts(parsed.text, budget)
    references = find_references(contexts, text, parsed.logger)
    return BrokerLog(
        addon=name,
        node=node.decode("ascii"),
        timestamp=header.timestamp,
        level=level,
        thread=parsed.thread,
        logger=parsed.logger,
        contexts=contexts,
        text=text,
        trace=parsed.trace,
        partitions=references.partitions,
        broker=references.broker,
        peer=references.peer,
        exception=references.exception or find_exception(parsed.trace),
        message=message,
    )


def _split_contexts(text: str, budget: Budget) -> Split:
    """Split by the fast path; by the grammar where that declines and may be afforded.

    Past the budget the line counts all the same, with its contexts in the message.
    """
    fast = maybe_split_contexts(text)
    if fast is not None:
        return fast
    front = text[:MAX_CONTEXTS_CHARACTERS]
    if not budget.spend(len(front) // _CONTEXTS_DISCOUNT):
        return (), text
    contexts, message = parse_contexts(front)
    return contexts, message + text[MAX_CONTEXTS_CHARACTERS:]


def _parse_metrics(header: Header, message: bytes, budget: Budget) -> list[Record]:
    proc = header.proc
    broker = _read_broker(proc)
    if broker is None:
        return [refuse(Reason.BAD_BROKER, proc)]
    read = _read_samples(message, budget)
    if isinstance(read, Unparsed):
        return [read]
    addon, samples = read.addon, read.samples
    if addon is not None and samples:
        # By position, which takes half the time of names.
        line = MetricLine(
            addon, broker or None, read.source, header.timestamp, samples, message
        )
        return [*read.problems, line]
    return [*read.problems] or [refuse(Reason.NO_SAMPLES, message)]


@lru_cache(maxsize=256)
def _read_broker(proc: bytes) -> str | None:
    """Read N of ``heroku-kafka.N``: empty without N, None where it is no number."""
    if proc == _METRICS:
        return ""
    number = proc[len(_METRICS) + 1 :]
    return number.decode("ascii") if _NUMBER.fullmatch(number) else None


def _read_samples(message: bytes, budget: Budget) -> SampleLine | Unparsed:
    """Read by the fast path; by the grammar where that declines and may be afforded."""
    fast = maybe_scan_samples(message)
    if fast is not None:
        return fast
    if not budget.spend(len(message)):
        return refuse(Reason.GRAMMAR_BUDGET, message)
    return parse_metric_message(message)


HEROKU_KAFKA = Family(kind_of=kind_of, may_own=may_own, parse=parse)
