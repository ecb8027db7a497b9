"""Message rules by subject; `agent.kafka.message_rules` puts them together."""
