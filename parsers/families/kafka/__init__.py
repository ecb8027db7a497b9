"""Apache Kafka on Heroku: metric lines and broker log lines."""
