"""File descriptors: as many connections as the system allows, and some in reserve."""

import sys

# Files, requests to Heroku's APIs, and connections that are about to be closed.
_RESERVE = 128


def fit_connections(wanted: int, backlog: int) -> int:
    """Raise the soft limit on open files for `wanted` connections, if need be.

    Args:
        wanted: Maximum number of connections.
        backlog: Connections that may be accepted at once, before any is closed.

    Returns:
        The maximum that the limit allows, at least 1 and at most `wanted`.
    """
    if sys.platform == "win32":
        return wanted
    import resource  # noqa: PLC0415 (not for Windows)

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wanted
    needed = wanted + backlog + _RESERVE
    if soft < needed:
        soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return max(1, min(wanted, soft - _RESERVE))
