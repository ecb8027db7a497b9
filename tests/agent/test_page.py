"""The page for people, as the server renders it; `test_browser` sees what is run."""

import json
from datetime import UTC, datetime

import pytest

from agent.settings import Credentials, Settings
from tests.documented import LOG, METRICS
from tests.frames import frame, log_frame
from tests.serving import running


def test_an_empty_page_says_which_drain_to_add() -> None:
    with running() as agent:
        page = agent.request("GET", "/").body.decode()
        host, port = agent.address

    assert "Nothing has arrived yet" in page
    assert f"heroku drains:add http://drain:****@{host}:{port}/logs -a YOUR-APP" in page


def test_behind_a_proxy_the_drain_has_the_public_address() -> None:
    token = Settings(port=0, drain_credentials=(Credentials("a-secret-token", ""),))
    with running(token) as agent:
        headers = {
            "Authorization": "Basic YS1zZWNyZXQtdG9rZW46",
            "Host": "agent.example.com",
            "X-Forwarded-Proto": "https",
        }
        page = agent.request("GET", "/", headers=headers).body.decode()

    assert "https://****@agent.example.com/logs" in page
    assert "a-secret-token" not in page


def test_a_drain_without_kafka_lines_says_what_to_check() -> None:
    with running() as agent:
        agent.post(frame(b"<190>1 2026-04-15T14:53:16+00:00 host app web.1 - hello"))
        page = agent.request("GET", "/").body.decode()

    assert "The drain delivers" in page


def metrics_of_now() -> bytes:
    """Stamp the samples with the present: an old sample makes a broker stale."""
    stamp = datetime.now(UTC).isoformat(timespec="seconds").encode()
    return frame(METRICS.replace(b"2026-04-15T14:53:16+00:00", stamp))


def test_the_page_shows_brokers_values_and_what_they_say() -> None:
    with running() as agent:
        agent.post(metrics_of_now() + frame(LOG) + log_frame(b"pri=WARN t=x at=X y"))
        page = agent.request("GET", "/").body.decode()

    assert "1 broker reporting" in page
    for text in ("kafka-animated-39618", "15.4 GiB", "31.9%", "my-example-topic-16"):
        assert text in page


def test_equal_meanings_are_one_entry_with_a_count() -> None:
    said = b"pri=WARN t=x at=ReplicaFetcherThread Partition a-%d marked as failed"
    with running() as agent:
        agent.post(b"".join(log_frame(said % n, str(n % 2)) for n in range(7)))
        page = agent.request("GET", "/").body.decode()

    assert page.count("<li ") == 1
    assert "\N{MULTIPLICATION SIGN}7" in page
    assert "nodes 0, 1" in page


def test_the_ledger_says_what_was_lost_and_refused() -> None:
    lost = (
        b"<172>1 2026-04-15T14:53:16+00:00 host heroku logplex - Error L10 (output "
        b"buffer overflow): 5 messages dropped since 2026-04-15T14:52:16+00:00."
    )
    with running() as agent:
        agent.post(frame(lost) + b"junk", Logplex_Msg_Count="9")
        page = agent.request("GET", "/").body.decode()

    assert '<span class="bad">L10: 5</span>' in page
    assert 'malformed frames</dt><dd class="bad">1</dd>' in page


def test_the_page_may_load_and_run_only_what_the_agent_serves() -> None:
    with running() as agent:
        answer = agent.request("GET", "/")

    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert b"<script>" not in answer.body
    assert b'src="http' not in answer.body
    assert b'href="http' not in answer.body


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("page.js", "text/javascript"),
        ("page.css", "text/css"),
        ("uPlot.iife.min.js", "text/javascript"),
        ("uPlot.min.css", "text/css"),
    ],
)
def test_the_files_of_the_page_are_served_to_readers(name: str, kind: str) -> None:
    with running() as agent:
        answer = agent.request("GET", f"/static/{name}")
        refused = agent.request("GET", f"/static/{name}", headers={})

    assert answer.status == 200
    assert answer.headers["content-type"].startswith(kind)
    assert refused.status == 401


@pytest.mark.parametrize("name", ["__init__.py", "uPlot.LICENSE", "..%2fpage.py", ""])
def test_no_other_file_is_served(name: str) -> None:
    with running() as agent:
        assert agent.request("GET", f"/static/{name}").status == 404


def test_the_clusters_are_there_as_json() -> None:
    with running() as agent:
        agent.post(metrics_of_now() + frame(LOG))
        answer = agent.request("GET", "/api/clusters")
        refused = agent.request("GET", "/api/clusters", headers={})

    assert refused.status == 401
    (cluster,) = json.loads(answer.body)["clusters"]
    (broker,) = cluster["brokers"]
    assert cluster["cluster"] == "kafka-animated-39618"
    assert (broker["broker"], broker["status"]) == ("2", "reporting")
    assert broker["values"]["memory_total_bytes"] == 16098868 * 1024
    assert set(broker["history"]) > {"load_avg_1m", "memory_used_ratio"}
    (node,) = cluster["nodes"]
    assert node["lines"] == {"WARN": 1, "ERROR": 0, "FATAL": 0}
    assert node["urgencies"]["info"] == 1
    assert node["broker"] == "1"
