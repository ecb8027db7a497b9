"""What the agent knows of the clusters: newest values, log events, identities."""
