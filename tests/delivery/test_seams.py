"""What does not fit together is named where the parts meet, in production too."""

from __future__ import annotations

from pathlib import Path

import pytest

from kstream.core.delivery.backlog import Backlog
from kstream.core.delivery.filters import EVERYTHING
from kstream.core.delivery.limits import Limits
from kstream.core.delivery.session import Session
from kstream.core.errors import DivergedError, LogFormatError
from kstream.core.timeline.events import Event, Verb
from kstream.logs.sqlite import SqliteLog
from tests.hubs import running
from tests.making import change, numbered, pod_key, take


def added(*seqs: int) -> list[Event]:
    return [Event(seq, change(Verb.ADDED, pod_key(f"p{seq}"))) for seq in seqs]


@pytest.mark.parametrize("seqs", [(1,), (2,), (4,), (3, 5), (3, 3)], ids=str)
def test_a_backlog_refuses_a_gap_and_a_seq_that_goes_back(seqs: tuple[int, ...]) -> None:
    backlog = Backlog(head=0)
    take(backlog, added(1, 2))
    view = backlog.open(EVERYTHING)
    with pytest.raises(DivergedError, match="came after event 2"):
        take(backlog, added(*seqs))
    assert (backlog.head, view.head, view.count(0)) == (2, 2, 2)


def test_a_view_never_goes_back() -> None:
    backlog = Backlog(head=0)
    view = backlog.open(EVERYTHING)
    take(backlog, added(1, 2))
    with pytest.raises(DivergedError, match="A view at 2, with events up to 2, was told to go to 1"):
        view.advance(1)


def test_a_client_is_never_put_past_the_last_event() -> None:
    backlog = Backlog(head=0)
    take(backlog, added(1, 2))
    session = Session(backlog, EVERYTHING, limits=Limits(), window_bits=0, now=0.0)
    session.resume(2)
    with pytest.raises(DivergedError, match="at event 3, past the last one, 2"):
        session.resume(3)


async def test_a_hub_that_is_told_an_event_twice_says_so_and_shows_it_to_nobody() -> None:
    async with running() as (hub, _):
        hub.publish(added(1))
        with pytest.raises(DivergedError, match="Event 1 came after event 1"):
            hub.publish(added(1))
        assert (hub.state.seq, hub.backlog.head) == (1, 1)


async def test_a_log_whose_rows_contradict_each_other_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    log = await SqliteLog.open(path)
    await log.append([event.change for event in numbered([change(Verb.ADDED, pod_key("a"))])])
    await log.append([change(Verb.ADDED, pod_key("a"), note="again")])  # each row is as it was written
    with pytest.raises(LogFormatError, match="damaged: Event 2 is ADDED of the pod uid-default-a"):
        await log.state_at(2)
    await log.close()
