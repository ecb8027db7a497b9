"""Who may write and who may read: HTTP Basic, and Bearer for log-shuttle.

No answer and no duration tells whether a user exists: every configured credential is
compared, as digests of equal length, whatever was presented.
"""

import base64
import binascii
from hashlib import sha256
from hmac import compare_digest

from agent.settings import Credentials


class Authenticator:
    """Compares the ``Authorization`` header with the configured credentials.

    Args:
        credentials: Any of them is enough; none at all lets everybody in.
    """

    def __init__(self, credentials: tuple[Credentials, ...]) -> None:
        self._open = not credentials
        self._accepted = b""  # the header that was accepted last
        self._basic = [
            _digest(f"{one.user}:{one.password}".encode()) for one in credentials
        ]
        # A bearer token has no user: it is the password, or the whole secret of a
        # drain URL that has a user only.
        self._bearer = [
            _digest((one.password or one.user).encode()) for one in credentials
        ]

    def allows(self, authorization: bytes | None) -> bool:
        """Say whether a request may pass.

        Args:
            authorization: The header's value, None where it is missing.

        Returns:
            True with the right credentials, or where none are configured.
        """
        if self._open:
            return True
        presented = authorization or b""
        # A drain presents the same value with each request.
        if self._accepted and compare_digest(presented, self._accepted):
            return True
        if self._is_valid(presented):
            self._accepted = presented
            return True
        return False

    def _is_valid(self, presented: bytes) -> bool:
        scheme, _, secret = presented.partition(b" ")
        match scheme.lower():
            case b"basic":
                return _is_any(_decode(secret), self._basic)
            case b"bearer":
                return _is_any(secret.strip(), self._bearer)
            case _:
                return False


def _decode(secret: bytes) -> bytes:
    try:
        return base64.b64decode(secret.strip(), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _digest(secret: bytes) -> bytes:
    return sha256(secret).digest()


def _is_any(presented: bytes, expected: list[bytes]) -> bool:
    digest = _digest(presented)
    matches = [compare_digest(digest, one) for one in expected]
    return any(matches)
