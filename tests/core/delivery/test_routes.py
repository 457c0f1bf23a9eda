"""Whoever watches a part of the cluster holds exactly that part, however the parts are cut (PROTOCOL 30)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kstream.core.delivery.backlog import Backlog
from kstream.core.delivery.filters import Filter
from kstream.core.delivery.limits import Limits
from kstream.core.delivery.selectors import Requirement
from kstream.core.delivery.view import caught_up
from kstream.core.timeline.events import Event, Kind, ObjectKey, Verb, WatchEvent, deleted_body
from kstream.core.timeline.state import ClusterState, with_pod_count
from tests.frames_reader import FrameReader
from tests.making import START, body_of, labelled, namespace_key, node_key, pod_key

NAMES, NAMESPACES = st.sampled_from(["p", "q", "r"]), st.sampled_from(["a", "b"])
LABELS = st.dictionaries(st.sampled_from(["app", "tier"]), st.sampled_from(["", "web", "db"]), max_size=2)
FILTERS = st.builds(
    lambda names, kinds, labels: Filter.parse(names, kinds=kinds, labels=labels),
    st.sets(NAMESPACES, max_size=2),
    st.sets(st.sampled_from(["pods", "nodes", "namespaces"]), max_size=3),
    st.sampled_from(
        ["", "", "app=web", "app!=web", "app", "!tier", "app in (web,db),tier", "app=web,tier notin (db)"]
    ),
)


class Story:
    """A history of a few objects, and what each event was before."""

    def __init__(self, kept: int) -> None:
        self.state = ClusterState()
        self.backlog = Backlog(head=0, limits=Limits(window_events=kept))
        self._there: dict[str, ObjectKey] = {}

    def tell(self, key: ObjectKey, body: bytes | None) -> None:
        there = key.uid in self._there
        if body is None and not there:
            return
        verb = Verb.DELETED if body is None else Verb.MODIFIED if there else Verb.ADDED
        change = WatchEvent(verb, key, "1", START, deleted_body(key) if body is None else body)
        event = Event(self.state.seq + 1, change)
        if body is None:
            del self._there[key.uid]
        else:
            self._there[key.uid] = key
        self.backlog.append([event], [self.state.apply(event)])

    def shown(self, watched: Filter) -> dict[str, Any]:
        """The part of it, one object after the other."""
        return {
            entry.key.uid: json.loads(entry.body if watched.counts_pods else entry.body.replace(_COUNT, b""))
            for entry in self.state
            if entry.key in watched
            and (
                watched.labels is None
                or entry.key.kind is not Kind.POD
                or watched.labels.matches(json.loads(entry.body).get("labels", {}))
            )
        }


CHANGES: st.SearchStrategy[tuple[ObjectKey, dict[str, str] | None]] = st.one_of(
    st.tuples(st.builds(pod_key, NAMES, NAMESPACES), st.one_of(st.none(), LABELS)),
    st.tuples(
        st.sampled_from([node_key("n"), namespace_key("a"), namespace_key("b")]), st.sampled_from([None, {}])
    ),
)


_COUNT = b',"podCount":1'


def body(key: ObjectKey, labels: dict[str, str]) -> bytes:
    if key.kind is Kind.POD:
        return labelled(key.name, labels, namespace=key.namespace)
    return body_of(key) if key.kind is Kind.NODE else with_pod_count(body_of(key), 1)


def fold(held: dict[str, Any], message: dict[str, Any]) -> None:
    """What a strict client does: it believes the verbs."""
    for event in message["data"] if message["type"] == "batch" else [message]:
        uid = event["data"]["uid"]
        if event["action"] == "ADDED":
            assert uid not in held
        else:
            assert uid in held
        if event["action"] == "DELETED":
            del held[uid]
        else:
            held[uid] = event["data"]


@given(
    st.lists(CHANGES, max_size=30),
    st.lists(CHANGES, max_size=30),
    st.lists(FILTERS, min_size=1, max_size=4),
    st.lists(st.booleans(), min_size=1, max_size=30),
    st.integers(20, 60),
)
def test_a_strict_client_of_any_filter_holds_its_part_after_every_event(
    before: list[Any], after: list[Any], filters: list[Filter], reads: list[bool], kept: int
) -> None:
    story = Story(kept)

    def tell(key: ObjectKey, labels: dict[str, str] | None) -> None:
        story.tell(key, None if labels is None else body(key, labels))

    early = [(watched, story.backlog.open(watched)) for watched in filters]
    for key, labels in before:
        tell(key, labels)
    start = story.state.seq
    late = [(watched, story.backlog.open(watched), story.shown(watched)) for watched in filters]
    for (_, one), (_, other, _) in zip(early, late, strict=True):
        assert one is other
    cursors = [start] * len(late)
    for number, (key, labels) in enumerate(after):
        tell(key, labels)
        singly = reads[number % len(reads)]
        for index, (watched, view, held) in enumerate(late):
            cursor = cursors[index]
            if cursor >= view.last:
                assert held == story.shown(watched), "nothing to get, and nothing is missing"
                continue
            if view.lost > cursor:
                held.clear()
                held.update(story.shown(watched))
            else:
                frames = [view.singles(cursor, 0)] if singly else view.batch(cursor, 0)
                for frame in frames:
                    for message in FrameReader().messages(frame):
                        fold(held, message)
            cursors[index] = view.head
            assert held == story.shown(watched)
    for _, view in early:
        story.backlog.close(view)
        story.backlog.close(view)
    routes = story.backlog._routes
    assert [story.backlog._views, routes._named, routes._choices] == [{}, {}, {}]
    assert not routes._matching
    assert not any(routes._wide.values())


def test_a_view_by_labels_begins_where_it_is_opened_and_what_was_before_is_read_from_the_window() -> None:
    story = Story(20_000)
    key, watched = pod_key("p"), Filter.parse(labels="app=web")
    for labels in ({"app": "db"}, {"app": "web"}, {"app": "web", "n": "1"}, {"app": "db"}, {"app": "web"}):
        story.tell(key, labelled("p", labels))
    view = story.backlog.open(watched)
    assert (view.lost, view.last, view.head, view.misses(4), view.misses(5)) == (5, 5, 5, True, False)
    told = [
        [
            (event["action"], event["seq"])
            for frame in frames
            for event in FrameReader().messages(frame)[0]["data"]
        ]
        for frames in (
            caught_up(story.backlog.between(after, upto), watched, head=upto, time=START, window_bits=0)
            for after, upto in ((1, 3), (2, 4), (3, 5), (1, 4), (4, 5))
        )
    ]
    assert told == [[("ADDED", 3)], [("DELETED", 4)], [("MODIFIED", 5)], [], [("ADDED", 5)]]
    assert all(record._labels is None for record in story.backlog._records), (
        "nothing is kept of what was read"
    )


def test_each_view_is_touched_by_what_it_shows_and_by_nothing_else() -> None:
    story = Story(20_000)
    asked = ("app=web", "app in (web,db)", "!app", "tier!=x")
    views = {labels: story.backlog.open(Filter.parse(kinds=["pods"], labels=labels)) for labels in asked}
    story.tell(pod_key("p"), labelled("p", {"app": "web"}))
    assert {labels: view.last for labels, view in views.items()} == dict(
        zip(asked, (1, 1, 0, 1), strict=True)
    )
    story.tell(pod_key("p"), labelled("p", {"app": "db"}))
    assert {labels: view.last for labels, view in views.items()} == dict(
        zip(asked, (2, 2, 0, 2), strict=True)
    )
    story.tell(pod_key("p"), labelled("p", {"tier": "x"}))
    assert {labels: view.last for labels, view in views.items()} == dict(
        zip(asked, (2, 3, 3, 3), strict=True)
    )
    story.tell(node_key("n"), body_of(node_key("n")))
    assert {view.last for view in views.values()} == {2, 3}


def test_what_a_selector_asks_for_is_looked_at_once_for_all_and_not_where_an_object_has_no_such_label(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However many clients choose their own: 300 views of 16 requirements were 4,800 looks at each event."""
    looks: list[Requirement] = []
    holds = Requirement.holds

    def counted(requirement: Requirement, labels: Mapping[str, str]) -> bool:
        looks.append(requirement)
        return holds(requirement, labels)

    monkeypatch.setattr(Requirement, "holds", counted)
    story = Story(20_000)
    many = [
        ",".join(f"l{number}!=v{view}" for number in range(14)) + f",app=web,n>{view % 3}"
        for view in range(300)
    ]
    views = [story.backlog.open(Filter.parse(["default"], labels=labels)) for labels in many]
    story.tell(pod_key("p"), labelled("p", {"app": "web", "n": "2"}))
    assert len(looks) == 3, "one for each that compares numbers"
    assert {view.last for view in views[0::3] + views[1::3]} == {1}
    assert {view.last for view in views[2::3]} == {0}


def test_a_view_of_a_kind_that_opens_late_finds_that_kind() -> None:
    story = Story(20_000)
    story.tell(node_key("n"), body_of(node_key("n")))
    story.tell(pod_key("p"), labelled("p", {}))
    for kind, seq in (("nodes", 1), ("pods", 2)):
        view = story.backlog.open(Filter.parse(kinds=[kind]))
        assert (view.count(0), view.last) == (1, seq)


def test_there_is_a_body_of_before_for_each_event_or_none_is_taken() -> None:
    story = Story(20_000)
    event = Event(1, WatchEvent(Verb.ADDED, pod_key("p"), "1", START, labelled("p", {})))
    with pytest.raises(ValueError, match="zip"):
        story.backlog.append([event], [])


def test_views_of_one_selector_go_one_after_the_other_and_a_pod_may_begin_to_match_several() -> None:
    backlog = Backlog(head=0)
    twice = [backlog.open(Filter.parse(names, labels="app=web")) for names in (["a"], ["a", "b"], [])]
    other = backlog.open(Filter.parse([], labels="app"))
    key = pod_key("p", "a")
    plain, matching = body_of(key), labelled("p", {"app": "web"}, namespace="a")
    backlog.append([Event(1, WatchEvent(Verb.ADDED, key, "1", START, plain))], [None])
    concerned = backlog.append([Event(2, WatchEvent(Verb.MODIFIED, key, "2", START, matching))], [plain])
    assert set(concerned) == {*twice, other}
    for view in (*twice, other):
        backlog.close(view)
    assert not backlog._views
    assert not backlog._routes._choices
