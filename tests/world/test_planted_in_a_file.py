"""The same of the world with the switch `file`: the log in a file, and the process that serves it beside another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kstream.core.timeline import health
from kstream.logs import reading, store
from kstream.workers import worker
from tests.world.search import search

pytestmark = pytest.mark.untraced
Plant = Callable[[pytest.MonkeyPatch], None]


def a_file_forgets_that_it_was_begun_anew(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(store.Store, "_begun", lambda _, found: found)


def a_file_is_read_with_gaps(patch: pytest.MonkeyPatch) -> None:
    original = reading.span

    def span(connection: Any, after: int, upto: int) -> Any:
        return [event for event in original(connection, after, upto) if event.seq % 20]

    patch.setattr(reading, "span", span)


def a_worker_is_told_faults_only_when_it_is_there(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(health.Health, "retold", lambda _: [])


def a_worker_takes_what_it_hears_for_complete(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(worker.Foreman, "watermark", lambda self: (self._clock.monotonic(), 0))


LOSSES = frozenset({"put back", "lost tail"})
PLANTED: dict[Plant, tuple[range, frozenset[str]]] = {
    a_file_forgets_that_it_was_begun_anew: (range(5), LOSSES),
    a_file_is_read_with_gaps: (range(5), frozenset()),
    a_worker_is_told_faults_only_when_it_is_there: (range(5, 10), frozenset()),
    a_worker_takes_what_it_hears_for_complete: (range(5), frozenset()),
}
"""A defect → among which seeds it is found, with which switches."""


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
def test_a_planted_defect_is_found(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    seeds, switches = PLANTED[plant]
    assert search(seeds, switches | {"file"}) is not None
