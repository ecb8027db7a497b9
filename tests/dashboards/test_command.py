"""``dashboards``: the files that it writes."""

import difflib
import json
import os
import re
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from agent.alerting.thresholds import packaged_thresholds
from agent.packaged import find_packaged
from tests.serving import run_command

FOLDER = find_packaged("dashboards")
FILES = {
    one.name: one.read_bytes() for one in FOLDER.iterdir() if one.name.endswith(".json")
}
PLACES = yaml.safe_load(FOLDER.joinpath("threshold_steps.yaml").read_text("utf-8"))
UIDS = {name.removesuffix(".json") for name in FILES}
OVERVIEW = "heroku-kafka-overview"
LINK = re.compile(r"(?<!\w)d/([\w-]+)")

Ended = subprocess.CompletedProcess[bytes]
Tree = dict[str, Any]


def write(out: Path, *arguments: str) -> Ended:
    return run_command("dashboards", "--out", str(out), *arguments)


def written(out: Path) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in out.iterdir()}


def walk(part: Any) -> Iterator[Any]:
    """Yield a tree's parts."""
    yield part
    below = part.values() if isinstance(part, dict) else part
    if isinstance(below, list) or isinstance(part, dict):
        for one in below:
            yield from walk(one)


def links(tree: Tree) -> set[str]:
    texts = [one for one in walk(tree) if isinstance(one, str)]
    return {uid for text in texts for uid in LINK.findall(text)}


def link_tags(tree: Tree) -> set[str]:
    return {
        tag
        for link in tree["links"]
        if link["type"] == "dashboards"
        for tag in link["tags"]
    }


def steps(trees: dict[str, Tree], name: str) -> list[float]:
    """Find the values of all steps that are a threshold."""
    return [
        one[number]["value"]
        for uid, panels in PLACES.items()
        for panel in walk(trees[uid]["panels"])
        if isinstance(panel, dict) and "gridPos" in panel
        for one, names in named_steps(panel, panels.get(panel["id"], {}))
        for number, named in names.items()
        if named == name
    ]


def named_steps(
    panel: Tree, names: dict[Any, Any]
) -> Iterator[tuple[list[Tree], dict[int, str]]]:
    config = panel.get("fieldConfig", {})
    plain = {key: name for key, name in names.items() if key != "overrides"}
    if plain:
        yield config["defaults"]["thresholds"]["steps"], plain
    for number, own in names.get("overrides", {}).items():
        for one in config["overrides"][number]["properties"]:
            if one["id"] == "thresholds":
                yield one["value"]["steps"], own


def parse(files: dict[str, bytes]) -> dict[str, Tree]:
    trees = [json.loads(content) for content in files.values()]
    return {tree["uid"]: tree for tree in trees}


def count_changed_lines(before: bytes, after: bytes) -> int:
    found = difflib.ndiff(before.decode().splitlines(), after.decode().splitlines())
    return sum(line.startswith("+ ") for line in found)


def test_without_options_the_files_are_those_of_the_repository(tmp_path: Path) -> None:
    ended = write(tmp_path / "new" / "folder")

    assert ended.returncode == 0, ended.stderr
    assert written(tmp_path / "new" / "folder") == FILES
    assert ended.stdout.count(b"created") == len(FILES)


def test_thresholds_that_say_what_holds_anyway_change_no_byte(tmp_path: Path) -> None:
    write(tmp_path, *(f"--set={one.name}={one}" for one in values()))

    assert written(tmp_path) == FILES


def values() -> list[Any]:
    return list(packaged_thresholds().values.values())


def test_writing_again_leaves_the_files_alone(tmp_path: Path) -> None:
    write(tmp_path)
    before = {one: one.stat().st_mtime_ns for one in tmp_path.iterdir()}

    ended = write(tmp_path)

    assert ended.stdout.count(b"unchanged") == len(FILES)
    assert {one: one.stat().st_mtime_ns for one in tmp_path.iterdir()} == before


def test_an_older_copy_of_a_dashboard_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / f"{OVERVIEW}.json"
    older = {"uid": OVERVIEW, "title": "Older", "panels": []}
    path.write_text(json.dumps(older), encoding="utf-8")

    ended = write(tmp_path)

    assert ended.returncode == 0, ended.stderr
    assert b"updated" in ended.stdout
    assert written(tmp_path) == FILES


@pytest.mark.parametrize(
    "content",
    [b"my notes", b'{"uid": "mine", "title": "Mine", "panels": []}', b"[1]", b"\xff"],
)
def test_a_file_that_is_something_else_stops_everything(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / f"{OVERVIEW}.json"
    path.write_bytes(content)

    ended = write(tmp_path)

    assert ended.returncode == 1
    assert str(path).encode() in ended.stderr
    assert written(tmp_path) == {path.name: content}


def test_other_files_in_the_folder_stay(tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_bytes(b"{}")

    write(tmp_path)

    assert written(tmp_path) == {**FILES, "mine.json": b"{}"}


def test_another_user_may_read_the_files(tmp_path: Path) -> None:
    write(tmp_path)

    for path in tmp_path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    ended = write(tmp_path / "file" / "below")

    assert ended.returncode == 1
    assert os.fsencode(tmp_path / "file") in ended.stderr
    assert b"Traceback" not in ended.stderr


def test_grafanas_folder_is_a_folder_on_disk(tmp_path: Path) -> None:
    write(tmp_path, "--folder", "Kafka at night")

    assert written(tmp_path / "Kafka at night") == FILES


@pytest.mark.parametrize("name", ["..", "a/b", "a\\b", " ", "a\nb", "K" * 500])
def test_a_folder_that_would_leave_out_is_refused(tmp_path: Path, name: str) -> None:
    ended = write(tmp_path / "out", "--folder", name)

    assert ended.returncode == 2
    assert b"--folder" in ended.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", sorted(one.name for one in values()))
def test_a_threshold_is_what_the_committed_step_says(name: str) -> None:
    for value in steps(parse(FILES), name):
        assert value == pytest.approx(packaged_thresholds().number(name))


def test_a_threshold_changes_its_steps_and_no_other_line(tmp_path: Path) -> None:
    write(tmp_path, "--set", "load.warning=0.7")

    after = written(tmp_path)
    found = steps(parse(after), "load.warning")
    changed = sum(count_changed_lines(FILES[name], after[name]) for name in FILES)
    assert found
    assert set(found) == {0.7}
    assert changed == len(found)


def test_a_file_of_thresholds_changes_the_steps(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("load: {warning: 75%, critical: 1.5}", encoding="utf-8")

    ended = write(tmp_path / "out", "--thresholds", str(file))

    trees = parse(written(tmp_path / "out"))
    assert ended.returncode == 0, ended.stderr
    assert set(steps(trees, "load.warning")) == {0.75}
    assert set(steps(trees, "load.critical")) == {1.5}


def test_thresholds_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    ended = write(tmp_path / "out", "--set", "load.warning=2")

    assert ended.returncode == 2
    assert b"load.warning (2) must be below load.critical (1)" in ended.stderr
    assert not list(tmp_path.iterdir())


def test_an_unknown_threshold_is_refused_even_where_nothing_is_written() -> None:
    ended = run_command("dashboards", "--set", "load.warming=0.7")

    assert ended.returncode == 2
    assert b"load.warning" in ended.stderr


def test_a_threshold_of_one_cluster_stays_out_and_that_is_said(tmp_path: Path) -> None:
    ended = write(tmp_path, "--set", "kafka-animated-39618:load.warning=0.7")

    assert ended.returncode == 0
    assert b"kafka-animated-39618" in ended.stderr
    assert written(tmp_path) == FILES


def test_the_dashboards_link_to_each_other() -> None:
    found = set().union(*map(links, parse(FILES).values()))

    assert found
    assert found <= UIDS


def test_a_prefix_is_in_uids_names_and_links(tmp_path: Path) -> None:
    ended = write(tmp_path, "--uid-prefix", "test_9-")

    files = written(tmp_path)
    trees = parse(files)
    prefixed = {f"test_9-{uid}" for uid in UIDS}
    assert ended.returncode == 0, ended.stderr
    assert set(trees) == prefixed
    assert {name.removesuffix(".json") for name in files} == prefixed
    for uid in UIDS:
        before, after = parse(FILES)[uid], trees[f"test_9-{uid}"]
        assert links(after) == {f"test_9-{one}" for one in links(before)}
        assert after["title"] == before["title"]


def test_a_prefix_keeps_two_sets_apart_in_links_by_tag(tmp_path: Path) -> None:
    write(tmp_path, "--uid-prefix", "test-")

    before = parse(FILES).values()
    for tree in parse(written(tmp_path)).values():
        assert link_tags(tree) <= set(tree["tags"])
        assert not link_tags(tree) & {tag for one in before for tag in one["tags"]}


def test_the_longest_prefix_makes_a_uid_that_grafana_takes(tmp_path: Path) -> None:
    room = 40 - max(map(len, UIDS))

    fits = write(tmp_path / "fits", "--uid-prefix", "x" * room)
    longer = write(tmp_path / "longer", "--uid-prefix", "x" * (room + 1))

    assert fits.returncode == 0
    assert max(len(uid) for uid in parse(written(tmp_path / "fits"))) == 40
    assert longer.returncode == 2
    assert f"{room} characters".encode() in longer.stderr
    assert not (tmp_path / "longer").exists()


@pytest.mark.parametrize("prefix", ["a b", "ä", "a/", "../", "a."])
def test_a_prefix_that_grafana_would_refuse_is_refused(
    tmp_path: Path, prefix: str
) -> None:
    ended = write(tmp_path / "out", "--uid-prefix", prefix)

    assert ended.returncode == 2
    assert b"--uid-prefix" in ended.stderr
    assert not list(tmp_path.iterdir())


def test_without_out_and_upload_the_dashboards_are_listed() -> None:
    ended = run_command("dashboards")

    lines = ended.stdout.decode().splitlines()
    assert ended.returncode == 0
    assert len(lines) == len(UIDS)
    for uid, tree in parse(FILES).items():
        panels = [one for one in walk(tree["panels"]) if is_panel(one)]
        [line] = [one for one in lines if f" {uid} " in one]
        assert line.startswith(tree["title"])
        assert line.endswith(f"{len(panels)} panels")


def is_panel(part: Any) -> bool:
    return isinstance(part, dict) and "gridPos" in part and part["type"] != "row"


def test_writing_and_uploading_at_once_is_refused(tmp_path: Path) -> None:
    ended = write(tmp_path / "out", "--upload", "http://127.0.0.1:9", "--token", "x")

    assert ended.returncode == 2
    assert not list(tmp_path.iterdir())
