"""The world is proven: defects that are put in on purpose are found within so many seeds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kstream.core.delivery import backlog, session
from kstream.core.timeline import health, recorder, state
from kstream.core.watching import inventory, reflector
from kstream.delivery import hub
from kstream.web import resuming
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


def an_event_is_skipped(patch: pytest.MonkeyPatch) -> None:
    original = backlog.View.append
    patch.setattr(backlog.View, "append", _every(20, original, lambda *_: None))


def deleted_is_forgotten_by_a_list(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(inventory.Inventory, "end_sweep", lambda *_, **__: [])


def the_recorder_drops_what_is_new(patch: pytest.MonkeyPatch) -> None:
    original = recorder.Recorder.take
    patch.setattr(recorder.Recorder, "take", _every(15, original, lambda *_: []))


def a_deletion_does_not_reach_the_fold(patch: pytest.MonkeyPatch) -> None:
    original = state.ClusterState._fold

    def fold(self: Any, change: Any) -> bool:
        return True if change.verb == "DELETED" else original(self, change)

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


PLANTED: dict[Plant, int] = {
    an_event_is_skipped: 20,
    deleted_is_forgotten_by_a_list: 60,
    the_recorder_drops_what_is_new: 20,
    a_deletion_does_not_reach_the_fold: 20,
    a_resume_forgets_what_was_missed: 60,
    terms_are_not_looked_at: 60,
    lost_is_told_to_nobody: 60,
    an_outage_never_ends: 20,
    views_are_never_closed: 5,
    the_silence_of_a_watch_is_never_noticed: 200,
}
"""A defect → within how many seeds it is found."""


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
def test_a_planted_defect_is_found(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    switches = frozenset({"put back", "lost tail"} if plant is terms_are_not_looked_at else ())
    assert search(range(PLANTED[plant]), switches) is not None
