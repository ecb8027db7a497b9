"""The alert rules, evaluated by the agent itself."""
