"""The two halves of the path: from a source into the log, and from the log to the clients."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing

from kstream.core.errors import LogFullError
from kstream.core.timeline.events import Delivery, Known
from kstream.core.timeline.health import Cleared, ErrorCode, Fault, Identified
from kstream.core.timeline.recorder import Recorder
from kstream.delivery.hub import Hub
from kstream.ports import Clock, EventLog, Jump, Reporter, Source
from kstream.retention import Retention

_FULL = "log"
_RETRY = 5.0  # seconds between tries to write to a full disk


async def record(
    source: Source,
    log: EventLog,
    clock: Clock,
    *,
    report: Reporter,
    progress: Callable[[int, int], None] | None = None,
    committed: Callable[[float], None] | None = None,
    retention: Retention | None = None,
) -> None:
    """Append what the source says until it ends; `progress` hears (events, suppressed) after each delivery.

    `committed` hears how many seconds each commit took.

    A full disk stops nothing: `retention` may drop old events to make room; where it may not, that is reported,
    and the same events are tried again until they fit, so the log has no gap. Raises LogError for a log that is
    broken or of another cluster.
    """
    recorder = Recorder(await log.state_at(log.head))
    known = Known(recorder.versions(), log.versions)
    events = 0
    async with aclosing(source.deliveries(known)) as deliveries:
        async for delivery in deliveries:
            for said in delivery.reports:
                if isinstance(said, Identified):
                    await log.identify(said.cluster)
            changes = recorder.take(delivery.events)
            if changes or delivery.versions:
                began = clock.monotonic()
                await _append(log, clock, delivery._replace(events=changes), report, retention)
                if committed is not None:
                    committed(clock.monotonic() - began)
            for said in delivery.reports:
                report(said, after=log.head)
            events += len(changes)
            if progress is not None:
                progress(events, recorder.suppressed)


async def _append(
    log: EventLog, clock: Clock, delivery: Delivery, report: Reporter, retention: Retention | None
) -> None:
    full = False
    while True:
        try:
            await log.append(delivery.events, versions=delivery.versions)
        except LogFullError as error:
            if retention is not None and await retention.make_room():
                continue
            if not full:
                full = True
                message = "The event log is full: what is shown is stale"
                report(Fault(ErrorCode.WATCH_ERROR, message, str(error), _FULL, stale=True), after=log.head)
            await clock.sleep(_RETRY)
        else:
            if full:
                report(Cleared(_FULL), after=log.head)
            return


async def follow(log: EventLog, hub: Hub) -> None:
    """Hand what is committed to the hub, until the log ends."""
    async with aclosing(log.follow(hub.state.seq)) as batches:
        async for batch in batches:
            if isinstance(batch, Jump):
                hub.jump(batch.state)
            elif batch:
                hub.publish(batch)
                await hub.flush()
