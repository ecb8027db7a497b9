"""Pure parsers of what Heroku's log pipeline delivers: bytes in, frozen events out.

No IO, clock, environment, logging or Prometheus lives below this door, and nothing
of it raises for bad input: what is not understood comes out as `Unparsed`.
"""

from parsers.errors import FRAMING_REASONS, Reason, Unparsed
from parsers.families import FAMILIES, Budget
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
    Event,
    FrameKind,
    Header,
    Level,
    LossCode,
    MetricLine,
    SampleKey,
    TopicPartition,
)
from parsers.wire.decoder import DEFAULT_FRAME_LIMIT_BYTES, DrainDecoder
from parsers.wire.framing import locate_frame
from parsers.wire.heroku_logs import maybe_parse_tail_line
from parsers.wire.syslog import maybe_parse_header

__all__ = [
    "DEFAULT_FRAME_LIMIT_BYTES",
    "FAMILIES",
    "FRAMING_REASONS",
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
    "Event",
    "FrameKind",
    "Header",
    "Level",
    "LossCode",
    "MetricLine",
    "Reason",
    "SampleKey",
    "Source",
    "TextProblem",
    "TopicPartition",
    "TopicUse",
    "Unparsed",
    "decode_addon",
    "decode_cluster",
    "locate_frame",
    "maybe_parse_header",
    "maybe_parse_tail_line",
    "parse_broker_message",
    "parse_kafka_info",
    "parse_metric_message",
]
