"""The whole process that is compared with mtail: a file of bodies to an exposition."""

import struct
import sys
from pathlib import Path

from prometheus_client import CollectorRegistry

from agent.capacity.ledger import CapacityLedger
from agent.clock import read_clock
from agent.metrics.exporter import Exporter
from agent.metrics.telemetry import Telemetry
from agent.pipeline import Delivery, Pipeline
from agent.settings import Settings
from agent.state.clusters import State
from agent.state.log_events import EventLog


def main() -> None:
    """Read bodies behind their lengths, apply them, print what is exported."""
    settings, telemetry = Settings(), Telemetry()
    state = State(settings)
    pipeline = Pipeline(settings, state, telemetry, EventLog(settings.limits))
    with Path(sys.argv[1]).open("rb") as file:
        while length := file.read(4):
            body = file.read(*struct.unpack(">I", length))
            pipeline.receive(Delivery(body=body), read_clock())
    exporter = Exporter(
        settings=Settings(),
        state=state,
        ledger=CapacityLedger({}),
        telemetry=telemetry,
        process=CollectorRegistry(),
    )
    _, render = exporter.prepare("", read_clock())
    sys.stdout.buffer.write(render())


if __name__ == "__main__":
    main()
