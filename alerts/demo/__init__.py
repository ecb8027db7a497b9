"""The rules at work, in fast motion: agent, Prometheus, Alertmanager and a receiver.

`fast_motion` divides every duration of rules and routes, `stack` starts the programs,
`receiver` stands for pager and chat, and ``python -m alerts.demo`` shows it to a person.
Tests hold the notifications against a table (``tests/alerts/test_end_to_end.py``).
"""
