"""``POST /api/capacity``: what ``heroku kafka:info`` printed, for teams without a token."""

import asyncio
from http import HTTPStatus

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from agent.clock import read_clock
from agent.engine import Engine
from agent.web.schema import CapacityUpload, TextLine, encode
from parsers import ClusterUse, TextProblem, parse_kafka_info

_LIMIT_BYTES = 1 << 20
_MAX_PROBLEMS = 20


async def receive_capacity(
    request: Request, engine: Engine, parsing: asyncio.Lock
) -> Response:
    """Record the use of clusters from text.

    Args:
        request: Authenticated; its body is the text. Clusters that its credentials are
            not valid for are left out.
        engine: What learns it.
        parsing: Held while text is parsed, in a thread: 1 MiB takes over a second.

    Returns:
        200 with the clusters and the lines that could not be parsed; 413 for too much
        text, 422 where no cluster is in it, 400 where the client closed the connection
        before the end.
    """
    body = bytearray()
    try:
        async for piece in request.stream():
            body += piece
            if len(body) > _LIMIT_BYTES:
                return _answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, [], [])
    except ClientDisconnect:  # nothing of half a body is applied
        return _answer(HTTPStatus.BAD_REQUEST, [], [])
    async with parsing:
        read = await asyncio.to_thread(
            parse_kafka_info, body.decode("utf-8", "replace")
        )
    now = read_clock()
    taken = [
        one.addon
        for one in read
        # A table of topics alone has the attachment's name, KAFKA_URL, and no cluster's.
        if isinstance(one, ClusterUse) and one.addon.islower()
        if request.user.cover(one.addon)
        if engine.learn(one, now)
    ]
    problems = [one for one in read if isinstance(one, TextProblem)]
    if not taken:
        return _answer(HTTPStatus.UNPROCESSABLE_ENTITY, [], problems)
    return _answer(HTTPStatus.OK, taken, problems)


def _answer(
    status: HTTPStatus, clusters: list[str], problems: list[TextProblem]
) -> Response:
    lines = [TextLine(one.line, one.reason) for one in problems[:_MAX_PROBLEMS]]
    return Response(
        encode(CapacityUpload(clusters, lines)),
        status,
        media_type="application/json",
        headers={"cache-control": "no-store", "x-content-type-options": "nosniff"},
    )
