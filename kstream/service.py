"""The two halves of the path: from a source into the log, and from the log to the clients."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import aclosing
from functools import partial

from kstream.core.errors import LogBusyError, LogFullError
from kstream.core.timeline.events import Known
from kstream.core.timeline.health import Cleared, ErrorCode, Fault, Identified
from kstream.core.timeline.recorder import Recorder
from kstream.delivery.hub import Hub
from kstream.delivery.turn import Turn
from kstream.ports import Clock, EventLog, Jump, Reporter, Source
from kstream.retention import Retention

LOG_FAULT = "log"
_AT_ONCE = 50  # events that are handed to the hub, which has a view for each filter, before others may run
_RETRY = 5.0  # seconds between tries to write to a disk that is full, or a file that others hold


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

    A full disk stops nothing, nor does a program that holds the file locked: `retention` may drop old events to make
    room; where it may not, that is reported, and the same is tried again until it works, so the log has no gap.
    Raises LogError for a log that is broken or of another cluster.
    """
    recorder = Recorder(await log.state_at(log.head))
    known = Known(recorder.versions(), log.versions)
    events = 0
    async with aclosing(source.deliveries(known)) as deliveries:
        async for delivery in deliveries:
            for said in delivery.reports:
                if isinstance(said, Identified):
                    await _kept(partial(log.identify, said.cluster), log, clock, report, retention)
            changes = recorder.take(delivery.events)
            if changes or delivery.versions:
                began = clock.monotonic()
                append = partial(log.append, changes, versions=delivery.versions)
                await _kept(append, log, clock, report, retention)
                if committed is not None:
                    committed(clock.monotonic() - began)
            for said in delivery.reports:
                report(said, after=log.head)
            events += len(changes)
            if progress is not None:
                progress(events, recorder.suppressed)


async def _kept(
    write: Callable[[], Awaitable[object]],
    log: EventLog,
    clock: Clock,
    report: Reporter,
    retention: Retention | None,
) -> None:
    """Write to the log, again and again until that works."""
    told = ""
    while True:
        try:
            await write()
        except (LogFullError, LogBusyError) as error:
            full = isinstance(error, LogFullError)
            if full and retention is not None and await retention.make_room():
                continue
            message = (
                f"The event log is {'full' if full else 'held by another program'}: what is shown is stale"
            )
            if message != told:
                told = message
                report(
                    Fault(ErrorCode.WATCH_ERROR, message, str(error), LOG_FAULT, stale=True), after=log.head
                )
            await clock.sleep(_RETRY)
        else:
            if told:
                report(Cleared(LOG_FAULT), after=log.head)
            return


async def follow(log: EventLog, hub: Hub) -> None:
    """Hand what is committed to the hub, until the log ends; lets others run every few milliseconds."""
    async with aclosing(log.follow(hub.state.seq)) as batches:
        async for batch in batches:
            if isinstance(batch, Jump):
                hub.jump(batch.state)
            elif batch:
                turn = Turn(hub.clock)
                for first in range(0, len(batch), _AT_ONCE):
                    hub.publish(batch[first : first + _AT_ONCE])
                    await turn.rest()
                await hub.flush()
