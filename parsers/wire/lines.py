"""From pieces of bytes to lines, in bounded memory and linear time."""

LINE_LIMIT_BYTES = 1 << 20
"""Heroku cuts lines at 10,000 bytes; anything longer than this is no log line."""


class LineSplitter:
    """Cuts a stream of bytes at its newlines.

    Call `receive_data` with bytes as they come and `receive_eof` at a clean end: until
    then nothing of an unfinished line comes out, since its last value may be cut.

    Args:
        limit_bytes: Longer lines are skipped and counted.

    Attributes:
        skipped: Lines that were longer than the limit.
    """

    def __init__(self, limit_bytes: int = LINE_LIMIT_BYTES) -> None:
        self._limit = limit_bytes
        self._pieces: list[bytes] = []
        self._length = 0
        self._skipping = False
        self.skipped = 0

    def receive_data(self, data: bytes) -> list[bytes]:
        """Take more bytes.

        Args:
            data: The next piece, of any size.

        Returns:
            The lines that are whole now, without their newlines.
        """
        first, *others = data.split(b"\n")
        self._keep(first)
        if not others:
            return []
        lines = self._finish()
        *whole, rest = others
        fitting = [line for line in whole if len(line) <= self._limit]
        self.skipped += len(whole) - len(fitting)
        lines += fitting
        self._keep(rest)
        return lines

    def receive_eof(self) -> list[bytes]:
        """Return the last line where it has no newline."""
        return self._finish() if self._length or self._skipping else []

    def _keep(self, piece: bytes) -> None:
        """Keep a part of a line, and nothing of it once it is too long."""
        if self._skipping or not piece:
            return
        self._pieces.append(piece)
        self._length += len(piece)
        if self._length > self._limit:
            self._pieces.clear()
            self._skipping = True

    def _finish(self) -> list[bytes]:
        if self._skipping:
            self.skipped += 1
            lines = []
        else:
            lines = [b"".join(self._pieces)]
        self._pieces.clear()
        self._length = 0
        self._skipping = False
        return lines
