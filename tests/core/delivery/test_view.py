"""What one filter lets through: batches, single events, and how far a client is."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kstream.core.delivery.backlog import Backlog
from kstream.core.delivery.filters import EVERYTHING, Filter
from kstream.core.delivery.frames import text_frame
from kstream.core.delivery.limits import Limits
from kstream.core.delivery.tally import Tally
from kstream.core.delivery.view import View, catch_up
from kstream.core.errors import DivergedError
from kstream.core.timeline.events import Event, Verb, WatchEvent
from tests.clientfold import ClientFold
from tests.core.delivery.viewing import actions, of_pods
from tests.frames_reader import FrameReader
from tests.making import START, change, namespace_key, numbered, pod_key, take


def test_a_batch_joins_what_happened_to_an_object() -> None:
    a, b, c, d = (pod_key(name) for name in "abcd")
    backlog = Backlog(head=0)
    view = backlog.open(EVERYTHING)
    take(
        backlog,
        numbered(
            [
                change(Verb.ADDED, a),
                change(Verb.ADDED, b),
                change(Verb.MODIFIED, c),
                change(Verb.MODIFIED, a, note="later"),
                change(Verb.DELETED, b),
                change(Verb.MODIFIED, d),
                change(Verb.DELETED, c),
            ]
        ),
    )
    (frame,) = view.batch(0, 0)
    (message,) = FrameReader().messages(frame)
    assert actions(frame) == [("ADDED", "a"), ("MODIFIED", "d"), ("DELETED", "c")]
    assert message["seq"] == 7
    assert message["data"][0]["seq"] == 4
    assert message["data"][0]["data"]["nodeName"] == "later"


def test_a_deleted_and_recreated_object_is_two() -> None:
    backlog = Backlog(head=0)
    view = backlog.open(EVERYTHING)
    take(
        backlog,
        numbered([change(Verb.DELETED, pod_key("a", uid="1")), change(Verb.ADDED, pod_key("a", uid="2"))]),
    )
    (frame,) = view.batch(0, 0)
    assert actions(frame) == [("DELETED", "a"), ("ADDED", "a")]


def test_what_cancels_out_is_no_message() -> None:
    backlog = Backlog(head=0)
    view = backlog.open(EVERYTHING)
    take(backlog, numbered([change(Verb.ADDED, pod_key("a")), change(Verb.DELETED, pod_key("a"))]))
    assert view.batch(0, 0) == ()


@st.composite
def histories(draw: st.DrawFn) -> list[WatchEvent]:
    """Changes as a recorder would let them through: ADDED, then MODIFIED, then DELETED."""
    alive: set[str] = set()
    changes = []
    for number in range(draw(st.integers(1, 40))):
        name = draw(st.sampled_from("abcdef"))
        if name not in alive:
            alive.add(name)
            changes.append(change(Verb.ADDED, pod_key(name), note=str(number)))
        elif draw(st.booleans()):
            changes.append(change(Verb.MODIFIED, pod_key(name), note=str(number)))
        else:
            alive.remove(name)
            changes.append(change(Verb.DELETED, pod_key(name)))
    return changes


@given(histories(), st.data())
def test_a_batch_has_the_effect_of_its_events(changes: list[WatchEvent], data: st.DataObject) -> None:
    events = numbered(changes)
    after = data.draw(st.integers(0, len(events) - 1))
    single, joined = ClientFold(), ClientFold()
    for event in events:
        backlog = Backlog(head=event.seq - 1)
        view = backlog.open(EVERYTHING)
        take(backlog, [event])
        (message,) = FrameReader().messages(view.singles(event.seq - 1, 0))
        single.take(message)
        if event.seq <= after:
            joined.take(json.loads(json.dumps(message)))
    for frame in catch_up(events[after:], EVERYTHING, head=len(events), time=0.0, window_bits=0):
        for message in FrameReader().messages(frame):
            joined.take(message)
    assert joined.objects == single.objects


@pytest.mark.parametrize(("head", "goes"), [(4, False), (5, True), (6, True)])
def test_a_view_never_goes_back(head: int, goes: bool) -> None:
    view = View(EVERYTHING, 5, Tally())
    if goes:
        view.advance(head)
        assert view.head == head
        return
    with pytest.raises(DivergedError, match="A view at 5, with events up to 5, was told to go to 4"):
        view.advance(head)


def test_a_view_without_events_never_goes_back_either() -> None:
    view = View(EVERYTHING, 3, Tally())
    view.advance(5)
    with pytest.raises(DivergedError, match="A view at 5, with events up to 3, was told to go to 4"):
        view.advance(4)


def test_a_view_is_never_short_of_what_it_holds() -> None:
    backlog = Backlog(head=0)
    view = backlog.open(EVERYTHING)
    take(backlog, of_pods(3))
    view.head = 1
    with pytest.raises(DivergedError, match="A view at 1, with events up to 3, was told to go to 2"):
        view.advance(2)


def test_what_is_due_is_encoded_once_for_all_who_are_where_one_is_and_counted_once() -> None:
    tally = Tally()
    backlog = Backlog(head=0, tally=tally)
    view = backlog.open(EVERYTHING)
    take(backlog, of_pods(3))
    for made in (view.singles, view.batch):
        tally.messages_bytes = tally.frames_bytes = 0
        first = made(1, 0)
        data = first if isinstance(first, bytes) else b"".join(first)
        assert tally.frames_bytes == len(data)
        assert tally.messages_bytes == sum(len(frame.payload) for frame in FrameReader().feed(data))
        assert made(1, 0) is first
        assert tally.frames_bytes == len(data)
        assert made(0, 0) is not first


def test_a_window_that_deflates_gets_frames_of_its_own() -> None:
    backlog = Backlog(head=0)
    view = backlog.open(EVERYTHING)
    take(backlog, of_pods(2, note="x" * 2000))
    plain, packed = view.singles(0, 0), view.singles(0, 15)
    assert [frame.compressed for frame in FrameReader().feed(packed)] == [True, True]
    assert FrameReader().messages(packed) == FrameReader().messages(plain)
    assert [frame.compressed for frame in FrameReader().feed(view.batch(0, 15)[0])] == [True]
    assert view.singles(0, 0) is plain


def test_what_was_encoded_is_forgotten_when_more_has_come_and_when_it_is_trimmed() -> None:
    backlog = Backlog(head=0)
    view = backlog.open(EVERYTHING)

    def shown() -> tuple[int, int]:
        return len(actions(view.singles(0, 0))), len(actions(view.batch(0, 0)[0]))

    take(backlog, of_pods(10))
    assert shown() == (10, 10)
    take(backlog, of_pods(1, after=10))
    assert shown() == (11, 11)
    view.trim(5)
    assert (view.lost, shown()) == (5, (6, 6))
    view.trim(4)
    assert view.lost == 5, "that was gone already"


def test_only_so_many_cursors_are_kept_encoded_and_the_others_get_the_same() -> None:
    backlog = Backlog(head=0)
    view = backlog.open(EVERYTHING)
    take(backlog, of_pods(70))
    for made in (view.singles, view.batch):
        kept = [made(cursor, 0) is made(cursor, 0) for cursor in range(66)]
        assert kept == [True] * 64 + [False] * 2
        assert made(65, 0) == made(65, 0)


def test_a_cursor_at_the_end_has_nothing_to_get() -> None:
    backlog = Backlog(head=7)
    view = backlog.open(EVERYTHING)
    assert (view.last, view.lost, view.head, view.count(7), view.singles(7, 0)) == (7, 7, 7, 0, b"")
    take(backlog, of_pods(2, after=7))
    assert (view.last, view.head, view.count(8), view.count(9)) == (9, 9, 1, 0)


def test_a_batch_has_the_time_of_its_last_event_and_the_number_of_the_head() -> None:
    backlog = Backlog(head=0)
    view = backlog.open(Filter(frozenset({"a"})))
    take(
        backlog,
        [
            *numbered(
                [change(Verb.ADDED, pod_key(name, "a"), time=START + n) for n, name in enumerate("xy")]
            ),
            Event(3, change(Verb.ADDED, namespace_key("a"), time=START + 9)),
            Event(4, change(Verb.ADDED, pod_key("z", "b"), time=START + 99)),
        ],
    )
    (message,) = FrameReader().messages(view.batch(0, 0)[0])
    assert (message["seq"], message["timestamp"]) == (4, "2025-01-24T10:00:09.000Z")


def test_what_was_missed_is_read_from_the_log_by_the_filter() -> None:
    events = numbered([change(Verb.ADDED, pod_key("a", "shop")), change(Verb.ADDED, pod_key("b", "bank"))])
    shop = Filter(frozenset({"shop"}))
    (frame,) = catch_up(events, shop, head=9, time=START, window_bits=0)
    (message,) = FrameReader().messages(frame)
    assert (actions(frame), message["seq"], message["timestamp"]) == (
        [("ADDED", "a")],
        9,
        "2025-01-24T10:00:00.000Z",
    )
    assert frame == text_frame(FrameReader().feed(frame)[0].payload, 0)
    assert catch_up(events, Filter(frozenset({"none"})), head=9, time=START, window_bits=0) == ()
    big = numbered([change(Verb.ADDED, pod_key("a", "shop"), note="x" * 2000)])
    (packed,) = catch_up(big, shop, head=9, time=START, window_bits=15)
    assert FrameReader().feed(packed)[0].compressed


@pytest.mark.parametrize(
    ("after", "until"), [(0, None), (1, START + 20), (2, START + 20), (3, START + 25), (9, START + 25)]
)
def test_one_is_complete_as_it_was_before_the_first_event_that_it_has_not_got(
    after: int, until: float | None
) -> None:
    backlog = Backlog(head=0)
    view = backlog.open(EVERYTHING)
    events = numbered([change(Verb.ADDED, pod_key(f"p{n}"), time=START + 60) for n in range(3)])
    take(backlog, events[:1])
    take(backlog, events[1:], as_of=START + 20)
    assert view.complete_until(after, START + 25) == until


def test_nobody_knows_how_old_it_is_who_lacks_an_event_that_is_no_longer_here() -> None:
    backlog = Backlog(head=0, limits=Limits(window_events=10))
    view = backlog.open(EVERYTHING)
    for seq in range(1, 21):
        take(backlog, [Event(seq, change(Verb.ADDED, pod_key(f"p{seq}")))], as_of=START + seq)
    assert view.lost == 10
    assert view.complete_until(9, START + 60) is None
    assert view.complete_until(10, START + 60) == START + 11
