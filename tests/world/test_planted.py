"""The world is proven: defects that are put in on purpose are found within so many seeds."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest

from kstream import service
from kstream.core.delivery import backlog, limits, records, routes, session, snapshot, timers, view
from kstream.core.delivery.filters import EVERYTHING
from kstream.core.timeline import health, recorder, state
from kstream.core.timeline.health import Fault
from kstream.core.watching import completeness, history, inventory, reflector, touch
from kstream.delivery import hub, notices, snapshots
from kstream.sources import kube, streams
from kstream.web import resuming
from tests.making import START
from tests.world import server as world_server
from tests.world.search import search

pytestmark = pytest.mark.untraced
Plant = Callable[[pytest.MonkeyPatch], None]


def _every(nth: int, original: Callable[..., Any], instead: Callable[..., Any]) -> Callable[..., Any]:
    """The original, and each nth time something else."""
    count = 0

    def either(*given: Any, **named: Any) -> Any:
        nonlocal count
        count += 1
        return (instead if count % nth == 0 else original)(*given, **named)

    return either


def the_wall_clock_says_when_it_was(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(world_server, "time_at", lambda clock, monotonic: START + monotonic)


def an_event_is_skipped(patch: pytest.MonkeyPatch) -> None:
    original = view.View.append
    patch.setattr(view.View, "append", _every(20, original, lambda *_: None))


def deleted_is_forgotten_by_a_list(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(inventory.Inventory, "end_sweep", lambda *_, **__: [])


def the_recorder_drops_what_is_new(patch: pytest.MonkeyPatch) -> None:
    original = recorder.Recorder.take
    patch.setattr(recorder.Recorder, "take", _every(15, original, lambda *_: []))


def a_deletion_does_not_reach_the_fold(patch: pytest.MonkeyPatch) -> None:
    original = state.ClusterState._fold

    def fold(self: Any, change: Any) -> Any:
        return change if change.verb == "DELETED" else original(self, change)

    patch.setattr(state.ClusterState, "_fold", fold)


def a_resume_forgets_what_was_missed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(session.Session, "catch_up", lambda self, seq: session.Session.resume(self, self.view.head))


def terms_are_not_looked_at(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(resuming, "reach", lambda _terms, _term, *, head: head)


def lost_is_told_to_nobody(patch: pytest.MonkeyPatch) -> None:
    original = hub.Hub._report

    def report(self: Any, said: Any) -> None:
        if not isinstance(said, health.Lost):
            original(self, said)

    patch.setattr(hub.Hub, "_report", report)


def an_outage_never_ends(patch: pytest.MonkeyPatch) -> None:
    original = hub.Hub._report

    def report(self: Any, said: Any) -> None:
        if not (isinstance(said, health.Synced) and self.health.stale):
            original(self, said)

    patch.setattr(hub.Hub, "_report", report)


def views_are_never_closed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(backlog.Backlog, "close", lambda *_: None)


def the_silence_of_a_watch_is_never_noticed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(reflector.Reflector, "patience", property(lambda _: 1e6))


def an_event_comes_twice(patch: pytest.MonkeyPatch) -> None:
    original = view.View.append

    def append(self: Any, record: Any) -> None:
        original(self, record)
        if record.seq % 20 == 0:
            original(self, record)

    patch.setattr(view.View, "append", append)


def the_watermark_is_an_hour_ahead(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(hub.Hub, "as_of", property(lambda self: self.time() + 3600.0))


def the_watermark_is_that_of_the_server(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(view.View, "complete_until", lambda _self, _after, as_of: as_of)


def what_was_recorded_late_counts_as_seen_in_time(patch: pytest.MonkeyPatch) -> None:
    def complete_until(self: Any, after: int, as_of: float | None) -> float | None:
        late = [record for record in self._records if record.seq > after]
        return min(as_of or 0.0, late[0].event.change.time) if late else as_of

    patch.setattr(view.View, "complete_until", complete_until)


def a_watch_counts_as_soon_as_it_is_opened(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(completeness, "SETTLED", 0.0)


def _heard_without(patch: pytest.MonkeyPatch, kept: Callable[[Any], bool]) -> None:
    original = notices.Notices.hear
    patch.setattr(notices.Notices, "hear", lambda self, report: list(filter(kept, original(self, report))))


def a_fault_is_told_to_nobody(patch: pytest.MonkeyPatch) -> None:
    _heard_without(patch, lambda word: b'"type":"error"' not in word.message)


def a_fault_is_not_taken_back(patch: pytest.MonkeyPatch) -> None:
    _heard_without(patch, lambda word: b'"type":"cleared"' not in word.message)


def a_mark_is_not_taken_back(patch: pytest.MonkeyPatch) -> None:
    _heard_without(patch, lambda word: b'"status":"connected"' not in word.message)


def a_fault_is_not_told_to_late_comers(patch: pytest.MonkeyPatch) -> None:
    original = notices.Notices.greeting
    patch.setattr(
        notices.Notices,
        "greeting",
        lambda self, **given: [
            word for word in original(self, **given) if not word.about.startswith("fault ")
        ],
    )


def an_outage_is_no_fault(patch: pytest.MonkeyPatch) -> None:
    original = touch.Touch.unreachable
    patch.setattr(
        touch.Touch,
        "unreachable",
        lambda self, *given: [said for said in original(self, *given) if not isinstance(said, health.Fault)],
    )


def pods_are_counted_wrong(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        snapshot, "with_pod_count", lambda body, count: state.with_pod_count(body, count + (count == 7))
    )


def metrics_are_wrong(patch: pytest.MonkeyPatch) -> None:
    original = state.ClusterState.counts

    def counts(self: Any) -> Any:
        right = original(self)
        return right._replace(failedPods=right.failedPods + right.pendingPods % 2)

    patch.setattr(state.ClusterState, "counts", counts)


def pings_are_not_answered(patch: pytest.MonkeyPatch) -> None:
    original = session.Session._answer
    patch.setattr(session.Session, "_answer", _every(5, original, lambda *_: None))


def the_window_only_grows(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(backlog.Backlog, "_trim", lambda _: None)


def views_keep_what_the_window_drops(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(view.View, "trim", lambda *_: None)


def timers_of_who_has_gone_are_kept(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(timers.Timers, "forget", lambda *_: None)


def who_has_gone_still_waits_for_a_state(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(snapshots.Snapshots, "forget", lambda *_: None)


def nothing_limits_what_is_sent(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(limits.TokenBucket, "take", lambda *_, **__: True)


def a_resume_is_not_filtered(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        resuming, "catch_up", lambda events, _watched, **given: view.catch_up(events, EVERYTHING, **given)
    )


def what_ceases_to_match_is_not_told(patch: pytest.MonkeyPatch) -> None:
    original = records.Record.seen_by

    def seen_by(self: Any, watched: Any) -> Any:
        seen = original(self, watched)
        return None if seen is self._leaving else seen

    def by_labels(self: Any, record: Any) -> Any:
        return [(view, seen) for view, seen in found(self, record) if seen is not record._leaving]

    found = routes.Routes._by_labels
    patch.setattr(records.Record, "seen_by", seen_by)
    patch.setattr(routes.Routes, "_by_labels", by_labels)


def what_begins_to_match_is_told_as_modified(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(records.Record, "entering", property(lambda self: self))


def a_label_of_before_leads_nowhere(patch: pytest.MonkeyPatch) -> None:
    original = records.Record.labels
    patch.setattr(records.Record, "labels", lambda self: (None, original(self)[1]))


def a_resume_by_labels_knows_nothing_of_before(patch: pytest.MonkeyPatch) -> None:
    def caught_up(records_: Any, watched: Any, **given: Any) -> Any:
        return view.caught_up([records.Record(each.event) for each in records_], watched, **given)

    patch.setattr(resuming, "caught_up", caught_up)


def a_view_by_labels_claims_what_was_before_it(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(view.View, "misses", lambda *_: False)


def a_full_disk_is_told_to_nobody(patch: pytest.MonkeyPatch) -> None:
    original = service._kept

    async def kept(write: Any, log: Any, clock: Any, _: Any, retention: Any) -> None:
        await original(write, log, clock, lambda *_, **__: None, retention)

    patch.setattr(service, "_kept", kept)


def a_full_disk_leaves_clients_unmarked(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(service, "Fault", lambda *given, **named: Fault(*given, **{**named, "stale": False}))


def what_lies_unread_counts_as_heard(patch: pytest.MonkeyPatch) -> None:
    def heard(self: Any, now: Any) -> None:
        self._complete = now.time

    patch.setattr(completeness.Completeness, "heard", heard)


def nobody_stands_in_where_all_namespaces_are_forbidden(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(streams.Streams, "_stand_in", lambda *_: [])


def a_list_of_one_namespace_deletes_the_others(patch: pytest.MonkeyPatch) -> None:
    original = inventory.Inventory.end_sweep
    patch.setattr(
        inventory.Inventory,
        "end_sweep",
        lambda self, sweep, *, namespace, time: original(self, sweep, namespace="", time=time),
    )


def a_traceback_is_logged(patch: pytest.MonkeyPatch) -> None:
    original = hub.Hub.publish

    def publish(self: Any, events: Any) -> None:
        original(self, events)
        logging.getLogger("kstream").error("boom", exc_info=ValueError("x"))

    patch.setattr(hub.Hub, "publish", publish)


def a_callback_fails(patch: pytest.MonkeyPatch) -> None:
    original = hub.Hub.publish

    def publish(self: Any, events: Any) -> None:
        original(self, events)
        asyncio.get_running_loop().call_soon(lambda: 1 / 0)

    patch.setattr(hub.Hub, "publish", publish)


def a_watch_that_was_not_read_for_long_is_trusted(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(history.History, "blocked", lambda *_: None)


def watches_that_are_over_are_kept(patch: pytest.MonkeyPatch) -> None:
    original = history.History.opened

    def opened(self: Any) -> None:
        original(self)
        self._contact._watching.add(object())

    patch.setattr(history.History, "opened", opened)


def what_is_committed_still_counts(patch: pytest.MonkeyPatch) -> None:
    original = kube.KubeSource._put

    async def put(self: Any, stream: str, delivery: Any, before: float = 0.0) -> None:
        self._uncommitted[f"{stream} {len(self._uncommitted)}"].append(before)
        await original(self, stream, delivery, before)

    patch.setattr(kube.KubeSource, "_put", put)


PLANTED: dict[Plant, int | range] = {
    an_event_is_skipped: 20,
    deleted_is_forgotten_by_a_list: 60,
    the_recorder_drops_what_is_new: 20,
    a_deletion_does_not_reach_the_fold: 20,
    a_resume_forgets_what_was_missed: range(20, 30),
    terms_are_not_looked_at: 60,
    lost_is_told_to_nobody: 60,
    an_outage_never_ends: 20,
    views_are_never_closed: 5,
    the_silence_of_a_watch_is_never_noticed: range(30, 40),
    an_event_comes_twice: 20,
    the_watermark_is_an_hour_ahead: 1,
    the_watermark_is_that_of_the_server: 60,
    what_was_recorded_late_counts_as_seen_in_time: 60,
    a_watch_counts_as_soon_as_it_is_opened: 60,
    a_fault_is_told_to_nobody: 20,
    a_fault_is_not_taken_back: 20,
    a_mark_is_not_taken_back: 20,
    a_fault_is_not_told_to_late_comers: 60,
    an_outage_is_no_fault: 60,
    pods_are_counted_wrong: 20,
    metrics_are_wrong: 5,
    pings_are_not_answered: 5,
    the_window_only_grows: 20,
    views_keep_what_the_window_drops: 20,
    timers_of_who_has_gone_are_kept: 20,
    who_has_gone_still_waits_for_a_state: 60,
    nothing_limits_what_is_sent: range(15, 25),
    a_resume_is_not_filtered: range(190, 200),
    what_ceases_to_match_is_not_told: 20,
    what_begins_to_match_is_told_as_modified: 20,
    a_label_of_before_leads_nowhere: 20,
    a_resume_by_labels_knows_nothing_of_before: range(330, 340),
    a_view_by_labels_claims_what_was_before_it: range(125, 135),
    a_full_disk_is_told_to_nobody: 20,
    a_full_disk_leaves_clients_unmarked: 20,
    what_lies_unread_counts_as_heard: range(50, 60),
    nobody_stands_in_where_all_namespaces_are_forbidden: 20,
    a_list_of_one_namespace_deletes_the_others: 20,
    watches_that_are_over_are_kept: 5,
    what_is_committed_still_counts: 5,
    the_wall_clock_says_when_it_was: 8,
    a_traceback_is_logged: 1,
    a_callback_fails: 1,
    a_watch_that_was_not_read_for_long_is_trusted: 200,
}
"""A defect → within how many seeds it is found; of what is rare, among which."""


SWITCHED: dict[Plant, frozenset[str]] = {
    terms_are_not_looked_at: frozenset({"put back", "lost tail"}),
    nobody_stands_in_where_all_namespaces_are_forbidden: frozenset({"narrow"}),
    a_list_of_one_namespace_deletes_the_others: frozenset({"narrow"}),
    a_watch_that_was_not_read_for_long_is_trusted: frozenset({"restored"}),
}


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
def test_a_planted_defect_is_found(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    seeds = PLANTED[plant]
    among = seeds if isinstance(seeds, range) else range(seeds)
    assert search(among, SWITCHED.get(plant, frozenset())) is not None
