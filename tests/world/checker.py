"""Knows the true history, and asks after every step whether what each client holds is true."""

from __future__ import annotations

from kstream.core.delivery.filters import Filter
from tests.world.clients import Client
from tests.world.cluster import Cluster, Shown

WINDOW = 150.0
"""Seconds that a client may be behind and not know it: 70 without a byte, and as long as a list may take."""

CATCHING_UP = 5.0
"""Seconds after an outage in which what was missed comes: a watch does not tell when it has told it all."""


class FindingError(AssertionError):
    """Something that must not be; its kind, a colon, and what was seen."""


def passes(watched: Filter, shown: Shown) -> bool:
    """Whether an object is one of those that a filter lets through."""
    if watched.namespaces is None or "capacity" in shown:
        return True
    return shown.get("namespace", shown["name"]) in watched.namespaces


def check(client: Client, cluster: Cluster, now: float) -> None:
    """Nothing untrue, unmarked, for longer than it takes to catch up. Raises FindingError."""
    if client.member is None or not client.holding.fresh or client.stalled:
        client.wrong_since = None
        return
    wrong = _wrong(client, cluster, now)
    if not wrong:
        client.wrong_since = None
    elif client.wrong_since is None:
        client.wrong_since = now
    elif now - client.wrong_since > CATCHING_UP:
        raise FindingError(wrong)


def _wrong(client: Client, cluster: Cluster, now: float) -> str:
    held = client.holding.objects
    for uid, shown in held.items():
        if not passes(client.watched, shown):
            return f"unfiltered: {client.name} holds {shown['name']}, which its filter does not let through"
        told = cluster.history.get(uid, [])
        if not any(truth.shown == shown and truth.until >= now - WINDOW for truth in told):
            return f"untrue: {client.name} believes itself fresh and holds {shown['name']} ({uid}), which is not so"
    for uid, told in cluster.history.items():
        truth = told[-1]
        wanted = truth.until == float("inf") and passes(client.watched, truth.shown)
        if wanted and truth.since < now - WINDOW and uid not in held:
            return f"missing: {client.name} believes itself fresh and lacks {truth.shown['name']} ({uid})"
    return ""


def check_limits(client: Client) -> None:
    """At most 1000 messages in any 60 s (PROTOCOL 21). Raises FindingError."""
    times = client.times
    for first, last in zip(times, times[1000:], strict=False):
        if last - first < 60.0:
            raise FindingError(f"limit: {client.name} got 1001 messages within {last - first:.1f} s")


def check_end(client: Client, cluster: Cluster) -> None:
    """All is well: fresh, equal to the API server, and told who the cluster is. Raises FindingError."""
    if client.member is None or not client.holding.fresh:
        raise FindingError(f"not fresh: {client.name} is still not fresh: {client.connection}")
    wanted = {uid: shown for uid, shown in cluster.now_shown.items() if passes(client.watched, shown)}
    held = client.holding.objects
    if held != wanted:
        names = sorted({uid for uid in held.keys() | wanted.keys() if held.get(uid) != wanted.get(uid)})
        raise FindingError(f"different: {client.name} differs from the API server in the end: {names}")
    if client.connection["cluster"] != {"name": "world", "version": "v1.36.0"}:
        raise FindingError(
            f"cluster: {client.name} was never told the cluster: {client.connection['cluster']}"
        )
