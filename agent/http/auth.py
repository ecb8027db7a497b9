"""Who may write and who may read: HTTP Basic, and Bearer for log-shuttle.

No answer and no duration tells whether a user exists: every configured credential is
compared, as digests of equal length, whatever was presented.
"""

import base64
import binascii
from hashlib import sha256
from hmac import compare_digest
from itertools import compress

from agent.settings import Credentials

ANONYMOUS = Credentials("", "")
"""What every request presents where no credentials are configured."""


class Authenticator:
    """Compares the ``Authorization`` header with the configured credentials.

    Args:
        credentials: Any of them is enough; with none at all every request is accepted.
    """

    def __init__(self, credentials: tuple[Credentials, ...]) -> None:
        self.replace(credentials)

    def replace(self, credentials: tuple[Credentials, ...]) -> None:
        """Accept other credentials, from the next request on."""
        self._credentials = credentials
        # The header that was accepted last, and the credentials in it.
        self._accepted = (b"", ANONYMOUS)
        self._basic = [
            _digest(f"{one.user}:{one.password}".encode()) for one in credentials
        ]
        self._bearer = [_digest(one.token.encode()) for one in credentials]

    def maybe_authenticate(self, authorization: bytes | None) -> Credentials | None:
        """Find the credentials that a request presents.

        Args:
            authorization: The header's value, None where it is missing.

        Returns:
            The credentials, `ANONYMOUS` where none are configured; None for invalid ones.
        """
        if not self._credentials:
            return ANONYMOUS
        presented = authorization or b""
        # A drain presents the same value with each request.
        accepted, credentials = self._accepted
        if accepted and compare_digest(presented, accepted):
            return credentials
        found = self._maybe_find(presented)
        if found is not None:
            self._accepted = (presented, found)
        return found

    def _maybe_find(self, presented: bytes) -> Credentials | None:
        scheme, _, secret = presented.partition(b" ")
        match scheme.lower():
            case b"basic":
                matches = _compare(_decode(secret), self._basic)
            case b"bearer":
                matches = _compare(secret.strip(), self._bearer)
            case _:
                return None
        return next(compress(self._credentials, matches), None)


def _decode(secret: bytes) -> bytes:
    try:
        return base64.b64decode(secret.strip(), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _digest(secret: bytes) -> bytes:
    return sha256(secret).digest()


def _compare(presented: bytes, expected: list[bytes]) -> list[bool]:
    """Compare with all digests, so that the duration depends on none of them."""
    digest = _digest(presented)
    return [compare_digest(digest, one) for one in expected]
