# The compiled extension, which is optional; `native/speedups.c` is its source.

from typing import final

from parsers.records import SampleKey

# See `parsers.wire.foreign.PureForeignFrames`.
@final
class ForeignFrames:
    def __init__(self, limit_bytes: int) -> None: ...
    def learn(self, origin: bytes, /) -> None: ...
    def skip(self, body: bytes, position: int, stop: int, /) -> tuple[int, int]: ...

# Reads metric messages in Heroku's layout that hold learned samples alone.
@final
class SampleScanner:
    # Samples of `name` with `unit` have `key`, and their number times `factor`.
    def learn(
        self, name: bytes, unit: bytes, key: SampleKey, factor: float, /
    ) -> None: ...
    def clear(self) -> None: ...
    # Add-on, source and samples; None leaves the message to Python.
    def scan(
        self, message: bytes, /
    ) -> tuple[str, str, dict[SampleKey, float]] | None: ...
