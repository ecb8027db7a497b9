"""The whole process that is compared with mtail: a file of bodies to an exposition."""

import struct
import sys
from pathlib import Path


def main() -> None:
    """Read bodies behind their lengths, apply them, print what is exported."""
    path, implementation = sys.argv[1:]
    if implementation == "pure":
        sys.modules["parsers._speedups"] = None  # type: ignore[assignment]
    from agent.clock import read_clock
    from parsers import IMPLEMENTATION
    from tests.engines import Drain, exposition

    if implementation != IMPLEMENTATION:
        sys.exit("the compiled extension is not built: python build_speedups.py")
    drain = Drain()
    with Path(path).open("rb") as file:
        while length := file.read(4):
            body = file.read(*struct.unpack(">I", length))
            drain.receive(body, read_clock())
    sys.stdout.buffer.write(exposition(drain.engine, read_clock()))


if __name__ == "__main__":
    main()
