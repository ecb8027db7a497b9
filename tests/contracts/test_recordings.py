"""The recordings of faults are what the recorder expects of Kafka's brokers."""

import pytest

from fixtures.kafka.recorded.faults import START, Fault
from fixtures.kafka.recorded.manifest import load_lines, load_manifest
from fixtures.kafka.recorded.scenarios import SCENARIOS

VERSIONS = ("2.8.2", "3.7.1")
FAULTS = [
    pytest.param(version, name, fault, id=f"{version}-{name}-{fault.name}")
    for name, scenario in SCENARIOS.items()
    for fault in scenario.faults
    for version in VERSIONS
]


def test_the_manifest_holds_every_fault_of_both_versions() -> None:
    listed = [(entry.version, entry.scenario, entry.fault) for entry in load_manifest()]

    for name, scenario in SCENARIOS.items():
        wanted = [START, *(fault.name for fault in scenario.faults)]
        for version in VERSIONS if scenario.faults else ():
            assert [one[2] for one in listed if one[:2] == (version, name)] == wanted
    assert len(set(listed)) == len(listed)


@pytest.mark.parametrize(("version", "scenario", "fault"), FAULTS)
def test_a_fault_leaves_the_lines_that_are_expected_or_none(
    version: str, scenario: str, fault: Fault
) -> None:
    lines = load_lines(version, scenario)[fault.name]

    if fault.expect and version != fault.silent_in:
        assert any(fault.expect in line for line in lines)
    else:
        assert not lines


def test_a_fault_without_a_kept_line_left_none() -> None:
    for entry in load_manifest():
        assert (entry.logged == 0) == (entry.kept == 0)
