"""The part of PromQL that the alert rules use, evaluated over the agent's own series."""
