"""Knows the true history, and asks after every step whether what each client holds is true."""

from __future__ import annotations

from kstream.core.delivery.limits import Limits
from kstream.delivery.hub import Hub
from tests.world.clients import Client
from tests.world.cluster import Cluster
from tests.world.judging import FindingError, forbidden, passes
from tests.world.weather import Weather

WINDOW = 150.0
"""Seconds that a client may be behind and not know it: 70 without a byte, and as long as a list may take."""

PROMPT = 2.0
"""The same where nothing is wrong."""

CATCHING_UP = 5.0
"""Seconds after an outage in which what was missed comes: a watch does not tell when it has told it all."""

WORDS = 20
"""Messages that may have to be sent before it, as fast as the limits let them."""


class Checker:
    """Looks at all that are there, again and again."""

    def __init__(self, cluster: Cluster, weather: Weather, limits: Limits) -> None:
        self._cluster = cluster
        self._weather = weather
        self._limits = limits
        self._catching_up = CATCHING_UP + WORDS / limits.rate

    def look(self, client: Client, hub: Hub | None, now: float) -> None:
        """One client. Raises FindingError for what must not be, some of it when it is so for too long."""
        self._limit(client)
        if client.member is None or client.member.closed or client.stalled or hub is None or client.elsewhere:
            client.doubts.clear()
            return
        for kind, wrong in (
            ("untrue", self._untrue(client, now) if client.holding.fresh else ""),
            ("faults", self._faults(client, hub)),
            ("marked", self._marked(client, hub)),
            ("pong", "a ping is not answered" if client.pings else ""),
        ):
            if not wrong:
                client.doubts.pop(kind, None)
            elif now - client.doubts.setdefault(kind, now) > self._catching_up:
                raise FindingError(f"{kind}: {client.name}: {wrong}")

    def look_at(self, hub: Hub, now: float, *, log_refuses: bool) -> None:
        """What the server knows of itself. Raises FindingError."""
        health = hub.health
        if log_refuses and not ("log" in health.faults and health.stale):
            raise FindingError(f"untold: the log takes nothing, and told is {sorted(health.faults)}")
        if (due := self._weather.due(now)) and not any(told.startswith(due) for told in health.faults):
            raise FindingError(f"untold: {due} has lasted for long, and told is {sorted(health.faults)}")
        if self._weather.bearable(now) and not health.fresh:
            raise FindingError(f"borne badly: there is a way around, and told is {sorted(health.faults)}")
        if self._weather.calm(now) and (health.faults or not health.fresh):
            raise FindingError(
                f"over: all is well, and told is {sorted(health.faults) or 'that it is stale'}"
            )

    def _untrue(self, client: Client, now: float) -> str:
        window = PROMPT if self._weather.calm(now) else WINDOW
        since = max(now - window, client.as_of)
        held = client.holding.objects
        for uid, shown in held.items():
            if not passes(client.watched, shown):
                return f"its filter does not let {shown['name']} through, which it holds"
            told = self._cluster.history.get(uid, [])
            if not any(truth.shown == shown and truth.until >= since for truth in told):
                return f"it believes itself fresh and holds {shown['name']} ({uid}), which is not so"
        for uid, told in self._cluster.history.items():
            truth = told[-1]
            wanted = truth.until == float("inf") and passes(client.watched, truth.shown)
            if (
                wanted
                and truth.since < since
                and uid not in held
                and not forbidden(client.faults, truth.shown)
            ):
                return f"it believes itself fresh and lacks {truth.shown['name']} ({uid})"
        return ""

    @staticmethod
    def _faults(client: Client, hub: Hub) -> str:
        """Whatever is told once is told to late-comers too, and taken back when it is over."""
        if client.faults == hub.health.faults.keys():
            return ""
        return f"it was told of {sorted(client.faults)}, and there are {sorted(hub.health.faults)}"

    @staticmethod
    def _marked(client: Client, hub: Hub) -> str:
        if client.holding.fresh or not hub.health.fresh:
            return ""
        return f"it is not fresh, and the server is: {client.connection}"

    def _limit(self, client: Client) -> None:
        """So many messages in any 60 s (PROTOCOL 21)."""
        most, times = self._limits.per_minute, client.times
        for first, last in zip(times, times[most:], strict=False):
            if last - first < 60.0:
                raise FindingError(f"limit: {client.name} got {most + 1} messages in {last - first:.1f} s")

    def end(self, client: Client, now: float) -> None:
        """All is well: fresh, equal to the API server, and told who the cluster is. Raises FindingError."""
        if client.member is None or not client.holding.fresh:
            raise FindingError(f"not fresh: {client.name} is still not fresh: {client.connection}")
        shown = self._cluster.now_shown
        wanted = {uid: each for uid, each in shown.items() if passes(client.watched, each)}
        held = client.holding.objects
        if held != wanted:
            names = sorted({uid for uid in held.keys() | wanted.keys() if held.get(uid) != wanted.get(uid)})
            raise FindingError(f"different: {client.name} differs from the API server in the end: {names}")
        if client.connection["cluster"] != {"name": "world", "version": "v1.36.0"}:
            raise FindingError(
                f"cluster: {client.name} was never told the cluster: {client.connection['cluster']}"
            )
        if client.metrics != (counts := self._cluster.counts()):
            raise FindingError(f"metrics: {client.name} was told {client.metrics}, and it is {counts}")
        if client.as_of < now - 60.0:
            raise FindingError(
                f"asOf: {client.name} is told that all is known up to {client.as_of:.0f} s only"
            )
