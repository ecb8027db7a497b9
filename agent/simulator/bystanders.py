"""The app's own lines: router and dynos, which are nearly all of a log stream."""

import random
from collections.abc import Iterator

from agent.simulator.cluster import Line

_PATHS = ("/", "/orders", "/orders/{}", "/api/v2/events", "/login", "/health")
_TEXTS = (
    "[web] processed order {} in {} ms",
    '{{"level":"info","msg":"consumed batch","topic":"orders","records":{},"ms":{}}}',
    "Started GET /orders/{} for 203.0.113.7 ({})",
    # What users type into an app may look like anything.
    "app[heroku-kafka.9]: source=KAFKA addon=imitation-{} sample#load-avg-1m={}",
)


def accompany(
    lines: list[Line], share: float, second: int, rng: random.Random
) -> Iterator[Line]:
    """Put lines of others around those of the cluster.

    Args:
        lines: The cluster's lines of one second.
        share: The part of all lines that is others', below 1.
        second: That second.
        rng: Where chance comes from.

    Yields:
        All lines, the cluster's in their order.
    """
    yield from lines
    for _ in range(int(len(lines) * share / (1 - share) + rng.random())):
        yield _line(second + rng.random(), rng)


def _line(time: float, rng: random.Random) -> Line:
    dyno = f"web.{rng.randint(1, 4)}"
    if rng.choice((True, False)):
        path = rng.choice(_PATHS).format(rng.randint(1, 9_999))
        text = (
            f'at=info method=GET path="{path}" host=www.example.com '
            f'request_id={rng.getrandbits(128):032x} fwd="203.0.113.7" dyno={dyno} '
            f"connect=0ms service={rng.randint(2, 400)}ms status=200 "
            f"bytes={rng.randint(200, 90_000)} protocol=https"
        )
        return Line(time, "heroku", "router", text)
    text = rng.choice(_TEXTS).format(rng.randint(1, 99_999), rng.randint(1, 900))
    return Line(time, "app", dyno, text)
