"""The log of the small cluster: what is true, for whom, and up to where."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from simulator.certify.history import History, Json, Token, coalesced, fold, fresh, gone, parts

ALL: frozenset[str] = frozenset()


def happened(choices: list[tuple[str, str, str]]) -> History:
    history = History()
    for what, name, space in choices:
        getattr(history, what)("pod", name, space)
    return history


HAPPENED = st.lists(
    st.tuples(
        st.sampled_from(["add", "modify", "delete"]), st.sampled_from(["p", "q"]), st.sampled_from(["a", "b"])
    ),
    max_size=30,
).map(happened)
FILTER = st.sets(st.sampled_from(["a", "b"])).map(frozenset)


@given(HAPPENED, FILTER, st.integers(0, 30))
def test_a_batch_comes_to_the_same_as_the_events_that_it_stands_for(
    history: History, shown: frozenset[str], since: int
) -> None:
    view = history.view(shown, since)
    batch = coalesced(history.since(shown, since))
    for event in batch:
        fold(view, event)
    assert view == history.view(shown)
    uids = [event["data"]["uid"] for event in batch]
    assert len(set(uids)) == len(uids)


def test_what_came_and_went_is_not_in_a_batch() -> None:
    history = happened([("add", "p", "a"), ("modify", "p", "a"), ("delete", "p", "a")])
    assert coalesced(history.since(ALL, 3)) == []


def test_a_namespace_takes_its_pods_with_it_and_nothing_is_there_twice() -> None:
    history = happened([("add", "p", "a")])
    assert not history.add("pod", "p", "a")
    assert not history.modify("pod", "q", "a")
    assert not history.delete("node", "node-2", "")
    assert history.delete("namespace", "a", "")
    assert [event["action"] for event in history.events[-2:]] == ["DELETED", "DELETED"]
    assert history.view(ALL)["pods"] == {}


def test_a_token_is_good_in_its_epoch_and_for_what_its_term_has() -> None:
    history = happened([("add", "p", "a"), ("modify", "p", "a")])
    epoch, first = history.epoch, history.term
    assert history.refuses(Token(epoch, first, 5)) == ""
    history.another_term()
    history.modify("pod", "p", "a")
    assert history.refuses(Token(epoch, first, 5)) == ""
    assert history.refuses(Token(epoch, history.term, 6)) == ""
    history.another_term(lost=2)
    assert history.refuses(Token(epoch, first, 5)) == "The end of that term is lost"
    assert history.refuses(Token(epoch, None, 1)) == "The log does not have that term"
    history.begin()
    assert history.refuses(Token(epoch, first, 1)) == "The log is another one"


def test_no_two_versions_of_an_object_are_the_same() -> None:
    history = History()
    for kind, name in (("node", "node-1"), ("namespace", "a")):
        for _ in range(4):
            history.modify(kind, name, "")
    bodies = [str(event["data"]) for event in history.events]
    assert len(set(bodies)) == len(bodies)


def test_what_a_client_does_not_know_changes_nothing() -> None:
    view = fresh()
    fold(view, {"type": "job_event", "action": "ADDED", "data": {"uid": "j"}})
    fold(view, {"type": "pod_event", "action": "TOUCHED", "data": {"uid": "p"}})
    assert view == fresh()


def test_a_list_is_cut_into_parts_of_which_none_is_empty() -> None:
    items: list[Json] = [{"n": n} for n in range(5)]
    assert [len(each) for each in parts(items, 3)] == [2, 2, 1]
    assert [len(each) for each in parts(items, 9)] == [1] * 5
    assert parts([], 3) == []


def test_deleted_names_what_is_gone() -> None:
    assert gone({"uid": "u", "name": "n", "phase": "Running"}) == {"uid": "u", "name": "n"}
