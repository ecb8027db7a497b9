"""How log lines come in: one file for each transport, and this table of them."""

from agent.ingest.http_drain import HttpDrain

HTTP_SOURCES = (
    ("/logs", HttpDrain),
    ("/logs/{rest:path}", HttpDrain),
    # What Grafana Alloy and Vector listen on, so that their drains keep working.
    ("/heroku/api/v1/drain", HttpDrain),
    ("/events", HttpDrain),
)
"""Routes, and the transport that serves each."""
