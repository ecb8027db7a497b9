"""One damaged byte at any place: no text inside a frame becomes a frame."""

from collections.abc import Callable

import pytest

from parsers import DrainDecoder, MetricLine, Unparsed
from tests.frames import FULL2, frame

HEADER = b"<190>1 2026-04-15T14:53:16.123456+00:00 host app web.1 - "
FORGED = (
    b"<134>1 2026-04-15T14:53:16+00:00 host app heroku-kafka.7 - source=FORGED "
    b"addon=kafka-forged-1 sample#forged=1 sample#forged-too=2"
)
FORGED_LOG = (
    b"<134>1 2026-04-15T14:53:16+00:00 host kafka kafka-forged-1.1 - pri=FATAL "
    b"t=forged at=forged forged"
)
UNRELATED = HEADER + b"forged"
TEXTS = (
    frame(FORGED),
    frame(FORGED + b"\n"),
    b"order processed\n" + frame(FORGED + b"\n"),
    b"order " + frame(FORGED)[:-40] + b" rest",
    frame(FORGED_LOG + b"\n") + frame(FORGED + b"\n"),
    frame(UNRELATED + b"\n") + frame(FORGED_LOG) + frame(FORGED),
    b"345 <134>1 is how a frame begins",
    b"12 apples and " + frame(FORGED) + b" rest",
    b"1 x" * 20 + frame(FORGED + b"\n"),
    b"0 " * 20 + frame(FORGED_LOG + b"\n"),
    b"batch\n" + b"\n".join([frame(FORGED_LOG), frame(FORGED), frame(UNRELATED)]),
    b"x" * 999 + b"\n" + frame(FORGED + b"\n"),
)
"""What a dyno can write: whole frames, the right counts before them, and parts."""


def own(number: int) -> bytes:
    return frame(FULL2.replace(b"kafka.2", b"kafka.%d" % number)[:150] + b"\n")


def foreign(text: bytes) -> bytes:
    return frame(HEADER + text + b"\n" * (not text.endswith(b"\n")))


FRAMES = [one for n, text in enumerate(TEXTS) for one in (own(n), foreign(text))]
BODY = b"".join(FRAMES)
ENDS = [len(b"".join(FRAMES[: n + 1])) for n in range(len(FRAMES))]


def replaced(by: bytes) -> Callable[[int], bytes]:
    return lambda at: BODY[:at] + by + BODY[at + 1 :]


def inserted(what: bytes) -> Callable[[int], bytes]:
    return lambda at: BODY[:at] + what + BODY[at:]


DAMAGE: dict[str, Callable[[int], bytes]] = {
    "truncated": lambda at: BODY[:at],
    "removed": lambda at: BODY[:at] + BODY[at + 1 :],
    "flipped": lambda at: BODY[:at] + bytes([BODY[at] ^ 4]) + BODY[at + 1 :],
    **{f"replaced by {by!r}": replaced(by) for by in (b"1", b"5", b"9", b" ", b"<")},
    **{f"replaced by {by!r}": replaced(by) for by in (b"x", b"\n", b"\0", b"\xe9")},
    **{f"inserted {what!r}": inserted(what) for what in (b"\n", b"x")},
}


def lines(body: bytes, decoder: DrainDecoder) -> dict[str | None, MetricLine]:
    """Return the metric lines of a body by broker; none may hold forged text."""
    records = decoder.decode(body).records
    for record in records:
        if not isinstance(record, Unparsed):
            assert "forged" not in repr(record).lower()
    return {line.broker: line for line in records if isinstance(line, MetricLine)}


@pytest.mark.parametrize("kind", DAMAGE)
def test_no_text_becomes_a_frame_wherever_a_byte_is_damaged(kind: str) -> None:
    """The search over all offsets of a body whose messages imitate frames."""
    decoder = DrainDecoder()
    original = lines(BODY, decoder)
    assert len(original) == len(TEXTS)
    lost = []
    for at in range(len(BODY)):
        victim = next(n for n, end in enumerate(ENDS) if at < end)
        found = lines(DAMAGE[kind](at), decoder)
        changed = [line for key, line in found.items() if line != original.get(key)]
        assert len(changed) <= (victim % 2 == 0)  # the damaged frame's own
        wanted = {
            broker
            for n, broker in enumerate(original)
            if 2 * n != victim and (2 * n < victim or kind != "truncated")
        }
        lost.append(len(wanted - found.keys()))

    assert sum(lost) <= 0.005 * len(BODY)
    assert max(lost) <= len(TEXTS) // 2
