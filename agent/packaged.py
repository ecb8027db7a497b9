"""The files that users take, ``alerts/`` and ``dashboards/``: where they are."""

from importlib.resources import files
from importlib.resources.abc import Traversable


def find_packaged(*names: str) -> Traversable:
    """Find a file or folder of ``alerts/`` or ``dashboards/``.

    They stand at the top of the repository, where people look for them, and are copied
    into the wheel.

    Args:
        names: The path below the repository's top, like ``"alerts", "thresholds.yaml"``.

    Returns:
        The file in the wheel, or that of the checkout.
    """
    package = files("agent")
    inside = package.joinpath("packaged", *names)
    if inside.is_file() or inside.is_dir():
        return inside
    return package.joinpath("..", *names)
