"""``dashboards --upload``, to a server that plays Grafana."""

import json
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from agent.packaged import find_packaged
from tests.dashboards.grafana_api import (
    BASIC,
    PASSWORD,
    TOKEN,
    USER,
    Fault,
    GrafanaApi,
    breaks_off,
    floods,
    hangs,
    hangs_up,
    once,
    playing,
    repeats_the_secrets,
    says,
    sends,
    trickles,
    web_page,
)
from tests.serving import free_port, run_command

TREES: dict[str, dict[str, Any]] = {
    tree["uid"]: tree
    for tree in (
        json.loads(one.read_bytes())
        for one in find_packaged("dashboards").iterdir()
        if one.name.endswith(".json")
    )
}
UID = "heroku-kafka-overview"
GET = ("GET", f"/api/dashboards/uid/{UID}")
SAVE = ("POST", "/api/dashboards/db")

Ended = subprocess.CompletedProcess[bytes]


@pytest.fixture
def api() -> Iterator[GrafanaApi]:
    with playing() as api:
        yield api


def run(*arguments: str, **environ: str) -> Ended:
    """Run the command with the token where it belongs."""
    named = {f"HEROKU_KAFKA_AGENT_{name}": text for name, text in environ.items()}
    if "BASIC" not in environ:
        named.setdefault("HEROKU_KAFKA_AGENT_TOKEN", TOKEN)
    return run_command("dashboards", *arguments, environ=named)


def send(api: GrafanaApi, *arguments: str, **environ: str) -> Ended:
    return run("--upload", api.url, *arguments, **environ)


def said(ended: Ended) -> dict[str, str]:
    """By address, what was done."""
    lines = ended.stdout.decode().splitlines()
    return {line[14:]: line[:14].strip() for line in lines}


def changed(uid: str = UID) -> dict[str, Any]:
    return {**TREES[uid], "title": "Changed in the browser"}


def test_all_dashboards_are_created_in_an_empty_grafana(api: GrafanaApi) -> None:
    ended = send(api)

    assert ended.returncode == 0, ended.stderr
    assert said(ended) == {f"{api.url}/d/{uid}": "created" for uid in TREES}
    for uid, tree in TREES.items():
        held = {**api.dashboards[uid].tree}
        assert held.pop("id") is None
        assert held == {key: one for key, one in tree.items() if key != "version"}


def test_a_second_upload_changes_nothing(api: GrafanaApi) -> None:
    send(api)
    before = len(api.asked("POST"))

    ended = send(api)

    assert set(said(ended).values()) == {"unchanged"}
    assert len(api.asked("POST")) == before


def test_what_a_newer_grafana_has_brought_up_to_its_schema_is_unchanged(
    api: GrafanaApi,
) -> None:
    send(api)
    api.newer_schema = 99

    ended = send(api)

    assert set(said(ended).values()) == {"unchanged"}


@pytest.mark.parametrize("change", ["title", "panels"])
def test_a_change_in_the_browser_is_seen_below_a_newer_schema(
    api: GrafanaApi, change: str
) -> None:
    for tree in TREES.values():
        api.hold(tree)
    theirs = {"title": "Theirs", "panels": [*TREES[UID]["panels"], {"id": 999}]}
    api.hold({**TREES[UID], change: theirs[change]})
    api.newer_schema = 99

    ended = send(api, "--dry-run", "--overwrite")

    assert said(ended)[f"{api.url}/d/{UID}"] == "would update"
    assert list(said(ended).values()).count("unchanged") == len(TREES) - 1


def test_a_changed_dashboard_is_refused_and_the_others_are_uploaded(
    api: GrafanaApi,
) -> None:
    api.hold(changed())

    ended = send(api)

    assert ended.returncode == 1
    assert api.dashboards[UID].tree == changed()
    assert b"--overwrite" in ended.stderr
    assert UID.encode() in ended.stderr
    assert list(said(ended).values()) == ["created"] * (len(TREES) - 1)


def test_a_dashboard_that_somebody_saves_meanwhile_is_refused_by_grafana(
    api: GrafanaApi,
) -> None:
    api.hold(changed())
    api.faults[GET] = says(404, "Dashboard not found")

    ended = send(api)

    assert ended.returncode == 1
    assert b"HTTP 412" in ended.stderr
    assert b"changed by someone else" in ended.stderr
    assert b"--overwrite" in ended.stderr
    assert api.dashboards[UID].tree == changed()


def test_overwrite_replaces_a_changed_dashboard(api: GrafanaApi) -> None:
    api.hold(changed())

    ended = send(api, "--overwrite")

    assert ended.returncode == 0, ended.stderr
    assert said(ended)[f"{api.url}/d/{UID}"] == "updated"
    assert api.dashboards[UID].tree["title"] == TREES[UID]["title"]


def test_a_message_goes_into_the_history(api: GrafanaApi) -> None:
    send(api, "--message", "after the upgrade")

    assert {one.message for one in api.dashboards.values()} == {"after the upgrade"}


def test_a_dry_run_asks_and_changes_nothing(api: GrafanaApi) -> None:
    ended = send(api, "--dry-run", "--folder", "Kafka")

    assert ended.returncode == 0, ended.stderr
    assert set(said(ended).values()) == {"would create"}
    assert len(said(ended)) == len(TREES) + 1
    assert {one.method for one in api.requests} == {"GET"}


def test_a_dry_run_says_what_would_be_refused(api: GrafanaApi) -> None:
    api.hold(changed())

    ended = send(api, "--dry-run")

    assert ended.returncode == 1
    assert b"--overwrite" in ended.stderr
    assert not api.asked("POST")


def test_a_missing_folder_is_created(api: GrafanaApi) -> None:
    ended = send(api, "--folder", "Kafka at night!")

    assert ended.returncode == 0, ended.stderr
    [(uid, title)] = api.folders.items()
    assert title == "Kafka at night!"
    assert said(ended)[f"{api.url}/dashboards/f/{uid}"] == "created"
    assert {one.folder for one in api.dashboards.values()} == {uid}


@pytest.mark.parametrize("name", ["Ops", "a1b2c3"])
def test_a_folder_is_found_by_title_or_by_uid(api: GrafanaApi, name: str) -> None:
    api.folders |= {f"other-{n}": f"Other {n}" for n in range(1000)}
    api.folders["a1b2c3"] = "Ops"

    ended = send(api, "--folder", name)

    assert ended.returncode == 0, ended.stderr
    assert len(api.folders) == 1001
    assert {one.folder for one in api.dashboards.values()} == {"a1b2c3"}


def test_a_folder_inside_another_is_found_by_its_uid(api: GrafanaApi) -> None:
    api.lower_folders["a1b2c3"] = "Ops"

    ended = send(api, "--folder", "a1b2c3")

    assert ended.returncode == 0, ended.stderr
    assert not api.folders
    assert {one.folder for one in api.dashboards.values()} == {"a1b2c3"}


@pytest.mark.parametrize("login", [{"TOKEN": TOKEN}, {"BASIC": f"{USER}:{PASSWORD}"}])
def test_a_folder_whose_title_could_be_a_uid_is_created(
    api: GrafanaApi, login: dict[str, str]
) -> None:
    ended = send(api, "--folder", "Kafka", **login)

    assert ended.returncode == 0, ended.stderr
    assert api.folders == {"Kafka": "Kafka"}


@pytest.mark.parametrize("name", ["Кафка", "K" * 100])
def test_any_title_gives_a_uid_that_grafana_takes(api: GrafanaApi, name: str) -> None:
    first = send(api, "--folder", name)
    second = send(api, "--folder", name)

    [uid] = api.folders
    assert uid.isascii()
    assert 0 < len(uid) <= 40
    assert first.returncode == second.returncode == 0
    assert set(said(second).values()) == {"unchanged"}


def test_a_dashboard_stays_in_its_folder_where_none_is_named(api: GrafanaApi) -> None:
    api.folders["ops"] = "Ops"
    api.hold(changed(), folder="ops")

    send(api, "--overwrite")

    assert api.dashboards[UID].folder == "ops"
    assert api.dashboards[UID].tree["title"] == TREES[UID]["title"]


def test_a_dashboard_in_another_folder_moves_with_overwrite_alone(
    api: GrafanaApi,
) -> None:
    api.folders |= {"ops": "Ops", "kafka": "Kafka"}
    api.hold(TREES[UID], folder="ops")

    refused = send(api, "--folder", "kafka")
    moved = send(api, "--folder", "kafka", "--overwrite")

    assert refused.returncode == 1
    assert moved.returncode == 0
    assert api.dashboards[UID].folder == "kafka"


def test_the_folder_general_is_grafanas_root(api: GrafanaApi) -> None:
    api.folders["ops"] = "Ops"
    api.hold(TREES[UID], folder="ops")

    send(api, "--folder", "General", "--overwrite")

    assert api.dashboards[UID].folder == ""
    assert list(api.folders) == ["ops"]


def test_nothing_is_uploaded_where_the_folder_cannot_be(api: GrafanaApi) -> None:
    api.faults["POST", "/api/folders"] = says(403, "You'll need additional permissions")

    ended = send(api, "--folder", "Kafka")

    assert ended.returncode == 1
    assert b"folders:create" in ended.stderr
    assert not api.dashboards


def test_a_grafana_below_a_path_is_asked_there() -> None:
    with playing(sub_path="/grafana") as api:
        ended = run("--upload", f"{api.url}/")
        root = run("--upload", api.url.removesuffix("/grafana"))

        assert ended.returncode == 0, ended.stderr
        assert set(said(ended)) == {f"{api.url}/d/{uid}" for uid in TREES}
        assert root.returncode == 1
        assert b"path" in root.stderr


def test_user_and_password_open_it_too(api: GrafanaApi) -> None:
    ended = send(api, BASIC=f"{USER}:{PASSWORD}")

    assert ended.returncode == 0, ended.stderr
    assert {one.authorization for one in api.requests} == {f"Basic {BASIC}"}


def test_wrong_credentials_are_tried_once(api: GrafanaApi) -> None:
    ended = send(api, TOKEN="glsa_of-another-grafana")

    assert ended.returncode == 1
    assert len(api.requests) == 1
    assert b"HTTP 401" in ended.stderr
    assert b"not tried" in ended.stderr


def test_no_secret_is_shown_where_grafana_repeats_it(api: GrafanaApi) -> None:
    for key in (GET, SAVE):
        api.faults[key] = repeats_the_secrets

    by_token = send(api)
    by_user = send(api, BASIC=f"{USER}:{PASSWORD}")

    for ended in (by_token, by_user):
        assert ended.returncode == 1
        assert b"cannot use" in ended.stderr
        for secret in (TOKEN, BASIC, PASSWORD):
            assert secret.encode() not in ended.stdout + ended.stderr


FAULTS: dict[str, tuple[tuple[str, str], Fault, str]] = {
    "a token that may not read": (GET, says(403, "Access denied"), "dashboards:read"),
    "a token that may not write": (SAVE, says(403, "denied"), "dashboards:write"),
    "another server": (GET, web_page(404), "no Grafana there"),
    "a login page": (GET, web_page(200), "no JSON"),
    "JSON of something else": (GET, sends([1]), "no dashboard"),
    "an answer without the uid": (SAVE, sends({"status": "success"}), "not name"),
    "an API that is not there": (SAVE, says(404, "Not found"), "HTTP 404"),
    "a conflict": (SAVE, says(409, "name-exists"), "--overwrite"),
    "a provisioned one": (SAVE, says(400, "Cannot save provisioned"), "provisioned"),
    "a server's fault": (SAVE, says(500, "Failed to save"), "Failed to save"),
    "a gateway's fault": (SAVE, web_page(502), "HTTP 502"),
    "too many requests": (GET, says(429, "slow down"), "later"),
    "a redirect": (GET, says(302, "", Location="http://127.0.0.2/"), "redirect"),
    "a connection that ends": (SAVE, hangs_up, "connection broke"),
    "half an answer": (GET, breaks_off, "connection broke"),
    "a flood": (GET, floods, "larger than"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named_and_the_other_dashboards_go_on(
    api: GrafanaApi, fault: str
) -> None:
    key, act, expected = FAULTS[fault]
    api.faults[key] = once(act)

    ended = send(api)

    assert ended.returncode == 1
    [line] = ended.stderr.decode().splitlines()
    assert expected in line
    assert api.url in line
    assert list(said(ended).values()) == ["created"] * (len(TREES) - 1)


@pytest.mark.parametrize("fault", [hangs, trickles])
def test_an_answer_that_does_not_end_is_given_up(api: GrafanaApi, fault: Fault) -> None:
    api.faults[GET] = fault

    ended = send(api, "--timeout", "1s")

    assert ended.returncode == 1
    assert b"within 1 s" in ended.stderr
    assert UID not in api.dashboards


def test_a_redirect_gets_no_credentials(api: GrafanaApi) -> None:
    with playing() as elsewhere:
        api.faults[GET] = says(302, "", Location=f"{elsewhere.url}{GET[1]}")

        send(api)

    assert not elsewhere.requests


def test_a_proxy_of_the_environment_gets_no_credentials(api: GrafanaApi) -> None:
    with playing() as elsewhere:
        environ = {"HEROKU_KAFKA_AGENT_TOKEN": TOKEN, "HTTP_PROXY": elsewhere.url}
        environ |= {"http_proxy": elsewhere.url, "ALL_PROXY": elsewhere.url}
        ended = run_command("dashboards", "--upload", api.url, environ=environ)

    assert ended.returncode == 0, ended.stderr
    assert not elsewhere.requests


def test_what_grafana_says_is_shortened_and_cannot_steer_a_terminal(
    api: GrafanaApi,
) -> None:
    api.faults[GET] = says(400, "\x1b[2J\u202e" + "x" * 100_000)

    ended = send(api)

    assert b"HTTP 400" in ended.stderr
    assert b"\x1b" not in ended.stderr
    assert "\u202e".encode() not in ended.stderr
    assert len(ended.stderr) < 1000


def test_nobody_who_answers_is_said_once() -> None:
    ended = run("--upload", f"http://127.0.0.1:{free_port()}")

    assert ended.returncode == 1
    [line] = ended.stderr.decode().splitlines()
    assert "nobody answers" in line


def test_a_certificate_is_checked_and_an_authority_of_ones_own_can_be_named(
    tmp_path: Path,
) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    file = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(file))
    with playing(tls=context) as api:
        refused = send(api)
        asked = list(api.requests)
        environ = {"HEROKU_KAFKA_AGENT_TOKEN": TOKEN, "SSL_CERT_FILE": str(file)}
        trusted = run_command("dashboards", "--upload", api.url, environ=environ)

    assert refused.returncode == 1
    assert b"not trusted" in refused.stderr
    assert not asked
    assert trusted.returncode == 0, trusted.stderr
    assert set(said(trusted).values()) == {"created"}


def test_a_port_without_tls_is_named(api: GrafanaApi) -> None:
    ended = run("--upload", api.url.replace("http:", "https:"))

    assert ended.returncode == 1
    assert b"no TLS there" in ended.stderr


WRONG_USES: dict[str, tuple[list[str], str]] = {
    "no credentials": (["--upload", "https://g.example.com"], "--token or --basic"),
    "a password in the address": (
        ["--upload", "https://u:hidden-word@g.example.com", "--token", "t"],
        "no user or password",
    ),
    "no address": (["--upload", "g.example.com", "--token", "t"], "an address like"),
    "a query": (["--upload", "https://g.example.com/?orgId=1", "--token", "t"], "like"),
    "plain http to elsewhere": (
        ["--upload", "http://g.example.com", "--token", "hidden-word"],
        "--allow-plain-http",
    ),
    "a name that looks like loopback": (
        ["--upload", "http://127.0.0.1.example.com", "--token", "t"],
        "--allow-plain-http",
    ),
    "both kinds of credentials": (
        ["--upload", "https://g.example.com", "--token", "t", "--basic", "u:p"],
        "--token or --basic",
    ),
    "a user without a password": (
        ["--upload", "https://g.example.com", "--basic", "hidden-word"],
        "user:password",
    ),
    "a token of two lines": (
        ["--upload", "https://g.example.com", "--token", "hidden\nword"],
        "blanks",
    ),
    "overwrite without upload": (["--overwrite"], "--upload"),
    "a token without upload": (["--token", "hidden-word"], "--upload"),
    "a message too long": (
        ["--upload", "https://g.example.com", "--token", "t", "--message", "x" * 501],
        "500 characters",
    ),
    "an empty folder": (
        ["--upload", "https://g.example.com", "--token", "t", "--folder", " "],
        "--folder",
    ),
}


@pytest.mark.parametrize("use", WRONG_USES)
def test_a_wrong_use_ends_with_2_and_repeats_no_secret(use: str) -> None:
    arguments, expected = WRONG_USES[use]

    ended = run_command("dashboards", *arguments)

    assert ended.returncode == 2
    assert expected in ended.stderr.decode()
    assert b"hidden" not in ended.stderr + ended.stdout
    assert b"Traceback" not in ended.stderr


def test_a_token_in_the_environment_is_no_default_that_help_shows() -> None:
    ended = run("--help")

    assert b"--token" in ended.stdout
    assert TOKEN.encode() not in ended.stdout
