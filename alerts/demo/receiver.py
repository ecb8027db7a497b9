"""Receives Alertmanager's webhooks and remembers what was told to whom, and when.

Payload: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
"""

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_LIMIT_BYTES = 4_194_304


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """One alert in one notification.

    Attributes:
        at: When it came, in seconds since the epoch.
        receiver: ``pager``, ``chat``, ``notes`` or ``heartbeat``.
        status: ``firing`` or ``resolved``.
        labels: The alert's.
        annotations: The alert's.
    """

    at: float
    receiver: str
    status: str
    labels: dict[str, str]
    annotations: dict[str, str]

    @property
    def name(self) -> str:
        """The alert's name."""
        return self.labels["alertname"]


class Receiver:
    """What has been received.

    Args:
        tell: Is called with each notification as it comes.
    """

    def __init__(self, tell: Callable[[Notification], None] | None = None) -> None:
        self._tell = tell
        self._lock = threading.Lock()
        self._received: list[Notification] = []

    @property
    def received(self) -> list[Notification]:
        """All notifications so far, in the order in which they came."""
        with self._lock:
            return list(self._received)

    def receive(self, name: str, payload: dict[str, Any]) -> None:
        """Take in one webhook request."""
        now = time.time()
        for alert in payload["alerts"]:
            notification = Notification(
                at=now,
                receiver=name,
                status=alert["status"],
                labels=alert["labels"],
                annotations=alert["annotations"],
            )
            with self._lock:
                self._received.append(notification)
            if self._tell is not None:
                self._tell(notification)


@contextlib.contextmanager
def listening(receiver: Receiver) -> Iterator[str]:
    """Listen on loopback; yield the base URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Take in a webhook request."""
            length = min(int(self.headers.get("Content-Length", "0")), _LIMIT_BYTES)
            receiver.receive(self.path.strip("/"), json.loads(self.rfile.read(length)))
            self.send_response(HTTPStatus.OK)
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            """Write nothing: the notifications are what is shown."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
