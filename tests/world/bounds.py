"""What the server keeps in memory, counted while it plays and when everyone has gone."""

from __future__ import annotations

from kstream.core.delivery.urgent import MANY
from kstream.core.timeline.events import Kind
from kstream.sources.kube import WAITING
from tests.world.judging import FindingError
from tests.world.server import Serving

_FEW = 32  # timers of those who have gone, whatever has been


def check_memory(server: Serving, *, most: int) -> None:
    """`most`: connections that there have been at once. Raises FindingError."""
    hub, resumes = server.hub, server.resumes
    if hub is None or resumes is None:
        return
    backlog, snapshots = hub.backlog, hub._snapshots
    window = hub.limits.window_events * 11 // 10 + 1
    kept = {
        "events": (len(backlog._records), window),
        "events of nodes": (len(backlog._nodes), window),
        "events by namespace": (sum(map(len, backlog._of.values())), window),
        "events seen": (max((len(view._seqs) for view in backlog._views.values()), default=0), window),
        "views": (len(backlog._views), len(hub) + 1),
        "timers": (len(hub._alarm._timers), _FEW + 6 * (most + 1)),
        "states made": (len(snapshots._ready), 4),
        "who wait for a state": (sum(map(len, snapshots._waiting.values())), len(hub)),
        "who were given one": (
            sum(member.gone for made in snapshots._ready.values() for member in made.members),
            0,
        ),
        "who resumed": (len(resumes._given), most + 4),
    }
    kept |= _of_the_source(server)
    words = [len(member.session._urgent) for member in hub]
    kept["words that wait for one client"] = max(words, default=0), 2 * (MANY + len(hub.health.faults) + 2)
    over = {what: f"{count} > {bound}" for what, (count, bound) in kept.items() if count > bound}
    if over:
        raise FindingError(f"memory: {over}")


def _of_the_source(server: Serving) -> dict[str, tuple[int, int]]:
    streams = None if server.source is None else server.source._streams
    if server.source is None or streams is None:
        return {}
    reflectors = [watcher.reflector for watcher, _ in streams._running.values()]
    superseded = [reflector._sightings._superseded for reflector in reflectors]
    uncommitted = server.source._uncommitted
    return {
        "streams": (len(reflectors), 4 + sum(1 for _ in streams._inventories[Kind.NAMESPACE].known())),
        "watches that are open": (len(streams._contact._watching), len(reflectors)),
        "what is past": (max(len(each._past) for each in superseded), 1000),
        "what is gone": (max(len(each._gone) for each in superseded), 10_000),
        # As many wait as are being committed.
        "what is not committed": (sum(map(len, uncommitted.values())), 2 * (WAITING + len(reflectors) + 1)),
        "streams of which something is not committed": (len(uncommitted), len(reflectors) + 4),
    }


def check_left(server: Serving) -> None:
    """Everyone has gone. Raises FindingError."""
    hub = server.hub
    assert hub is not None
    left = {
        "clients": len(hub),
        "crowds": len(hub._crowds),
        "views": len(hub.backlog._views),
        "views by namespace": len(hub.backlog._routes._named),
        "views by label": len(hub.backlog._routes._choices),
        "slow": len(hub.slow),
        "who wait for a state": sum(map(len, hub._snapshots._waiting.values())),
    }
    if any(left.values()):
        raise FindingError(f"left over: when everyone had gone: {left}")
