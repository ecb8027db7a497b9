"""The two lines that the product documentation prints, as Logplex frames them.

Dev Center, "Apache Kafka on Heroku", sections "Kafka Metrics" and "Kafka Logs".
"""

ADDON = "kafka-animated-39618"

METRICS = (
    b"<134>1 2026-04-15T14:53:16+00:00 host app heroku-kafka.2 - source=KAFKA "
    b"addon=kafka-animated-39618 sample#load-avg-1m=0.005 sample#load-avg-5m=0.005 "
    b"sample#load-avg-15m=0 sample#read-iops=0 sample#write-iops=0.18462 "
    b"sample#memory-total=16098868kB sample#memory-free=5667652kB "
    b"sample#memory-percentage-used=0.31930 sample#memory-cached=5290740kB "
    b"sample#bytes-in-per-second=0.0 sample#bytes-out-per-second=0.0\n"
)
LOG = (
    b"<134>1 2026-06-07T22:46:31+00:00 host kafka kafka-animated-39618.0 - pri=WARN "
    b"t=ReplicaFetcherThread-0-2 at=ReplicaFetcherThread [ReplicaFetcher replicaId=1, "
    b"leaderId=2, fetcherId=0] Partition my-example-topic-16 marked as failed\n"
)
DOCUMENTED = {
    "heroku_kafka_load_avg_1m": 0.005,
    "heroku_kafka_load_avg_5m": 0.005,
    "heroku_kafka_load_avg_15m": 0.0,
    "heroku_kafka_read_iops": 0.0,
    "heroku_kafka_write_iops": 0.18462,
    "heroku_kafka_memory_total_bytes": 16098868 * 1024.0,
    "heroku_kafka_memory_free_bytes": 5667652 * 1024.0,
    "heroku_kafka_memory_used_ratio": 0.3193,
    "heroku_kafka_memory_cached_bytes": 5290740 * 1024.0,
    "heroku_kafka_bytes_in_per_second": 0.0,
    "heroku_kafka_bytes_out_per_second": 0.0,
}
