"""`kstream record`: the live cluster into a file, without a server."""

from __future__ import annotations

import asyncio
import logging
import sys

import click

from kstream.clock import SystemClock
from kstream.commands import statusline
from kstream.commands.cluster import cluster_options, kube_source
from kstream.commands.keeping import keep_settings, keeping_options, retention
from kstream.commands.livelog import open_live
from kstream.config import VERSION, Finite, env_option, logging_options
from kstream.core.errors import ConfigError, ForbiddenError, KstreamError, LogError, UnreachableError
from kstream.core.timeline.health import ErrorCode, Health, Report
from kstream.core.timeline.retention import Keep
from kstream.ending import first_of, stop_on_signals
from kstream.logs.sqlite import SqliteLog
from kstream.ports import Clock, Source
from kstream.processlog.faults import FaultLog
from kstream.processlog.lines import Form, say
from kstream.processlog.setup import process_log
from kstream.retention import Retention
from kstream.service import LOG_FAULT
from kstream.service import record as record_from

_log = logging.getLogger(__name__)
_YEARS = 1e9  # seconds, some thirty years
_PROGRESS_EVERY = 0.25  # seconds between two looks at the counter
_WORST: dict[ErrorCode, type[KstreamError]] = {
    ErrorCode.INVALID_KUBECONFIG: ConfigError,
    ErrorCode.CONNECTION_FAILED: UnreachableError,
    ErrorCode.CLUSTER_UNREACHABLE: UnreachableError,
    ErrorCode.PERMISSION_DENIED: ForbiddenError,
}


class _Progress:
    """What was recorded; on a terminal a line of stderr that changes tells it."""

    def __init__(self, log: SqliteLog, clock: Clock) -> None:
        self.health = Health()
        self._log = log
        self._clock = clock
        self._began = clock.monotonic()
        self._counts = (0, 0)
        self._terminal = sys.stderr.isatty()
        self._shown = 0.0

    def count(self, events: int, suppressed: int) -> None:
        self._counts = (events, suppressed)
        now = self._clock.monotonic()
        if self._terminal and now - self._shown >= _PROGRESS_EVERY:
            self._shown = now
            statusline.show(self.line())

    def report(self, report: Report, *, after: int) -> None:
        self.health.apply(report)

    def line(self) -> str:
        events, suppressed = self._counts
        elapsed = self._clock.monotonic() - self._began
        return f"{events} events recorded, {suppressed} that changed nothing left out, {elapsed:.0f} s"

    def done(self, path: str) -> None:
        events, suppressed = self._counts
        seconds = round(self._clock.monotonic() - self._began, 1)
        say(
            _log,
            logging.INFO,
            "recorded",
            log=path,
            events=events,
            suppressed=suppressed,
            head=self._log.head,
            seconds=seconds,
        )


@click.command()
@click.argument("log", type=click.Path(dir_okay=False))
@cluster_options
@keeping_options(temporary=False)
@env_option("--duration", type=Finite(0, _YEARS, min_open=True), help="Stop after so many seconds.")
@logging_options
def record(log: str, duration: float | None, log_format: Form, log_level: str, **cluster: object) -> None:
    """Record the live cluster to the file LOG, until Ctrl-C. An existing LOG of the same cluster goes on."""
    with process_log(log_format, log_level, clock=SystemClock()):
        asyncio.run(_record(log, duration, keep_settings(cluster), cluster))


async def _record(path: str, duration: float | None, keep: Keep, cluster: dict[str, object]) -> None:
    clock = SystemClock()
    source = kube_source(cluster, clock)
    log = await open_live(path)
    say(_log, logging.INFO, "started", mode="record", version=VERSION, log=path, head=log.head)
    progress = _Progress(log, clock)
    try:
        keeping = retention(log, keep, clock=clock, time=clock.time)
        await _until_stopped(source, log, clock, progress, duration, keeping)
    finally:
        await log.close()
    progress.done(path)
    if (unwritten := progress.health.faults.get(LOG_FAULT)) is not None:
        raise LogError(f"What came last is not in the log. {unwritten.details}")
    if not progress.health.synced:
        # Nothing was recorded that is worth keeping: a script should notice.
        for fault in progress.health.faults.values():
            raise _WORST.get(fault.code, UnreachableError)(f"{fault.message}. {fault.details}".rstrip())


async def _until_stopped(
    source: Source,
    log: SqliteLog,
    clock: Clock,
    progress: _Progress,
    duration: float | None,
    keeping: Retention,
) -> None:
    stop = asyncio.Event()
    stop_on_signals(stop)
    try:
        async with asyncio.TaskGroup() as tasks:
            recording = tasks.create_task(
                record_from(
                    source,
                    log,
                    clock,
                    report=FaultLog(progress.report, clock),
                    progress=progress.count,
                    retention=keeping,
                )
            )
            trimming = tasks.create_task(keeping.run())
            await clock.wait(stop, duration if duration is not None else float("inf"))
            recording.cancel()
            trimming.cancel()
    except* KstreamError as group:
        raise first_of(group) from None
