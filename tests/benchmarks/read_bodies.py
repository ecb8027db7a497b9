"""The whole process that is compared with mtail: a file of bodies to an exposition."""

import struct
import sys
from pathlib import Path

from agent.clock import read_clock
from tests.engines import Drain, exposition


def main() -> None:
    """Read bodies behind their lengths, apply them, print what is exported."""
    drain = Drain()
    with Path(sys.argv[1]).open("rb") as file:
        while length := file.read(4):
            body = file.read(*struct.unpack(">I", length))
            drain.receive(body, read_clock())
    sys.stdout.buffer.write(exposition(drain.engine, read_clock()))


if __name__ == "__main__":
    main()
