"""A session changes what it watches."""

from __future__ import annotations

from kstream.core.delivery.backlog import Backlog
from kstream.core.delivery.filters import EVERYTHING, Filter
from kstream.core.delivery.snapshot import Snapshot
from kstream.core.timeline.events import Verb
from tests.core.delivery.flushed import told
from tests.core.delivery.sessions import sent, session_on, synced
from tests.making import START, change, numbered, pod_key, take


def test_another_filter_is_another_view_and_needs_a_state() -> None:
    backlog = Backlog(head=0)
    session = session_on(backlog)
    session.give(Snapshot(0, (b"a", b"b")))
    before = session.view
    session.receive(b'{"type":"subscribe","namespaces":["shop"]}', now=0.0, time=START)
    assert session.view.filter == Filter(frozenset({"shop"}))
    assert (session.wants_snapshot, session.sending, before.users) == (True, False, 0)
    session.leave()
    assert session.view.users == 0


def test_the_id_of_a_subscribe_is_kept_until_the_state_that_answers_it_is_on_its_way() -> None:
    backlog = Backlog(head=0)
    session = session_on(backlog)
    session.receive(b'{"type":"subscribe","labels":"app=web","id":"one"}', now=0.0, time=START)
    assert session.view.filter == Filter.parse(labels="app=web")
    session.receive(b'{"type":"subscribe","kinds":["pods"],"id":2}', now=0.0, time=START)
    assert session.answers == 2, "the state is that of the last"
    session.give(Snapshot(0, (b"a", b"b")))
    session.restart()
    answers = [session.answers]
    session.give(Snapshot(0, (b"a", b"b")))
    assert session.flush(0.0) == b"a"
    answers.append(session.answers)
    session.receive(b'{"type":"subscribe","kinds":["pods"],"id":3}', now=0.0, time=START)
    session.receive(b'{"type":"subscribe","namespaces":[]}', now=0.0, time=START)
    assert [*answers, session.answers] == [2, None, None], "none of it was sent; it was; the last has none"


def test_a_filter_that_is_refused_leaves_the_one_that_was_there() -> None:
    session = synced(Backlog(head=0))
    session.receive(b'{"type":"subscribe","labels":"=","id":"one"}', now=0.0, time=START)
    (error,) = sent(session, 0.0)
    assert error["error"]["details"].startswith("labels: '=' stands where a label's name is due")
    assert (session.view.filter, session.answers, session.wants_snapshot) == (EVERYTHING, None, False)


def test_one_that_moves_to_another_timeline_keeps_its_filter() -> None:
    first, second = Backlog(head=0), Backlog(head=40)
    session = synced(first)
    shop = Filter(frozenset({"shop"}))
    session.receive(b'{"type":"subscribe","namespaces":["shop"]}', now=0.0, time=START)
    before = session.view
    session.move(second)
    assert (session.view.filter, session.view.head, before.users) == (shop, 40, 0)
    assert session.wants_snapshot
    session.resume(40)
    take(second, numbered([change(Verb.ADDED, pod_key("p", "shop"))], 40))
    assert told(session) == ["pod_event"]


MAP = Filter.parse(detail="map")


def test_what_is_looked_at_is_told_without_another_state_and_who_ceases_to_look_is_as_others() -> None:
    backlog = Backlog(head=0)
    session, other = session_on(backlog, MAP), session_on(backlog, MAP)
    for each in (session, other):
        each.resume(0)
    shared = session.view
    session.receive(b'{"type":"look","pods":[1]}', now=0.0, time=START)
    assert session.look is not None
    assert session.look.pods == [1]
    session.looked(MAP.looking_at(["uid-default-a"]), b'{"type":"pong","timestamp":""}')
    assert told(session) == ["pong"]
    assert not session.wants_snapshot
    take(backlog, numbered([change(Verb.ADDED, pod_key(name)) for name in "ab"]))
    session.looked(MAP, b'{"type":"pong","timestamp":""}')
    assert session.view is not shared, "it has not got all that the others have"
    assert told(session) == ["pong", "map_event", "map_event"]
    session.looked(MAP, b'{"type":"pong","timestamp":""}')
    assert session.view is shared
    assert told(session) == ["pong"]
    assert (session.holds, other.holds) == (None, None), "its numbers are those of this backlog"


def test_who_sees_no_map_cannot_look() -> None:
    session = synced(Backlog(head=0))
    session.receive(b'{"type":"look","pods":[1]}', now=0.0, time=START)
    (error,) = sent(session, 0.0)
    assert error["error"]["details"].startswith("pods:")
    assert session.look is None
