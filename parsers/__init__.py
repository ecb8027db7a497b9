"""Pure parsers of what Heroku's log pipeline delivers: bytes in, frozen records out.

No IO, clock, environment, logging or Prometheus in this package, and nothing of it
raises for bad input: text that cannot be parsed comes out as `Unparsed`.
"""

from parsers.errors import FRAMING_REASONS, Reason, Unparsed
from parsers.families import Budget, Line, parse_line
from parsers.families.kafka.grammar import parse_broker_message, parse_metric_message
from parsers.heroku.cluster_use import ClusterUse, Source, TopicUse
from parsers.heroku.data_api import AddonIdentity, decode_addon, decode_cluster
from parsers.heroku.kafka_info import TextProblem, parse_kafka_info
from parsers.records import (
    BaseUnit,
    Batch,
    BrokerContinuation,
    BrokerLog,
    Context,
    DrainLoss,
    FrameKind,
    Header,
    Level,
    LossCode,
    MetricLine,
    ParserFault,
    Record,
    SampleKey,
    TopicPartition,
)
from parsers.speedups import IMPLEMENTATION
from parsers.wire.compression import GzipReader
from parsers.wire.decoder import DEFAULT_FRAME_LIMIT_BYTES, DrainDecoder
from parsers.wire.framing import locate_frame
from parsers.wire.heroku_logs import maybe_parse_heroku_logs_line
from parsers.wire.lines import LINE_LIMIT_BYTES
from parsers.wire.papertrail import maybe_parse_papertrail_line
from parsers.wire.syslog import maybe_parse_header
from parsers.wire.text import HerokuLogsReader, TextReader

__all__ = [
    "DEFAULT_FRAME_LIMIT_BYTES",
    "FRAMING_REASONS",
    "IMPLEMENTATION",
    "LINE_LIMIT_BYTES",
    "AddonIdentity",
    "BaseUnit",
    "Batch",
    "BrokerContinuation",
    "BrokerLog",
    "Budget",
    "ClusterUse",
    "Context",
    "DrainDecoder",
    "DrainLoss",
    "FrameKind",
    "GzipReader",
    "Header",
    "HerokuLogsReader",
    "Level",
    "Line",
    "LossCode",
    "MetricLine",
    "ParserFault",
    "Reason",
    "Record",
    "SampleKey",
    "Source",
    "TextProblem",
    "TextReader",
    "TopicPartition",
    "TopicUse",
    "Unparsed",
    "decode_addon",
    "decode_cluster",
    "locate_frame",
    "maybe_parse_header",
    "maybe_parse_heroku_logs_line",
    "maybe_parse_papertrail_line",
    "parse_broker_message",
    "parse_kafka_info",
    "parse_line",
    "parse_metric_message",
]
