"""The page for people: what it shows, and that it runs nothing."""

from tests.documented import LOG, METRICS
from tests.frames import frame
from tests.serving import running


def test_an_empty_page_says_how_to_add_the_drain() -> None:
    with running() as agent:
        page = agent.request("GET", "/").body.decode()

    assert "Nothing has arrived yet" in page
    assert "heroku drains:add" in page


def test_the_page_shows_brokers_values_and_log_lines() -> None:
    with running() as agent:
        agent.post(frame(METRICS) + frame(LOG))
        page = agent.request("GET", "/").body.decode()

    for text in ("kafka-animated-39618", "reporting", "15.4 GiB", "31.9%", "WARN"):
        assert text in page


def test_the_page_may_load_and_run_nothing() -> None:
    with running() as agent:
        answer = agent.request("GET", "/")

    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert b"<script" not in answer.body
    assert b"http://" not in answer.body.replace(b"http-equiv", b"")
