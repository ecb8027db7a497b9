"""``python -m dashboards.builder``: write the dashboards from their definitions."""

import sys
from pathlib import Path

from dashboards.builder import BuildError, write

FOLDER = Path(__file__).parents[1]


def main() -> int:
    """Write them into ``dashboards/``.

    Returns:
        The exit code: 1 where a definition is not understood, and nothing is written.
    """
    try:
        names = write(FOLDER / "definitions", FOLDER)
    except BuildError as error:
        sys.stderr.write(f"dashboards/definitions: {error}\n")
        return 1
    sys.stdout.write("".join(f"dashboards/{name}\n" for name in names))
    return 0


if __name__ == "__main__":
    sys.exit(main())
