"""Checks a certificate and its key with a TLS handshake in memory."""

import contextlib
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

from agent.checks.problems import Problem

_SOON_DAYS = 14
_DAY = 86_400
_WHERE = "--tls-certificate"
# Numbers of OpenSSL: see the manual page openssl-verification-options(1).
_NOT_YET_VALID, _EXPIRED = 9, 10


def check_certificate(certificate: Path, key: Path) -> Iterator[Problem]:
    """Yield why clients cannot use a certificate, or soon cannot.

    Args:
        certificate: PEM file with the chain; readable.
        key: PEM file with the private key; readable.
    """
    try:
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        # An empty password: OpenSSL must not prompt for one, as serve cannot either.
        server.load_cert_chain(certificate, key, password=lambda: b"")
        client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        client.load_verify_locations(certificate)
    except ssl.SSLError as error:
        yield Problem(where=_WHERE, what=_explain(error, certificate, key))
        return
    except (OSError, ValueError) as error:
        what = f"{certificate} and {key} cannot be read: {error}"
        yield Problem(where=_WHERE, what=what)
        return
    # Neither the issuer nor the host name is verified.
    client.check_hostname = False
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        left = _shake_hands(server, client) - time.time()
    except ssl.SSLCertVerificationError as error:
        yield _judge(error, certificate)
    except ssl.SSLError as error:
        what = f"no client can connect with {certificate}: {error.reason or error}"
        yield Problem(where=_WHERE, what=what)
    else:
        if left < _SOON_DAYS * _DAY:
            what = f"{certificate} expires in {left / _DAY:.1f} days: renew it"
            yield Problem(where=_WHERE, what=what, is_warning=True)


def check_client_ca(path: Path) -> Iterator[Problem]:
    """Yield why clients' certificates cannot be verified against a readable file."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_verify_locations(path)
    except (OSError, ValueError):
        what = f"{path} is not a PEM file of CA certificates"
        yield Problem(where="--tls-client-ca", what=what)


def _explain(error: ssl.SSLError, certificate: Path, key: Path) -> str:
    """Say why OpenSSL rejects the pair."""
    if error.reason == "KEY_VALUES_MISMATCH":
        return f"the key in {key} is not that of the certificate in {certificate}"
    return (
        f"{certificate} and {key} are no PEM certificate and its key without a password"
    )


def _judge(error: ssl.SSLCertVerificationError, certificate: Path) -> Problem:
    is_time = error.verify_code in (_NOT_YET_VALID, _EXPIRED)
    fix = "renew it" if error.verify_code == _EXPIRED else "look at it"
    what = f"{certificate}: {error.verify_message}: {fix}"
    # The agent starts with it; clients that verify it do not connect.
    return Problem(where=_WHERE, what=what, is_warning=is_time)


def _shake_hands(server: ssl.SSLContext, client: ssl.SSLContext) -> float:
    """Make a TLS handshake between a client and a server in memory.

    Returns:
        When the server's certificate expires, in seconds since the epoch.

    Raises:
        ssl.SSLError: The handshake failed.
    """
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    serving = server.wrap_bio(to_server, to_client, server_side=True)
    connecting = client.wrap_bio(to_client, to_server)
    # Two messages each are enough; the server reads last.
    for side in (connecting, serving) * 3:
        with contextlib.suppress(ssl.SSLWantReadError):
            side.do_handshake()
    shown = connecting.getpeercert() or {}
    return float(ssl.cert_time_to_seconds(str(shown["notAfter"])))
