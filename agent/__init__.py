"""heroku-kafka-agent: an Apache Kafka cluster on Heroku, for Prometheus."""

__version__ = "0.1.0"
