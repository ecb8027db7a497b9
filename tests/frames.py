"""Frames as Logplex writes them, and the events that the decoder makes of them."""

from parsers import BrokerLog, DrainDecoder, maybe_parse_heroku_logs_line

FULL2 = (
    b"<134>1 2026-04-15T14:53:16+00:00 host app heroku-kafka.2 - source=KAFKA "
    b"addon=kafka-animated-39618 sample#load-avg-1m=0.005 sample#load-avg-5m=0.005 "
    b"sample#load-avg-15m=0 sample#read-iops=0 sample#write-iops=0.18462 "
    b"sample#memory-total=16098868kB sample#memory-free=5667652kB "
    b"sample#memory-percentage-used=0.31930 sample#memory-cached=5290740kB "
    b"sample#bytes-in-per-second=0.0 sample#bytes-out-per-second=0.0"
)
FULL1 = FULL2.replace(b"heroku-kafka.2", b"heroku-kafka.1")


def frame(message: bytes) -> bytes:
    """Put the count in front, as RFC 6587 section 3.4.1 says."""
    return b"%d " % len(message) + message


def log_frame(
    message: bytes,
    node: str = "0",
    addon: str = "kafka-animated-39618",
    at: str = "2026-06-07T22:46:31+00:00",
) -> bytes:
    """Frame a line that a broker wrote, without a newline behind it."""
    header = f"<134>1 {at} host kafka {addon}.{node} - ".encode()
    return frame(header + message)


def read_log(message: str | bytes, node: str = "0") -> BrokerLog:
    """Decode a line that a broker wrote."""
    text = message.encode() if isinstance(message, str) else message
    (event,) = DrainDecoder().decode(log_frame(text, node)).records
    assert isinstance(event, BrokerLog)
    return event


def maybe_read_recorded(raw: bytes) -> BrokerLog | None:
    """Decode a line as ``heroku logs`` prints it; None for a line of a stack trace."""
    parsed = maybe_parse_heroku_logs_line(raw)
    if parsed is None:
        return None
    header, message = parsed
    return read_log(message[:9_000], header.proc.rpartition(b".")[2].decode())
