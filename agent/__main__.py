"""``python -m agent`` is ``heroku-kafka-agent``."""

from agent.cli import main

main()
