"""Forks the agent's commands from a process that has already imported them.

A fresh interpreter spends half a second of processor time on imports, for each of the
hundreds of commands that the tests run. Here they are imported once. A command still is
a process of its own: arguments, environment, folder, standard streams, signals and exit
code are those of the client, and a client that is killed takes its command with it.
"""

import contextlib
import gc
import json
import os
import selectors
import signal
import socket
import sys
import threading

from agent.cli import main as run_command

_REQUEST_BYTES = 1 << 18


def serve(listener: socket.socket) -> None:
    """Fork until standard input ends; return in each command's process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.freeze()
    with selectors.DefaultSelector() as selector:
        selector.register(listener, selectors.EVENT_READ)
        selector.register(sys.stdin, selectors.EVENT_READ)
        while True:
            ready = [key.fileobj for key, _events in selector.select()]
            reap()
            if sys.stdin in ready:
                os._exit(0)
            connection, _address = listener.accept()
            if os.fork() == 0:
                break
            connection.close()
    listener.close()
    supervise(connection)


def reap() -> None:
    """Collect the commands that have ended."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def supervise(connection: socket.socket) -> None:
    """Fork the command that is asked for, and report its end; return in its process."""
    request, streams, _flags, _address = socket.recv_fds(connection, _REQUEST_BYTES, 3)
    pid = os.fork()
    if pid == 0:
        connection.close()
        arguments, environ, folder = json.loads(request)
        become(arguments, environ, folder, streams)
        return
    for stream in streams:
        os.close(stream)
    threading.Thread(
        target=forward_signals, args=(connection, pid), daemon=True
    ).start()
    _pid, status = os.waitpid(pid, 0)
    with contextlib.suppress(OSError):
        connection.send(b"%d" % os.waitstatus_to_exitcode(status))
    os._exit(0)


def forward_signals(connection: socket.socket, pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        while number := connection.recv(16):
            os.kill(pid, int(number))
        os.kill(pid, signal.SIGKILL)


def become(
    arguments: list[str], environ: dict[str, str], folder: str, streams: list[int]
) -> None:
    """Make this process look as if it had been started with these."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(environ)
    os.chdir(folder)
    sys.argv = ["heroku-kafka-agent", *arguments]
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    sys.stdin = os.fdopen(0, closefd=False)
    sys.stdout = os.fdopen(1, "w", closefd=False)
    sys.stderr = os.fdopen(2, "w", 1, errors="backslashreplace", closefd=False)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
    run_command()
