"""Lines as `heroku logs` prints them."""

ADDON = "kafka-animated-39618"
METRICS = (
    b"2026-04-15T14:53:16.000000+00:00 app[heroku-kafka.2]: source=KAFKA "
    b"addon=kafka-animated-39618 sample#load-avg-1m=0.005 sample#load-avg-5m=0.005 "
    b"sample#load-avg-15m=0 sample#read-iops=0 sample#write-iops=0.18462 "
    b"sample#memory-total=16098868kB sample#memory-free=5667652kB "
    b"sample#memory-percentage-used=0.31930 sample#memory-cached=5290740kB "
    b"sample#bytes-in-per-second=0.0 sample#bytes-out-per-second=0.0"
)
LOG = (
    b"2026-04-15T14:53:17+00:00 kafka[kafka-animated-39618.0]: pri=WARN "
    b"t=ReplicaFetcherThread-0-2 at=ReplicaFetcherThread [ReplicaFetcher replicaId=1, "
    b"leaderId=2, fetcherId=0] Partition my-example-topic-16 marked as failed"
)
LOSS = (
    b"2011-05-03T17:40:11+00:00 heroku[logplex]: L11 (Tail buffer overflow) -> This "
    b"tail session dropped 1101 messages since 2011-05-03T17:35:00+00:00"
)
ROUTER = b"2026-04-15T14:53:16.1+00:00 heroku[router]: at=info method=GET path=/"
PLAIN_METRICS = (
    b"14:53:16 kafka-animated-39618 broker 2 load 0.005 memory 31.9% in 0 B/s "
    b"out 0 B/s reads 0/s writes 0.18/s cache 5.0 GiB\n"
)
