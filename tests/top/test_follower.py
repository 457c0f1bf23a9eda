"""Messages become a board, in pieces; what a large state is told by is no news."""

from __future__ import annotations

from typing import Any

from kstream.core.client.state import ClientState
from kstream.top.board import By
from kstream.top.follower import Follower
from kstream.top.views import Scene
from tests.top.feeds import HELLO, event, node, pod, state

STAMP = "2026-01-24T10:00:05.000Z"


def take(follower: Follower, scene: Scene, *messages: dict[str, Any]) -> int:
    pieces = 0
    for message in messages:
        scene.state.apply(message)
        pieces += sum(1 for _ in follower.take(message, now=1.0))
    return pieces


def batch(*events: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "batch", "data": list(events), "timestamp": STAMP, **more}


def test_a_state_and_events_are_the_board_and_events_are_counted() -> None:
    scene = Scene(ClientState(), by=By.NODE, colours=True)
    follower = Follower(scene)
    take(follower, scene, HELLO, state([node("n1")], [pod("a-1")]), event(pod("b-1"), "ADDED"))
    take(follower, scene, batch(event(pod("a-1", "Error")), event(pod("c-1"), "ADDED"), seq=13))
    assert {row.name: row.status for row in scene.board.pods.values()} == {
        "a-1": "Error",
        "b-1": "Running",
        "c-1": "Running",
    }
    assert follower.rate.total(now=1.0) == 3
    assert follower.moment.time(1.0, None, running=False) == 1769248805.0


def test_what_a_state_was_too_large_for_did_not_happen_in_the_last_minute() -> None:
    scene = Scene(ClientState(), by=By.NODE, colours=True)
    follower = Follower(scene)
    cut = {key: value for key, value in state([], [pod("a-1")]).items() if key != "seq"}
    take(
        follower,
        scene,
        HELLO,
        cut,
        batch(event(pod("b-1"), "ADDED")),
        batch(event(pod("c-1"), "ADDED"), seq=9),
    )
    assert (len(scene.board.pods), follower.rate.total(now=1.0)) == (3, 0)
    take(follower, scene, batch(event(pod("d-1"), "ADDED"), seq=10))
    assert follower.rate.total(now=1.0) == 1


def test_a_new_state_replaces_the_board_when_it_is_all_there() -> None:
    scene = Scene(ClientState(), by=By.NODE, colours=True)
    follower = Follower(scene)
    take(follower, scene, HELLO, state([], [pod("a-1")]))
    message = state([], [pod(f"b-{number}") for number in range(4500)])
    scene.state.apply(message)
    pieces = follower.take(message, now=1.0)
    next(pieces)
    assert len(scene.board.pods) == 1
    assert len(list(pieces)) > 1
    assert len(scene.board.pods) == 4500


def test_a_large_batch_is_taken_in_pieces_and_a_pong_tells_no_time() -> None:
    scene = Scene(ClientState(), by=By.NODE, colours=True)
    follower = Follower(scene)
    assert take(follower, scene, HELLO, batch(*(event(pod(f"a-{n}"), "ADDED") for n in range(500)))) == 3
    pong = {"type": "pong", "timestamp": "2020-01-01T00:00:00.000Z"}
    take(follower, scene, pong)
    assert follower.moment.time(1.0, None, running=False) == 1769248805.0
