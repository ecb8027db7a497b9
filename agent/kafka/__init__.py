"""What the agent knows about Apache Kafka on Heroku: gauges, message rules, plans, versions."""
