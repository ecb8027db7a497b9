"""Asks `command_server` for a command, and ends as the command does.

Started with its path and arguments only, it is to the tests what
``python -m agent`` is: a process with these streams, signals and exit code. It imports
as little as it can, because it is started hundreds of times.
"""

import _socket
import array
import json
import os
import signal
import sys

STREAMS = (0, 1, 2)
CODE_BYTES = 16


def main(address: str, *arguments: str) -> None:
    server = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
    server.connect(address)
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda given, _frame: server.send(b"%d" % given))
    folder = os.getcwd()  # noqa: PTH109 (pathlib takes long to import)
    request = json.dumps([arguments, dict(os.environ), folder]).encode()
    rights = array.array("i", STREAMS)
    server.sendmsg([request], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, rights)])
    for stream in STREAMS:
        os.close(stream)
    code = int(server.recv(CODE_BYTES))
    if code < 0:
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


if __name__ == "__main__":
    main(*sys.argv[1:])
