"""The workload of all benchmarks: drain bodies as a busy app's, seeded.

Shares and sizes follow what public captures of drains show: 55 % router lines, 42 % JSON
lines of dynos, 3 % samples of another add-on, about 315 bytes a frame; of the Kafka lines
5 % are brokers' own. One in 200 dyno lines imitates frames and Kafka lines. Dynos and the
router stamp with six digits, trailing zeros trimmed, so that one in ten is shorter;
add-ons stamp whole seconds.
"""

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

BROKERS = 8
ADDONS = ("kafka-animated-39618", "kafka-concave-71205")
FRAMES_PER_SECOND = 5000

_METRIC = (
    "<134>1 2026-04-15T14:53:16+00:00 host app heroku-kafka.7 - source=KAFKA "
    "addon=kafka-animated-39618 sample#read-iops=1"
)
IMITATIONS = (
    f"{len(_METRIC)} {_METRIC}",
    f"order processed\n{len(_METRIC) + 1} {_METRIC}",
    "app[heroku-kafka.2]: source=KAFKA addon=kafka-animated-39618 sample#read-iops=1",
    "345 <134>1 is how a frame begins",
    "kafka kafka-animated-39618.1 - pri=FATAL t=main at=Server halting",
)
"""Texts of a dyno that look like frames or like Kafka's lines; the counts are right."""


def frames(
    count: int, kafka_share: float, start: datetime, seed: int = 1
) -> Iterator[bytes]:
    """Yield syslog frames without their counts, in the order of time.

    Args:
        count: How many.
        kafka_share: Share of Kafka's lines, 0 to 1.
        start: Timestamp of the first one; `FRAMES_PER_SECOND` follow each second.
        seed: Equal seeds give equal frames.
    """
    rng = random.Random(seed)
    for number in range(count):
        step = timedelta(seconds=number // FRAMES_PER_SECOND)
        at = (start + step).replace(microsecond=rng.randrange(10**6))
        dice = rng.random()
        if dice < kafka_share * 0.05:
            yield _broker_log(rng, at)
        elif dice < kafka_share:
            yield _metrics(rng, at)
        else:
            yield _stranger(rng, at)


def bodies(
    count: int,
    kafka_share: float,
    per_body: int,
    *,
    start: datetime | None = None,
    seed: int = 1,
) -> list[bytes]:
    """Make drain bodies of `per_body` frames each, `count` frames in all."""
    begin = start or datetime.now(UTC) - timedelta(seconds=count / FRAMES_PER_SECOND)
    counted = [
        b"%d %s" % (len(one), one) for one in frames(count, kafka_share, begin, seed)
    ]
    return [b"".join(counted[at : at + per_body]) for at in range(0, count, per_body)]


def lines(work: list[bytes]) -> bytes:
    """Write the frames of `work` one to a line, as a receiver in front of mtail would.

    Imitations are spoilt and line breaks inside frames replaced, byte for byte: who
    reads lines cannot tell them from Kafka's, and both sides shall find the same.
    """
    written = bytearray()
    for body in work:
        position = 0
        while position < len(body):
            blank = body.index(b" ", position)
            position = blank + 1 + int(body[position:blank])
            line = body[blank + 1 : position - 1].replace(b"\n", b" ")
            if line.startswith(b"<190>"):
                line = line.replace(b"kafka", b"KAFKA")
            written += line + b"\n"
    return bytes(written)


def _stranger(rng: random.Random, at: datetime) -> bytes:
    dice = rng.random()
    if dice < 0.55:
        return _router(rng, at)
    if dice < 0.97:
        return _dyno(rng, at)
    return (
        f"<134>1 {_whole(at)} host app heroku-postgres - source=DATABASE "
        f"addon=postgresql-round-{rng.randrange(9)} sample#db_size=194056863bytes "
        f"sample#active-connections={rng.randrange(90)} sample#load-avg-1m=0.05 "
        f"sample#read-iops=0 sample#memory-total=15657100kB\n"
    ).encode()


def _router(rng: random.Random, at: datetime) -> bytes:
    return (
        f"<158>1 {_fine(at)} host heroku router - at=info method=GET "
        f'path="/api/v1/items/{rng.randrange(10**6)}?page={rng.randrange(50)}" '
        f"host=example-app-27764.herokuapp.com request_id={rng.getrandbits(128):032x} "
        f'fwd="203.0.113.{rng.randrange(255)}" dyno=web.{rng.randrange(1, 9)} '
        f"connect={rng.randrange(3)}ms service={rng.randrange(500)}ms status=200 "
        f"bytes={rng.randrange(90000)} protocol=https tls=true\n"
    ).encode()


def _dyno(rng: random.Random, at: datetime) -> bytes:
    entry = {
        "level": "info",
        "msg": "processed order",
        "logger": "app.services.orders",
        "order_id": rng.randrange(10**9),
        "user": f"user{rng.randrange(10**6)}@example.com",
        "duration_ms": rng.random() * 100,
        "trace_id": f"{rng.getrandbits(128):032x}",
        "tags": ["checkout", "eu"],
        "queue": "critical-orders",
    }
    text = rng.choice(IMITATIONS) if rng.random() < 0.005 else json.dumps(entry)
    return f"<190>1 {_fine(at)} host app web.{rng.randrange(1, 9)} - {text}\n".encode()


def _metrics(rng: random.Random, at: datetime) -> bytes:
    free, cached = (
        rng.randrange(4_000_000, 9_000_000),
        rng.randrange(2_000_000, 6_000_000),
    )
    return (
        f"<134>1 {_whole(at)} host app heroku-kafka.{rng.randrange(BROKERS)} - "
        f"source=KAFKA addon={rng.choice(ADDONS)} "
        f"sample#load-avg-1m={rng.random():.3f} sample#load-avg-5m={rng.random():.3f} "
        f"sample#load-avg-15m={rng.random():.3f} sample#read-iops=0 "
        f"sample#write-iops={rng.random() * 99:.5f} sample#memory-total=16098868kB "
        f"sample#memory-free={free}kB "
        f"sample#memory-percentage-used={1 - (free + cached) / 16098868:.5f} "
        f"sample#memory-cached={cached}kB "
        f"sample#bytes-in-per-second={rng.random() * 1e6:.2f} "
        f"sample#bytes-out-per-second={rng.random() * 1e6:.2f}\n"
    ).encode()


def _broker_log(rng: random.Random, at: datetime) -> bytes:
    return (
        f"<134>1 {_whole(at)} host kafka {rng.choice(ADDONS)}.{rng.randrange(BROKERS)} - "
        "pri=WARN t=ReplicaFetcherThread-0-2 at=ReplicaFetcherThread [ReplicaFetcher "
        "replicaId=1, leaderId=2, fetcherId=0] Partition my-example-topic-"
        f"{rng.randrange(99)} marked as failed\n"
    ).encode()


def _whole(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}+00:00"


def _fine(at: datetime) -> str:
    fraction = f".{at.microsecond:06}".rstrip("0").rstrip(".")
    return f"{at:%Y-%m-%dT%H:%M:%S}{fraction}+00:00"
