"""How the tests start ``heroku-kafka-agent``: as a process, without its import time."""

import atexit
import shutil
import socket
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

_CLIENT = Path(__file__).with_name("command_client.py")


@cache
def command_words() -> tuple[str, ...]:
    """Start the server that forks the commands.

    Returns:
        What takes the place of ``python -m agent`` in a command line.
    """
    folder = tempfile.mkdtemp(prefix="commands-")
    address = f"{folder}/socket"
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(address)
        listener.listen()
        server = subprocess.Popen(
            [sys.executable, "-m", "tests.command_server", str(listener.fileno())],
            stdin=subprocess.PIPE,
            pass_fds=[listener.fileno()],
            cwd=_CLIENT.parents[1],
        )

    def stop() -> None:
        server.communicate()
        shutil.rmtree(folder)

    atexit.register(stop)
    return sys.executable, "-IS", str(_CLIENT), address
