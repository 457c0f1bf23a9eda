"""Which streams are watched: what the settings ask for, and what stands in where RBAC says no (LISTWATCH 12)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final

from kstream.core.timeline.events import Delivery, Kind, Known, ObjectKey, Verb, WatchEvent, deleted_body
from kstream.core.timeline.health import Cleared, ErrorCode, Fault, Report
from kstream.core.watching.backoff import Randomness
from kstream.core.watching.completeness import NEVER
from kstream.core.watching.contact import Contact
from kstream.core.watching.inventory import Inventory
from kstream.core.watching.reflection import (
    Allowed,
    Forbidden,
    Freshness,
    InTouch,
    OutOfTouch,
    Output,
    Stream,
    Unauthorized,
)
from kstream.core.watching.reflector import Reflector
from kstream.core.watching.touch import Touch
from kstream.ports import Clock
from kstream.sources.apiserver import ApiServer
from kstream.sources.outage import Outage
from kstream.sources.watch import Watcher, now_of

ALL_PODS: Final = Stream(Kind.POD)
GRACE: Final = 10.0  # seconds that a state is withheld because a part of it is missing
Put = Callable[[str, Delivery, float], Awaitable[None]]
Renew = Callable[[int, bool], Awaitable[None]]


class Streams:
    """Starts and stops the watchers, and turns what they say into deliveries.

    `put` takes (name of the stream, delivery, up to when the stream is complete with it); `renew` is asked for other
    credentials than those with a serial number, at once or only if a file has changed.
    """

    def __init__(
        self,
        api: ApiServer,
        *,
        clock: Clock,
        rng: Randomness,
        touch: Touch,
        put: Put,
        renew: Renew,
        watch_list: bool,
    ) -> None:
        self._api = api
        self._clock = clock
        self._rng = rng
        self._touch = touch
        self._put = put
        self._renew = renew
        self._watch_list = watch_list
        self._inventories = {kind: Inventory(kind) for kind in Kind}
        self._contact = Contact()
        self._running: dict[Stream, tuple[Watcher, asyncio.Task[None]]] = {}
        self._tasks: asyncio.TaskGroup | None = None
        self._away = asyncio.Event()  # perhaps nobody answers some of the streams
        self._standing_in = False  # watches per namespace do the work of ALL_PODS
        self._namespaces_denied = False
        self._absent: frozenset[str] = frozenset()  # of the namespaces that were asked for, what is not there

    def freshness(self) -> list[Freshness]:
        now = now_of(self._clock)
        return [watcher.reflector.freshness(now) for watcher, _ in self._running.values()]

    async def run(self, known: Known) -> None:
        """Watch until cancelled, going on from what is known."""
        streams = self._wanted()
        time = self._clock.time()
        watched: list[tuple[ObjectKey, str]] = []
        gone: list[WatchEvent] = []
        for key, version in known.objects.items():
            if any(_covers(stream, key) for stream in streams):
                watched.append((key, version))
            else:  # an earlier run watched more: what nobody watches must not be shown
                gone.append(WatchEvent(Verb.DELETED, key, version, time, deleted_body(key)))
        for inventory in self._inventories.values():
            inventory.load(watched)
        names = {stream.name for stream in streams}
        # A stream that is not watched now misses events: if it is ever watched again, it has to list.
        versions = {name: "" for name, version in known.versions.items() if version and name not in names}
        async with asyncio.TaskGroup() as self._tasks:
            await self._put("", Delivery(gone, versions), NEVER)
            self._tasks.create_task(self._end_grace(), name="grace")
            self._tasks.create_task(self._end_outages(), name="outages")
            for stream in streams:
                self._start(stream)

    async def _end_outages(self) -> None:
        while True:
            outage = Outage(self._api, self._clock)
            await self._away.wait()
            while any(watcher.reflector.retry.away for watcher, _ in self._running.values()):
                if await outage.ended():
                    for watcher, _ in self._running.values():
                        watcher.back()
                    break
            self._away.clear()

    async def _end_grace(self) -> None:
        """Show what there is, beside a list that hangs; one that goes on is waited for until it says how long."""
        await self._clock.sleep(GRACE)
        await self._put("", Delivery(reports=self._touch.grace_over()), NEVER)
        while awaited := self._touch.awaited:
            for stream in awaited:
                # Others run while something is put: perhaps all pods may be watched now, and this one is no longer.
                running = self._running.get(stream)
                if (
                    running is not None
                    and now_of(self._clock).monotonic - running[0].reflector.tally.heard >= GRACE
                ):
                    cause = f"nothing was heard of the {stream.resource} for {GRACE:g} s"
                    await self._put("", Delivery(reports=self._touch.late(stream, cause)), NEVER)
            await self._clock.sleep(1.0)

    def complete_until(self) -> dict[str, float]:
        """By stream, up to when all there was has been handed over, monotonic seconds, NEVER before that. One that may
        not be watched, and of which nothing is shown, is left out."""
        now = now_of(self._clock)
        reflectors = [watcher.reflector for watcher, _ in self._running.values()]
        return {
            reflector.stream.name: reflector.complete_until(now)
            for reflector in reflectors
            if not reflector.denied or self._shows(reflector.stream)
        }

    def _shows(self, stream: Stream) -> bool:
        """Something is shown that this stream alone could keep up with the cluster."""
        inventory = self._inventories[stream.kind]
        if stream == ALL_PODS and self._standing_in:
            return not {each.namespace for each in self._stand_ins()}.issuperset(inventory.namespaces)
        return inventory.count(stream.namespace) > 0

    def _wanted(self) -> list[Stream]:
        namespaces = tuple(dict.fromkeys(self._api.settings.namespaces))
        pods = [Stream(Kind.POD, namespace) for namespace in namespaces] or [ALL_PODS]
        return [Stream(Kind.NODE), Stream(Kind.NAMESPACE, only=frozenset(namespaces)), *pods]

    def _start(self, stream: Stream) -> None:
        assert self._tasks is not None, f"{stream.name} is to be watched before the streams run"
        self._touch.expect(stream)
        reflector = Reflector(
            stream,
            self._inventories[stream.kind],
            contact=self._contact,
            rng=self._rng,
            watch_list=self._watch_list,
        )
        watcher = Watcher(reflector, self._api, self._clock, self._deliver)
        self._running[stream] = (watcher, self._tasks.create_task(watcher.run(), name=stream.name))

    async def _deliver(self, watcher: Watcher, output: Output) -> None:
        stream = watcher.reflector.stream
        reports: list[Report] = []
        versions = {} if output.version is None else {stream.name: output.version}
        events = list(output.events)
        stopped: list[asyncio.Task[None]] = []
        if stream == ALL_PODS:
            stopped = self._on_all_pods(watcher.reflector, output, reports, versions)
        elif stream.kind is Kind.NAMESPACE:
            self._namespaces_denied = _denied(output, self._namespaces_denied)
            if self._standing_in:
                stopped = self._stand_in(events, reports, versions)
        for note in output.notes:
            if isinstance(note, Forbidden):
                note = note._replace(holds=self._shows(stream))
            reports += self._touch.note(stream, note)
        if watcher.reflector.retry.away:
            self._away.set()
        for task in stopped:
            task.cancel()
        complete = watcher.reflector.complete_until(now_of(self._clock))
        if stream.kind is Kind.NAMESPACE and (complete > NEVER or watcher.reflector.denied):
            reports += self._look_for_absent(denied=watcher.reflector.denied)
        await self._put(
            stream.name, Delivery(events, versions, reports), watcher.reflector.completeness.before
        )
        if stopped:
            await asyncio.wait(stopped)
        for note in output.notes:
            if isinstance(note, Unauthorized):
                await self._renew(watcher.serial, False)
            elif isinstance(note, OutOfTouch):
                await self._renew(watcher.serial, True)

    def _look_for_absent(self, *, denied: bool) -> list[Report]:
        """Whoever asks for a namespace that is not there sees an empty cluster, and would like to know why."""
        there = {key.name for key in self._inventories[Kind.NAMESPACE].known()}
        absent = frozenset() if denied else frozenset(self._api.settings.namespaces) - there
        before, self._absent = self._absent, absent
        return [
            *(Cleared(f"namespace:{name}") for name in sorted(before - absent)),
            *(_absent(name) for name in sorted(absent - before)),
        ]

    # ------------------------------------------------- pods, where all of them are not allowed

    def _on_all_pods(
        self, reflector: Reflector, output: Output, reports: list[Report], versions: dict[str, str]
    ) -> list[asyncio.Task[None]]:
        """Begin to stand in, or end it. The tasks that are no longer needed."""
        if any(isinstance(note, Forbidden) for note in output.notes):
            if self._standing_in:
                return []
            self._standing_in = True
            versions[ALL_PODS.name] = ""
            return self._stand_in([], reports, versions)
        if self._standing_in and any(isinstance(note, Allowed) for note in output.notes):
            self._standing_in = False
            reflector.restart()
            return self._stop(self._stand_ins(), reports, versions)
        return []

    def _stand_in(
        self, events: list[WatchEvent], reports: list[Report], versions: dict[str, str]
    ) -> list[asyncio.Task[None]]:
        """One watch of pods for each namespace there is; the pods of one that is gone are gone."""
        names = {key.name for key in self._inventories[Kind.NAMESPACE].known()}
        if self._namespaces_denied:
            names.add(self._api.credentials.namespace or "default")
        wanted = {Stream(Kind.POD, name) for name in names}
        running = set(self._stand_ins())
        for stream in sorted(wanted - running):
            self._start(stream)
        gone = sorted(running - wanted)
        for stream in gone:
            events += self._inventories[Kind.POD].clear(stream.namespace, time=self._clock.time())
        return self._stop(gone, reports, versions)

    def _stand_ins(self) -> list[Stream]:
        return [stream for stream in self._running if stream.kind is Kind.POD and stream != ALL_PODS]

    def _stop(
        self, streams: Iterable[Stream], reports: list[Report], versions: dict[str, str]
    ) -> list[asyncio.Task[None]]:
        tasks = []
        for stream in streams:
            _, task = self._running.pop(stream)
            tasks.append(task)
            self._contact.ended(stream)
            versions[stream.name] = ""
            reports += self._touch.forget(stream)
        return tasks


def _absent(name: str) -> Fault:
    details = f"Create it, or start with another --namespace than {name}; its pods are shown once it is there"
    return Fault(
        ErrorCode.WATCH_ERROR, f"There is no namespace '{name}' in the cluster", details, f"namespace:{name}"
    )


def _covers(stream: Stream, key: ObjectKey) -> bool:
    return (
        stream.kind is key.kind
        and stream.namespace in ("", key.namespace)
        and (not stream.only or key.name in stream.only)
    )


def _denied(output: Output, before: bool) -> bool:
    notes: Sequence[object] = output.notes
    if any(isinstance(note, Forbidden) for note in notes):
        return True
    return before and not any(isinstance(note, InTouch) for note in notes)
