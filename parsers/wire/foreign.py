"""Frames of unrelated origin: recognised by their first bytes, and skipped.

95 to 99 % of a drain are such frames, so this loop decides what a drain costs. It exists
twice: here, and compiled in `parsers/native/walk.h`, which takes a thirtieth of the time
and is used wherever it was built. A property test holds that both agree.
"""

from collections.abc import Mapping

from parsers import speedups

# " host heroku route", " host app web.1 - ": long enough to tell a PROCID from a
# family's, short enough to hold next to nothing of the message.
ORIGIN_BYTES = 18

# Where a search for the blank behind TIMESTAMP may start: behind "335 <4>1 " and at
# most on the first characters of TIMESTAMP.
IN_TIMESTAMP = 11

# Where that blank stands in nine frames out of ten: "335 <158>1 " and a timestamp
# with six fraction digits, which is how Logplex stamps dyno and router lines. Only a
# frame without any timestamp could have text of its own there instead.
_USUAL_ORIGIN = IN_TIMESTAMP + 32

# Counts of the usual frames with the "<" of PRI behind: one look-up of five bytes is
# half the price of find() and int().
STEPS: Mapping[bytes, int] = {b"%d <" % n: n + 4 for n in range(100, 1000)}

_MAX_ORIGINS = 4096


class PureForeignFrames:
    """The origins of unrelated frames, and the walk over frames that have them.

    Args:
        limit_bytes: Larger frames are not skipped.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._steps = {
            count: step for count, step in STEPS.items() if step <= limit_bytes
        }
        self._origins: set[bytes] = set()

    def learn(self, origin: bytes) -> None:
        """Learn an origin; all are forgotten first where there are too many.

        Args:
            origin: The blank behind TIMESTAMP and what follows it, `ORIGIN_BYTES` or,
                at the end of a body, fewer.
        """
        if len(self._origins) >= _MAX_ORIGINS:
            self._origins.clear()
        self._origins.add(origin)

    def skip(self, body: bytes, position: int, stop: int) -> tuple[int, int]:
        """Skip the frames of learned origin that begin before `stop`.

        About as fast as `find` and `int` on the counts alone.

        Args:
            body: Octet-counted frames.
            position: Where a count must stand.
            stop: Where to end.

        Returns:
            The position of the first frame that is not skipped, which lies behind the
            body where the last frame is cut, and how many were.
        """
        steps, origins = self._steps, self._origins
        find = body.find
        skipped = 0
        while position < stop:
            step = steps.get(body[position : position + 5])
            if step is None:
                break
            place = position + _USUAL_ORIGIN
            if body[place : place + ORIGIN_BYTES] not in origins:
                place = find(b" ", position + IN_TIMESTAMP)
                if body[place : place + ORIGIN_BYTES] not in origins:
                    break
            position += step
            skipped += 1
        return position, skipped


ForeignFrames = speedups.ForeignFrames or PureForeignFrames
"""The version that runs."""
