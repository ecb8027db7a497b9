"""The engine without a server: bodies in, exposition out."""

from prometheus_client.exposition import choose_encoder

from agent.change import Origin
from agent.clock import Moment
from agent.engine import Applied, Engine
from agent.metrics.exposition import render
from agent.settings import Settings
from parsers import Budget, DrainDecoder

REQUEST = Origin()


class Drain:
    """Decodes bodies as the HTTP drain does, and applies them to an engine."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self.engine = Engine(self.settings)
        self._budget = Budget(self.settings.limits.grammar_bytes)
        self._decoder = DrainDecoder(budget=self._budget)

    def receive(self, body: bytes, now: Moment, origin: Origin = REQUEST) -> Applied:
        self._budget.refill(now.monotonic)
        batch = self._decoder.decode(body)
        return self.engine.commit(self.engine.prepare(batch, origin, now))


def exposition(engine: Engine, now: Moment, accept: str = "") -> bytes:
    """Render what a scrape shows, without the process's own metrics."""
    encode, _ = choose_encoder(accept)
    return render(engine.snapshot(now).series(), encode, with_created=bool(accept))
