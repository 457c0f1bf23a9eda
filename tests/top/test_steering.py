"""Keys of time, as fast as they are pressed: one command at a time, and all of what was asked for."""

from __future__ import annotations

from typing import Any

import pytest

from kstream.top.steering import Command, Steering

PAUSED = {"state": "paused", "speed": 1.0}
PLAYING = {"state": "playing", "speed": 4.0}


@pytest.mark.parametrize(
    ("state", "action"),
    [
        (None, "pause"),
        ({"state": "live"}, "pause"),
        (PLAYING, "pause"),
        (PAUSED, "play"),
        ({"state": "ended"}, "play"),
    ],
)
def test_pause_and_on_are_one_key(state: dict[str, Any] | None, action: str) -> None:
    steering = Steering()
    steering.toggle(state)
    assert steering.due(0.0) == Command(action)  # type: ignore[arg-type]


def test_while_an_answer_is_due_jumps_become_one() -> None:
    steering = Steering()
    steering.jump(-10)
    assert steering.due(0.0) == Command("seek", at="-10s")
    for _ in range(3):
        steering.jump(-10)
    steering.jump(10)
    assert steering.due(0.1) is None
    steering.heard("playback")  # a seek is answered by a state
    assert steering.due(0.2) is None
    steering.heard("initial_state")
    assert steering.due(0.3) == Command("seek", at="-20s")
    assert steering.due(9.0) is None


def test_there_and_back_is_nothing() -> None:
    steering = Steering()
    steering.jump(-10)
    steering.jump(10)
    assert steering.due(0.0) is None


def test_an_answer_that_never_comes_is_not_waited_for_for_ever() -> None:
    steering = Steering()
    steering.step()
    steering.step()
    assert steering.due(0.0) == Command("step")
    assert steering.due(4.9) is None
    assert steering.due(5.0) == Command("step")


@pytest.mark.parametrize("kind", ["playback", "error", "connection", "initial_state"])
def test_what_the_server_says_next_lets_the_next_one_go(kind: str) -> None:
    steering = Steering()
    steering.step()
    steering.toggle(PAUSED)
    steering.due(0.0)
    steering.heard("pong")
    assert steering.due(0.1) is None
    steering.heard(kind)
    assert steering.due(0.1) == Command("play")


def test_steps_count_and_the_same_asked_twice_is_once_but_they_are_bounded() -> None:
    steering = Steering()
    for _ in range(100):
        steering.step()
        steering.toggle(PLAYING)
    sent = []
    while (command := steering.due(0.0)) is not None:
        sent.append(command.action)
        steering.heard("playback")
    assert (sent.count("step"), sent.count("pause"), len(sent)) == (19, 1, 20)


def test_speed_is_scaled_from_what_was_asked_for_last_within_what_a_server_takes() -> None:
    steering = Steering()
    steering.scale(2.0, PLAYING)
    steering.scale(2.0, PLAYING)
    assert steering.due(0.0) == Command("play", speed=16.0)
    for speed, factor, now in (
        (1000.0, 2.0, 1000.0),
        (0.1, 0.5, 0.1),
        ("max", 0.5, 500.0),
        (None, 0.5, 500.0),
    ):
        steering = Steering()
        steering.scale(factor, {"speed": speed})
        assert steering.due(0.0) == Command("play", speed=now)
    steering = Steering()
    steering.scale(2.0, None)
    assert steering.due(0.0) == Command("play", speed=2.0)


def test_the_present_and_a_moment_forget_the_jumps_before_them() -> None:
    steering = Steering()
    steering.jump(-10)
    steering.live()
    assert steering.due(0.0) == Command("live")
    steering.heard("playback")
    steering.go_to("seq:5")
    assert steering.due(0.0) == Command("seek", at="seq:5")
    steering.heard("initial_state")
    assert steering.due(0.0) is None
