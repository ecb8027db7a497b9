"""Asks Heroku what the drain does not tell: plan, data size, partitions, topics, status.

One task, one request in flight. Every endpoint of every add-on has its own time of next
asking, and an answer may move the times of others: a 410 those of the add-on, a 429 those
of the host. That is why no retry library is at work here: a retry is the next poll, as
nothing may be asked more than once per interval, and a library's wait inside of one call
could not be moved by the answer to another.
"""

import asyncio
import random
from collections.abc import Callable, Iterator, Sequence
from urllib.parse import quote, urlsplit

from agent.clock import read_clock
from agent.errors import SettingsError
from agent.heroku_api.client import (
    Answer,
    Outcome,
    PlatformClient,
    maybe_parse_retry_after,
)
from agent.heroku_api.schedule import (
    DEFAULT_LIMITS,
    Addon,
    Endpoint,
    PollerLimits,
    PollerTelemetry,
    PollState,
)
from agent.logs import RareLog
from agent.secret import Secret
from agent.settings import is_loopback
from parsers import ClusterUse, decode_addon, decode_cluster

__all__ = [
    "DEFAULT_LIMITS",
    "Endpoint",
    "Outcome",
    "Poller",
    "PollerLimits",
    "PollerTelemetry",
]

_PLATFORM_MEDIA_TYPE = "application/vnd.heroku+json; version=3"
_DATA_MEDIA_TYPE = "application/json"
_JITTER = 0.1
_MOST_DOUBLINGS = 16
_FAULTS_SURVIVED = 2  # topics of minutes ago are better than none, of hours not

_PATHS = {
    Endpoint.WAIT_STATUS: "/wait_status",
    Endpoint.TOPICS: "/topics",
    Endpoint.CLUSTER: "",
}


class Poller:
    """Polls the Platform API and the Data API for some add-ons.

    Args:
        token: An access token; it needs to read only.
        addons: Names or UUIDs of add-ons.
        on_use: Gets the record of a cluster each time it was seen. What it raises is
            logged and goes no further.
        telemetry: Is counted into.
        platform_url: Where the Platform API is.
        data_url: Where the Data API is.
        interval_seconds: Pause between two requests to one endpoint, give or take a
            tenth.
        limits: What one request may take.

    Raises:
        SettingsError: The token cannot stand in a header, or an address would have it
            sent unencrypted.
    """

    def __init__(  # noqa: PLR0913 (five of them are for tests and private regions)
        self,
        token: Secret,
        addons: Sequence[str],
        on_use: Callable[[ClusterUse], None],
        telemetry: PollerTelemetry,
        *,
        platform_url: str = "https://api.heroku.com",
        data_url: str = "https://api.data.heroku.com",
        interval_seconds: float = 60.0,
        limits: PollerLimits = DEFAULT_LIMITS,
    ) -> None:
        _check(token, platform_url, data_url)
        self.telemetry = telemetry
        self._token = token
        self._on_use = on_use
        self._platform_url = platform_url.rstrip("/")
        self._data_url = data_url.rstrip("/")
        self._interval = interval_seconds
        self._slow = max(limits.slow_seconds, interval_seconds)
        self._limits = limits
        self._addons = [Addon(given=name, name=name) for name in dict.fromkeys(addons)]
        self._rare_log = RareLog()
        self._rng = random.Random(f"collector {addons}")  # noqa: S311 (seeded on purpose)
        telemetry.unseen.update(addon.name for addon in self._addons)

    async def run(self) -> None:
        """Ask until cancelled; faults are counted, never raised."""
        async with PlatformClient(
            self._token,
            timeout_seconds=self._limits.timeout_seconds,
            answer_bytes=self._limits.answer_bytes,
        ) as client:
            while self._addons:
                # Of those that a 429 made wait alike, the one that met it comes last.
                addon, poll = min(
                    self._pollable(), key=lambda both: (both[1].due, both[1].answered)
                )
                await asyncio.sleep(max(poll.due - _now(), 0.0))
                await self._take(client, addon, poll)
            await asyncio.Event().wait()

    def _pollable(self) -> Iterator[tuple[Addon, PollState]]:
        """List what can be asked: without its UUID a cluster has no address."""
        for addon in self._addons:
            for poll in addon.polls.values():
                if addon.uuid is not None or poll.endpoint is Endpoint.ADDON:
                    yield addon, poll

    async def _take(
        self, client: PlatformClient, addon: Addon, poll: PollState
    ) -> None:
        try:
            answer = _check_answer(poll, await self._ask(client, addon, poll))
        except Exception as error:  # noqa: BLE001 (nothing may stop the others)
            self._rare_log.failure("collector.failed", error)
            answer = Answer(outcome=Outcome.OTHER)
        self.telemetry.requests[poll.endpoint, answer.outcome] += 1
        self._set_pace(addon, poll, answer)
        try:
            if answer.outcome in {Outcome.OK, Outcome.NOT_MODIFIED}:
                self._receive(addon, poll, answer)
        except Exception as error:  # noqa: BLE001 (nor may a consumer's bug)
            self._rare_log.failure("collector.failed", error)

    async def _ask(
        self, client: PlatformClient, addon: Addon, poll: PollState
    ) -> Answer:
        if poll.endpoint is Endpoint.ADDON:
            url = f"{self._platform_url}/addons/{quote(addon.given, safe='')}"
            return await client.get(url, _PLATFORM_MEDIA_TYPE, poll.etag)
        url = f"{self._data_url}/data/kafka/v0/clusters/{addon.uuid}"
        return await client.get(
            f"{url}{_PATHS[poll.endpoint]}", _DATA_MEDIA_TYPE, poll.etag
        )

    def _set_pace(self, addon: Addon, poll: PollState, answer: Answer) -> None:
        """Decide when to ask again, and what to forget meanwhile."""
        pause = self._slow if poll.endpoint is Endpoint.ADDON else self._interval
        match answer.outcome:
            case Outcome.OK | Outcome.NOT_MODIFIED:
                poll.faults = 0
            case Outcome.UNAUTHORIZED:
                self._rare_log.warning("collector.unauthorized")
                poll.forget()
                pause = self._slow
            case Outcome.NOT_FOUND:
                pause = self._interval
                self._look_up_again(addon, poll)
            case Outcome.GONE:
                addon.forget()
                pause = self._slow
            case _:
                pause = self._back_off(poll)
        self._wait(
            addon, poll, answer, pause * self._rng.uniform(1 - _JITTER, 1 + _JITTER)
        )

    def _wait(
        self, addon: Addon, poll: PollState, answer: Answer, pause: float
    ) -> None:
        """Move the poll, and those of others that the answer speaks for."""
        now = _now()
        poll.answered, poll.due = now, now + pause
        if answer.outcome is Outcome.GONE:
            for other in addon.polls.values():
                other.due = max(other.due, poll.due)
        asked_for = maybe_parse_retry_after(answer.retry_after, read_clock().wall)
        if answer.outcome is Outcome.RATE_LIMITED and asked_for is not None:
            earliest = now + min(asked_for, self._slow)
            for other in self._same_host(poll):
                other.due = max(other.due, earliest)
                other.held_until = earliest

    def _same_host(self, poll: PollState) -> Iterator[PollState]:
        on_platform = poll.endpoint is Endpoint.ADDON
        for addon in self._addons:
            for other in addon.polls.values():
                if (other.endpoint is Endpoint.ADDON) is on_platform:
                    yield other

    def _look_up_again(self, addon: Addon, poll: PollState) -> None:
        """Let the name be looked up before the others ask in vain.

        Until then the UUID stays: one endpoint that is missing for good must not keep
        the others waiting.
        """
        if poll.endpoint is Endpoint.ADDON:
            addon.forget()
            return
        poll.forget()
        lookup = addon.polls[Endpoint.ADDON]
        if lookup.value is not None and not lookup.faults:
            soon = max(lookup.answered + self._interval, lookup.held_until)
            lookup.due = min(lookup.due, soon)

    def _back_off(self, poll: PollState) -> float:
        poll.faults += 1
        if poll.faults > _FAULTS_SURVIVED:
            poll.forget()
        doublings = min(poll.faults - 1, _MOST_DOUBLINGS)
        return float(min(self._interval * 2**doublings, self._slow))

    def _receive(self, addon: Addon, poll: PollState, answer: Answer) -> None:
        if answer.outcome is Outcome.OK:
            poll.value, poll.etag = answer.value, answer.etag
        if poll.endpoint is Endpoint.ADDON:
            self._identify(addon, poll.value)
        if poll.endpoint is Endpoint.CLUSTER:
            self._publish(addon)

    def _identify(self, addon: Addon, value: object) -> None:
        """Take over what the add-on is called; one made anew has another UUID."""
        identity = decode_addon(value)
        if identity is None:
            return
        if identity.uuid != addon.uuid:
            for endpoint in _PATHS:
                addon.polls[endpoint].forget()
        # A UUID may have been given, but the drain knows the name alone.
        known, addon.name = addon.name, identity.name or addon.given
        addon.uuid, addon.plan = identity.uuid, identity.plan
        unseen = self.telemetry.unseen
        if known in unseen:
            unseen.remove(known)
            unseen.add(addon.name)

    def _publish(self, addon: Addon) -> None:
        cluster, topics, wait_status = (
            addon.polls[endpoint].value
            for endpoint in (Endpoint.CLUSTER, Endpoint.TOPICS, Endpoint.WAIT_STATUS)
        )
        use = decode_cluster(addon.name, addon.plan, cluster, topics, wait_status)
        if use is not None:
            self.telemetry.unseen.discard(addon.name)
            self._on_use(use)


def _check(token: Secret, *urls: str) -> None:
    """Refuse what would put the token into an exception or onto the open network."""
    problems = []
    if not token.text or not all("!" <= character <= "~" for character in token.text):
        problems.append("the API token must be one word of ASCII characters")
    for url in urls:
        parts = urlsplit(url)
        if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
            problems.append(
                f"the API's address must begin with https://: {parts.hostname}"
            )
    if problems:
        raise SettingsError(*problems)


def _check_answer(poll: PollState, answer: Answer) -> Answer:
    """Refuse an identity without a UUID, and a 304 to what was not asked."""
    if answer.outcome is Outcome.NOT_MODIFIED and poll.etag is None:
        return Answer(outcome=Outcome.OTHER)
    is_addon = poll.endpoint is Endpoint.ADDON and answer.outcome is Outcome.OK
    if is_addon and decode_addon(answer.value) is None:
        return Answer(outcome=Outcome.BAD_JSON)
    return answer


def _now() -> float:
    return asyncio.get_running_loop().time()
