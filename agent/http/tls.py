"""TLS connections, counted and timed from the moment they are accepted.

A server that is given a TLS context calls its protocol only after the handshake, and
waits for that a minute. Here the handshake is a connection like any other.
"""

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from agent.errors import SettingsError
from agent.http.connections import GuardedProtocol
from agent.http.guard import ConnectionGuard


class TlsFiles(NamedTuple):
    """The PEM files of a TLS server.

    Attributes:
        certificate: The certificate chain.
        key: Its private key, without a password.
        client_ca: CA certificates that clients' certificates are verified against; None
            accepts clients without one.
    """

    certificate: Path
    key: Path
    client_ca: Path | None = None


def load_context(files: TlsFiles) -> ssl.SSLContext:
    """Load the context of a TLS server.

    Returns:
        A context for TLS 1.2 and later.

    Raises:
        SettingsError: The files are no certificate and key, or no CA certificates.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        # An empty password, so that OpenSSL does not prompt for one.
        context.load_cert_chain(files.certificate, files.key, password=lambda: b"")
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise SettingsError(
            "--tls-certificate and --tls-key are not a PEM certificate and its key"
        ) from error
    if files.client_ca is not None:
        try:
            context.load_verify_locations(files.client_ca)
        except (OSError, ValueError) as error:
            raise SettingsError(
                "--tls-client-ca is not a PEM file of CA certificates"
            ) from error
        context.verify_mode = ssl.CERT_REQUIRED
    return context


class ServerTls:
    """The TLS context of new connections. Established connections keep theirs.

    Args:
        files: What it is loaded from, again whenever `prepare` is called.

    Attributes:
        context: For the next connection.

    Raises:
        SettingsError: See `load_context`.
    """

    def __init__(self, files: TlsFiles) -> None:
        self._files = files
        self._known = self._seen = self._read_stamps()
        self.context = load_context(files)

    def prepare(self) -> Callable[[], None]:
        """Load the files again, and return what puts them to use; see `agent.reload`.

        Raises:
            SettingsError: See `load_context`.
        """
        stamps = self._read_stamps()
        context = load_context(self._files)

        def use() -> None:
            self.context, self._known = context, stamps

        return use

    def has_changed(self) -> bool:
        """Return True once for each change of the files, after it is complete.

        Certificate and key are written one after the other, so a change counts when two
        calls in a row have found the same files.
        """
        before, self._seen = self._seen, self._read_stamps()
        if self._seen != before or self._seen == self._known:
            return False
        self._known = self._seen
        return True

    def _read_stamps(self) -> list[tuple[int, ...]]:
        return [_read_stamp(path) for path in self._files if path is not None]


def _read_stamp(path: Path) -> tuple[int, ...]:
    """Return what changes when a file is replaced or written; empty without a file."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_ino, found.st_mtime_ns, found.st_size


class HandshakeProtocol(asyncio.Protocol):
    """An accepted connection until its TLS handshake is done.

    Args:
        context: Certificate and key.
        guard: Counts the connection, and closes it at its deadline.
        make: Makes the HTTP connection that follows.

    Attributes:
        transport: The TCP connection.
        deadline: Time of the event loop at which the connection is closed.
    """

    def __init__(
        self,
        context: ssl.SSLContext,
        guard: ConnectionGuard,
        make: Callable[[], GuardedProtocol],
    ) -> None:
        self.transport: Any = None
        self.deadline = 0.0
        self._context = context
        self._guard = guard
        self._make = make
        self._early = b""
        self._is_lost = False
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count the connection, and start the handshake."""
        loop = asyncio.get_running_loop()
        self.transport = transport
        self.deadline = loop.time() + self._guard.limits.head_seconds
        self._guard.admit(self)
        if self.transport.is_closing():
            return
        self._task = loop.create_task(self._shake_hands())

    def data_received(self, data: bytes) -> None:
        """Keep what comes before the handshake begins, or right behind it."""
        self._early += data

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that no HTTP connection will follow."""
        del exc
        self._guard.release(self)
        self._is_lost = True

    async def _shake_hands(self) -> None:
        loop = asyncio.get_running_loop()
        if self.transport.is_closing():
            return
        # Before the handshake begins, which start_tls schedules behind this.
        loop.call_soon(self._pass_on)
        try:
            secure = await loop.start_tls(
                self.transport,
                self,
                self._context,
                server_side=True,
                # The guard's deadline comes first, and counts.
                ssl_handshake_timeout=2 * self._guard.limits.head_seconds,
            )
        except OSError:  # ssl.SSLError, a reset or aborted connection
            secure = None
        finally:
            self._guard.release(self)
        if secure is None or self._is_lost or secure.is_closing():
            self.transport.abort()
            return
        connection = self._make()
        secure.set_protocol(connection)
        connection.connection_made(secure)
        connection.deadline = min(connection.deadline, self.deadline)
        if self._early:
            connection.data_received(self._early)

    def _pass_on(self) -> None:
        """Give TLS the encrypted bytes that were read before it was there.

        uvloop reads from an accepted socket at once, and cannot be paused before.
        """
        early, self._early = self._early, b""
        if early:
            tls = self.transport.get_protocol()
            tls.get_buffer(len(early))[: len(early)] = early
            tls.buffer_updated(len(early))
