"""Tries a certificate and its key in a handshake with oneself, in memory."""

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
    """Yield what keeps clients from a certificate, or soon will.

    Args:
        certificate: PEM file with the chain, which can be read.
        key: PEM file with its private key, which can be read.
    """
    try:
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        # An empty password asks nobody on the terminal; serve could not ask either.
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
    # Who has signed it is not asked, nor for which name it is.
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


def _explain(error: ssl.SSLError, certificate: Path, key: Path) -> str:
    """Say why OpenSSL refuses the pair."""
    if error.reason == "KEY_VALUES_MISMATCH":
        return f"the key in {key} is not that of the certificate in {certificate}"
    return (
        f"{certificate} and {key} are no PEM certificate and its key without a password"
    )


def _judge(error: ssl.SSLCertVerificationError, certificate: Path) -> Problem:
    is_time = error.verify_code in (_NOT_YET_VALID, _EXPIRED)
    fix = "renew it" if error.verify_code == _EXPIRED else "look at it"
    what = f"{certificate}: {error.verify_message}: {fix}"
    # The agent can start with it, and clients that check it stay away.
    return Problem(where=_WHERE, what=what, is_warning=is_time)


def _shake_hands(server: ssl.SSLContext, client: ssl.SSLContext) -> float:
    """Connect a client to a server in memory.

    Returns:
        When the server's certificate ends, in seconds since the epoch.

    Raises:
        ssl.SSLError: They do not come together.
    """
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    serving = server.wrap_bio(to_server, to_client, server_side=True)
    asking = client.wrap_bio(to_client, to_server)
    # Two messages each are enough; the server has to read what the client said last.
    for side in (asking, serving) * 3:
        with contextlib.suppress(ssl.SSLWantReadError):
            side.do_handshake()
    shown = asking.getpeercert() or {}
    return float(ssl.cert_time_to_seconds(str(shown["notAfter"])))
