"""From the body of a drain request to a change, without keeping others waiting.

Decoding and judging a body of 1 MiB takes some milliseconds where it holds log lines,
and seconds where it is made to be slow. So a large one is worked through in turns, and
between two of them the event loop serves everybody else.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from time import monotonic

from agent.change import Change, Origin
from agent.clock import read_clock
from agent.engine import Engine
from agent.settings import Settings
from parsers import Batch, Budget, DrainDecoder, Reason, Unparsed

DIRECT_BYTES = 16_384
"""Bodies up to this size are decoded in one go, which takes at most some 50 ms."""

TURN_SECONDS = 0.01

_IDLE_DECODERS = 4


class BodyReader:
    """Decodes and judges the bodies of requests.

    Args:
        settings: Limits, and whose lines are trusted.
        engine: What judges.
    """

    def __init__(self, settings: Settings, engine: Engine) -> None:
        self._settings = settings
        self._engine = engine
        self._budget = Budget(settings.limits.grammar_bytes)
        self._decoder = self._make_decoder()
        # A decoder is in the middle of one body at a time; what it has learned about
        # unrelated frames is worth keeping.
        self._idle: list[DrainDecoder] = []
        # One turn in each pass of the event loop, however many large bodies there are.
        self._turn = asyncio.Lock()

    def _make_decoder(self) -> DrainDecoder:
        return DrainDecoder(
            frame_limit_bytes=self._settings.limits.frame_bytes,
            budget=self._budget,
            local0_only=self._settings.require_local0,
        )

    def prepare(self, body: bytes, origin: Origin) -> Change:
        """Decode and judge a body of at most `DIRECT_BYTES` in one go.

        Args:
            body: Octet-counted frames, not compressed.
            origin: Where they come from.

        Returns:
            What the body changes. Nothing is touched yet.
        """
        now = read_clock()
        self._budget.refill(now.monotonic)
        return self._engine.prepare(self._decoder.decode(body), origin, now)

    async def prepare_in_turns(self, body: bytes, origin: Origin) -> Change:
        """Decode and judge a body of any size; see `prepare`."""
        now = read_clock()
        self._budget.refill(now.monotonic)
        decoder = self._idle.pop() if self._idle else self._make_decoder()
        batch = Batch()
        refused: Counter[Reason] = Counter()
        slices = decoder.decode_in_slices(body, batch)
        await self._take_turns(count_refusals(slices, batch, refused))
        if len(self._idle) < _IDLE_DECODERS:
            self._idle.append(decoder)
        change = self._engine.begin(batch, origin, now)
        await self._take_turns(self._engine.prepare_in_slices(change, batch))
        if not change.is_duplicate:
            for reason, count in refused.items():
                change.refused[reason] += count
        return change

    async def _take_turns(self, slices: Iterator[None]) -> None:
        """Work through `slices`, with a pause between two turns."""
        while True:
            async with self._turn:
                if work(slices, monotonic() + TURN_SECONDS):
                    return
            await asyncio.sleep(0)


def count_refusals(
    slices: Iterator[None], batch: Batch, refused: Counter[Reason]
) -> Iterator[None]:
    """Move refusals out of a batch as it is filled, and count them.

    A body can hold half a million of them, and each takes 200 bytes until it is counted.
    """
    seen = 0
    for _ in slices:
        new = batch.records[seen:]
        kept = [record for record in new if not isinstance(record, Unparsed)]
        if len(kept) < len(new):
            refused.update(one.reason for one in new if isinstance(one, Unparsed))
            batch.records[seen:] = kept
        seen += len(kept)
        yield


def work(slices: Iterator[None], until: float) -> bool:
    """Work through `slices` until a time of the monotonic clock; True at their end."""
    return all(monotonic() < until for _ in slices)
