"""The client's fold: golden messages that the JavaScript client is held to as well, and properties."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kstream.core.client.state import ClientState
from kstream.core.errors import InvalidMessageError

GOLDEN = sorted((Path(__file__).parents[3] / "fixtures" / "messages").glob("*.json"))


def play(steps: list[dict[str, Any]]) -> ClientState:
    state = ClientState()
    before: dict[str, Any] = {}
    for step in steps:
        if "server" in step:
            if before.get("client") == "disconnected":
                state.connecting()
            state.apply(step["server"])
        elif step["client"] == "disconnected":
            state.disconnected()
        else:
            more = {name: step[name] for name in ("kinds", "labels", "detail") if name in step}
            state.want(step["namespaces"], **more)
        state.unsaid()
        before = step
    return state


def told(state: ClientState) -> dict[str, Any]:
    return {
        "view": state.view(),
        "counts": state.counts()._asdict(),
        "seq": state.seq,
        "resume": state.resume._asdict() if state.resume else None,
        "stale": state.stale,
        "loaded": state.loaded,
        "status": state.connection["status"] if state.connection else None,
        "metrics": state.metrics,
        "error": state.error,
        "playback": state.playback,
        "faults": list(state.faults),
        "asOf": state.as_of,
    }


def test_there_are_golden_messages() -> None:
    assert len(GOLDEN) > 25


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_the_fold_of_golden_messages_is_as_expected(path: Path) -> None:
    golden = json.loads(path.read_text())
    assert told(play(golden["steps"])) == golden["expected"]


CONNECTED = {"type": "connection", "status": "connected"}


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ({}, "type"),
        ({"type": 7}, "type"),
        ({"type": "connection"}, "status"),
        ({"type": "initial_state"}, "data"),
        ({"type": "initial_state", "data": {"nodes": [], "pods": []}}, "namespaces"),
        ({"type": "initial_state", "data": {"nodes": [{}], "pods": [], "namespaces": []}}, "uid"),
        ({"type": "pod_event", "action": "ADDED"}, "data"),
        ({"type": "pod_event", "action": "ADDED", "data": {"name": "a"}}, "uid"),
        ({"type": "batch", "data": {}}, "data"),
        ({"type": "batch", "data": [{"type": "pod_event", "data": {}}]}, "uid"),
        ({"type": "error"}, "error"),
        ({"type": "metrics", "data": []}, "data"),
    ],
)
def test_a_message_that_is_not_of_the_contract_is_refused_by_the_name_of_its_field(
    message: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidMessageError) as refused:
        ClientState().apply(message)
    assert refused.value.details.startswith(field)


def test_a_refused_initial_state_leaves_what_was_held() -> None:
    state = play(
        [
            {"server": CONNECTED},
            {
                "server": {
                    "type": "initial_state",
                    "data": {"nodes": [{"uid": "n"}], "pods": [], "namespaces": []},
                }
            },
        ]
    )
    with pytest.raises(InvalidMessageError):
        state.apply({"type": "initial_state", "data": {"nodes": [], "pods": [{}], "namespaces": []}})
    assert set(state.nodes) == {"n"}


@pytest.mark.parametrize("junk", [None, True, 7, [], {}, [["e"]]])
def test_an_epoch_a_term_and_a_code_that_are_no_text_are_as_good_as_not_told(junk: object) -> None:
    empty: dict[str, list[object]] = {"nodes": [], "pods": [], "namespaces": []}
    state = ClientState()
    state.apply({**CONNECTED, "epoch": "e1", "term": junk})
    state.apply({"type": "initial_state", "seq": 7, "data": empty})
    assert state.resume == ("e1", None, 7)
    state.apply({"type": "error", "error": {"code": junk}})
    state.apply({"type": "metrics", "data": {}})
    assert state.error == {"code": junk}, "it is no moment that passes"
    state.apply({**CONNECTED, "epoch": junk})
    state.apply({"type": "initial_state", "seq": 8, "data": empty})
    assert state.resume is None


@pytest.mark.parametrize("kind", [None, True, 7, [], {}])
def test_an_event_in_a_batch_whose_type_is_no_text_changes_nothing(kind: object) -> None:
    state = play([{"server": CONNECTED}])
    state.apply(
        {"type": "batch", "seq": 3, "data": [{"type": kind, "action": "ADDED", "data": {"uid": "a"}}]}
    )
    assert (state.nodes, state.pods, state.namespaces, state.seq) == ({}, {}, {}, 3)


@pytest.mark.parametrize(
    ("seq", "held"), [(0, 0), (2**53 - 1, 2**53 - 1), (2**53, None), (-1, None), (True, None), (1.0, None)]
)
def test_a_seq_is_a_number_that_both_clients_can_count_to(seq: object, held: int | None) -> None:
    state = play([{"server": CONNECTED}])
    state.apply({"type": "batch", "seq": seq, "data": []})
    assert state.seq == held


actions = st.sampled_from(["ADDED", "MODIFIED", "DELETED"])
pods = st.fixed_dictionaries(
    {
        "uid": st.sampled_from("abcdef"),
        "namespace": st.sampled_from(["x", "y"]),
        "phase": st.sampled_from(["Running", "Pending", "Failed"]),
    }
)
events = st.lists(
    st.builds(
        lambda action, data: {"type": "pod_event", "action": action, "data": data},
        actions,
        pods,
    )
)


@given(events, st.integers(0, 30), st.integers(0, 30))
def test_however_events_are_cut_into_batches_the_state_is_the_same(
    stream: list[dict[str, Any]], first: int, second: int
) -> None:
    one_by_one, batched = ClientState(), ClientState()
    for event in stream:
        one_by_one.apply(event)
    start, end = sorted((first, second))
    for part in (stream[:start], stream[start:end], stream[end:]):
        batched.apply({"type": "batch", "data": part})
    assert one_by_one.view() == batched.view()


@given(events)
def test_pods_are_counted_as_they_are_held(stream: list[dict[str, Any]]) -> None:
    state = ClientState()
    for event in stream:
        state.apply(event)
    for namespace in ("x", "y"):
        held = sum(pod["namespace"] == namespace for pod in state.pods.values())
        assert state.pod_count(namespace) == held


def test_a_filter_is_said_to_nobody_who_does_not_listen_and_once_to_who_does() -> None:
    loaded: dict[str, Any] = {"type": "initial_state", "data": {"nodes": [], "pods": [], "namespaces": []}}
    state = play([{"server": CONNECTED}, {"server": loaded}])
    state.disconnected()
    state.connecting()
    state.want(["b"])
    assert state.unsaid() is None
    state.apply({**CONNECTED, "resumed": True})
    assert state.unsaid() == {"namespaces": ("b",)}
    assert state.unsaid() is None


def test_metrics_and_the_last_error_are_as_they_were_told_until_the_source_is_well_again() -> None:
    state = play([{"server": CONNECTED}, {"server": {"type": "metrics", "data": {"totalPods": 3}}}])
    assert state.metrics == {"totalPods": 3}
    fault = {"code": "WATCH_ERROR"}
    state.apply({"type": "error", "error": fault})
    assert state.error == fault
    state.apply({"type": "connection", "status": "reconnecting"})
    assert state.error == fault
    state.apply(CONNECTED)
    assert state.error is None


EMPTY: dict[str, Any] = {"type": "initial_state", "data": {"nodes": [], "pods": [], "namespaces": []}}
POD = {"uid": "p", "name": "web", "namespace": "shop", "phase": "Running"}


def pod_event(action: str, **changed: str) -> dict[str, Any]:
    return {"type": "pod_event", "action": action, "seq": 7, "data": POD | changed}


def test_an_unknown_action_or_event_changes_nothing() -> None:
    state = play([{"server": CONNECTED}, {"server": EMPTY}])
    state.apply({"type": "batch", "data": [7, {"type": "metrics"}, pod_event("MOVED"), {}]})
    assert state.view() == EMPTY["data"]
    assert state.pod_count("shop") == 0


def test_nothing_is_counted_of_a_pod_that_has_gone_and_one_that_was_never_there_goes_quietly() -> None:
    state = play([{"server": CONNECTED}, {"server": EMPTY}])
    counted = []
    for event in (
        pod_event("DELETED"),
        pod_event("ADDED"),
        pod_event("MODIFIED", phase="Failed"),
        pod_event("MODIFIED", namespace="bank"),
        pod_event("DELETED"),
    ):
        state.apply(event)
        counted.append((state.pod_count("shop"), state.pod_count("bank"), state.counts().failedPods))
    assert counted == [(0, 0, 0), (1, 0, 0), (1, 0, 1), (0, 1, 0), (0, 0, 0)]
    assert state.pods == {}


def test_a_resume_that_got_no_answer_is_not_asked_for_again() -> None:
    state = play([{"server": CONNECTED | {"epoch": "e", "term": "t"}}, {"server": EMPTY | {"seq": 7}}])
    known = [state.resume]
    state.disconnected()
    state.not_resumed()
    known.append(state.resume)
    state.connecting()
    state.apply(CONNECTED | {"epoch": "e", "term": "t"})
    state.apply(EMPTY | {"seq": 9})
    known.append(state.resume)
    assert known == [("e", "t", 7), None, ("e", "t", 9)]
    assert not state.stale


def refused(code: str, details: str = "") -> dict[str, Any]:
    return {"type": "error", "error": {"code": code, "message": "no", "details": details}}


def test_a_filter_that_the_server_dropped_is_said_again_and_one_that_it_refused_is_not() -> None:
    state = play([{"server": CONNECTED}, {"server": EMPTY}])
    state.want(["a"])
    assert state.unsaid() == {"namespaces": ("a",)}
    state.apply(refused("WATCH_ERROR"))
    assert state.unsaid() is None, "the answer is still to come"
    state.apply(refused("RATE_LIMITED"))
    assert state.unsaid() == {"namespaces": ("a",)}
    state.apply(refused("INVALID_MESSAGE", "type: unknown"))
    state.want(["b"])
    assert state.unsaid() is None, "that was about something else"
    state.apply(refused("INVALID_MESSAGE", "namespaces: 'a' is none"))
    assert state.unsaid() == {"namespaces": ("b",)}


def test_before_the_first_state_an_error_is_no_answer_to_a_filter() -> None:
    state = play([{"server": CONNECTED}, {"server": refused("RATE_LIMITED")}])
    state.want(["a"])
    assert state.unsaid() is None


def test_another_epoch_takes_the_number_away() -> None:
    state = play([{"server": CONNECTED | {"epoch": "e"}}, {"server": EMPTY | {"seq": 7}}])
    known = []
    for epoch in ("e", "f"):
        state.apply(CONNECTED | {"epoch": epoch})
        known.append((state.seq, state.resume))
    assert known == [(7, ("e", None, 7)), (None, None)]


def error(code: str, **more: str) -> dict[str, Any]:
    return {"type": "error", "error": {"code": code, "message": "m", "details": "d", **more}}


def with_state(*messages: dict[str, Any]) -> ClientState:
    state = ClientState()
    state.connecting()
    steps: list[dict[str, Any]] = [CONNECTED, {**EMPTY, "seq": 1}, *messages]
    for step in steps:
        state.apply(step)
    return state


METRICS = {"type": "metrics", "data": {"totalPods": 1}, "asOf": "2025-01-24T10:00:00.000Z"}


@pytest.mark.parametrize("code", ["INVALID_MESSAGE", "RATE_LIMITED", "WATCH_ERROR"])
def test_a_moment_is_over_with_the_next_metrics_and_what_lasts_is_not(code: str) -> None:
    assert with_state(error(code), METRICS).error is None
    lasting = with_state(error(code, fault="log"), METRICS).error
    assert lasting is not None
    assert lasting["fault"] == "log"


def test_metrics_say_how_old_the_truth_is() -> None:
    assert with_state(METRICS).as_of == "2025-01-24T10:00:00.000Z"
    assert with_state(METRICS, {"type": "pong", "asOf": 7}).as_of == "2025-01-24T10:00:00.000Z"


def test_what_is_cleared_takes_only_its_own_error_away() -> None:
    cleared = {"type": "cleared", "fault": "log"}
    assert with_state(cleared).error is None
    told = with_state(error("WATCH_ERROR", fault="log"), error("RATE_LIMITED"), cleared)
    assert (told.error or {})["code"] == "RATE_LIMITED"
    assert told.faults == {}
    told = with_state(error("WATCH_ERROR", fault="log"), error("CONNECTION_FAILED", fault="cluster"), cleared)
    assert (told.error or {})["fault"] == "cluster"


def test_a_source_that_is_well_again_ends_a_moment_and_nothing_that_lasts() -> None:
    assert with_state(error("CLUSTER_UNREACHABLE"), CONNECTED).error is None
    assert with_state(error("PERMISSION_DENIED", fault="permission:list:pods"), CONNECTED).error is not None


def test_what_was_wrong_on_another_socket_is_told_again_or_over() -> None:
    state = with_state(error("PERMISSION_DENIED", fault="permission:list:pods"))
    state.disconnected()
    state.connecting()
    assert list(state.faults) == ["permission:list:pods"]
    state.apply({"type": "connection", "status": "reconnecting"})
    assert state.error is None
    assert not state.faults


def test_only_pods_are_counted_in_namespaces() -> None:
    node = {"type": "node_event", "action": "ADDED", "data": {"uid": "n", "name": "n"}}
    space = {"type": "namespace_event", "action": "ADDED", "data": {"uid": "s", "name": "s"}}
    assert with_state(node, space).pod_count("None") == 0


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ({"type": "batch", "data": {}}, "data: must be a list"),
        ({"type": "metrics", "data": []}, "data: must be an object"),
        ({"type": "cleared", "fault": 7}, "fault: must be a string"),
        ({"type": "node_event", "action": "ADDED", "data": {"uid": 7}}, "uid: must be a string"),
        (
            {"type": "initial_state", "data": {"nodes": ["n"], "pods": [], "namespaces": []}},
            "uid: must be a string",
        ),
    ],
)
def test_what_a_field_must_be_is_said(message: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidMessageError) as refused:
        with_state(message)
    assert refused.value.details == said


@pytest.mark.parametrize("seq", ["5", None, 5.5])
def test_a_number_that_is_none_is_nothing_to_resume_from(seq: object) -> None:
    assert with_state({"type": "batch", "data": [], "seq": seq}).seq is None


def test_where_no_pods_are_watched_nobody_says_how_many_there_are() -> None:
    space = {"name": "shop", "uid": "s", "status": "Active"}
    state = play(
        [{"server": CONNECTED}, {"server": EMPTY | {"data": EMPTY["data"] | {"namespaces": [space]}}}]
    )
    assert state.view()["namespaces"] == [space]
    counted = {**space, "podCount": 3}
    state.apply(EMPTY | {"data": EMPTY["data"] | {"namespaces": [counted]}})
    assert state.view()["namespaces"] == [{**space, "podCount": 0}]


@pytest.mark.parametrize(
    ("filter", "said"),
    [
        ({"namespaces": "shop"}, "namespaces is the text 'shop': give a list of names, ['shop']"),
        ({"kinds": "pods"}, "kinds is the text 'pods': give a list of names, ['pods']"),
        ({"namespaces": None}, "namespaces is None: give a list of names, or [] for all"),
        ({"kinds": ["pods", 7]}, "kinds has 7: names are texts"),
        ({"labels": ["app=web"]}, "labels is ['app=web']: give a text, such as 'app=web'"),
    ],
)
def test_a_filter_that_is_no_list_of_texts_is_refused_in_words(filter: dict[str, Any], said: str) -> None:
    with pytest.raises(TypeError) as refused:
        ClientState(**filter)
    assert str(refused.value) == said
    state = ClientState(["a"])
    with pytest.raises(TypeError):
        state.want(**{"namespaces": [], **filter})
    assert state.wanted == ("a",)
