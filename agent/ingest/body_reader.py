"""Decodes the bodies of drain requests without blocking the event loop.

Decoding and judging a body of 1 MiB takes some milliseconds where it holds log lines,
and seconds where it is made to be slow. So large bodies are processed in slices, for at
most `TURN_SECONDS` in each pass of the event loop.
"""

import asyncio
from collections import Counter
from collections.abc import Generator, Iterator
from time import thread_time

from agent.change import Change, Origin
from agent.clock import Moment, read_clock
from agent.engine import Engine
from agent.settings import Settings
from parsers import Batch, Budget, DrainDecoder, Reason, Unparsed

ONE_SLICE_BYTES = 16_384
"""Bodies up to this size are decoded in one go, which takes at most some 50 ms."""

TURN_SECONDS = 0.01
"""Processor time: on a busy machine, other processes must not use up the turn."""

_IDLE_DECODERS = 4

Work = Generator[None, None, Change]
"""A body that is decoded and judged, slice by slice."""


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
        # A decoder is in the middle of one body at a time; what it has learned about
        # unrelated frames is worth keeping.
        self._idle: list[DrainDecoder] = []
        # What is left of the turn. Once it is used up, the next pass of the event loop
        # renews it; not each pass, since most use little of it.
        self._seconds_left = TURN_SECONDS
        # At most one unfinished body continues in each pass, however many there are.
        self._lock = asyncio.Lock()

    def begin(self, body: bytes, origin: Origin) -> Change | Work:
        """Decode and judge a body, or begin with it.

        Args:
            body: Octet-counted frames, not compressed.
            origin: Where they come from.

        Returns:
            What the body changes, where a turn suffices for that; nothing is touched
            yet. Else what `finish` completes.
        """
        now = read_clock()
        decoder = self._idle[-1] if self._idle else self._make_decoder()
        unrelated = decoder.maybe_count_foreign(body)
        if unrelated is not None:
            return self._engine.begin((0, 0, 0, unrelated, 0), origin, now)
        if len(body) <= ONE_SLICE_BYTES:
            self._budget.refill(now.monotonic)
            decoder = self._idle.pop() if self._idle else self._make_decoder()
            batch = decoder.decode(body)
            self._idle.append(decoder)
            return self._engine.prepare(batch, origin, now)
        work = self._prepare_in_slices(body, origin, now)
        if self._seconds_left <= 0:
            return work
        return self._advance(work) or work

    async def finish(self, work: Work) -> Change:
        """Complete what `begin` has begun, in turns."""
        while True:
            async with self._lock:
                change = self._advance(work)
            if change is not None:
                return change
            await asyncio.sleep(0)

    def _prepare_in_slices(self, body: bytes, origin: Origin, now: Moment) -> Work:
        self._budget.refill(now.monotonic)
        decoder = self._idle.pop() if self._idle else self._make_decoder()
        batch = Batch()
        refused: Counter[Reason] = Counter()
        slices = decoder.decode_in_slices(body, batch)
        yield from count_refusals(slices, batch, refused)
        if len(self._idle) < _IDLE_DECODERS:
            self._idle.append(decoder)
        change = self._engine.begin(batch.counts, origin, now)
        yield from self._engine.prepare_in_slices(change, batch)
        if not change.is_duplicate:
            for reason, count in refused.items():
                change.refused[reason] += count
        return change

    def _advance(self, work: Work) -> Change | None:
        """Do what is left of a turn, and at least one slice; None: there is more."""
        started = thread_time()
        try:
            next(work)
            while thread_time() - started < self._seconds_left:
                next(work)
        except StopIteration as end:
            change: Change = end.value
            return change
        finally:
            self._spend(thread_time() - started)
        return None

    def _spend(self, seconds: float) -> None:
        was_left = self._seconds_left > 0
        self._seconds_left -= seconds
        if was_left and self._seconds_left <= 0:
            asyncio.get_running_loop().call_soon(self._renew)

    def _renew(self) -> None:
        self._seconds_left = TURN_SECONDS

    def _make_decoder(self) -> DrainDecoder:
        return DrainDecoder(
            frame_limit_bytes=self._settings.limits.frame_bytes,
            budget=self._budget,
            local0_only=self._settings.require_local0,
        )


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
