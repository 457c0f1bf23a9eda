"""What a command does to a timeline, and which it cannot be asked."""

from __future__ import annotations

from typing import Any

import pytest

from kstream.core.delivery.wire import PlaybackCommand
from kstream.core.errors import InvalidMessageError
from kstream.delivery.driving import check, drive


class Told:
    """A timeline that keeps what it is told."""

    def __init__(self) -> None:
        self.playback: dict[str, Any] = {}
        self.told: list[object] = []

    def listen(self, listener: Any) -> Any:
        raise NotImplementedError

    def play(self) -> None:
        self.told.append("play")

    def pause(self) -> None:
        self.told.append("pause")

    async def obeyed(self) -> None:
        raise AssertionError("whoever drives need not wait")

    def step(self) -> None:
        self.told.append("step")

    def set_speed(self, speed: float | str) -> None:
        self.told.append(speed)

    async def seek(self, point: str) -> None:
        self.told.append(point)


def command(action: Any, **fields: Any) -> PlaybackCommand:
    return PlaybackCommand(type="playback", action=action, **fields)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (command("play"), ["play"]),
        (command("pause", at="-5m"), ["pause"]),
        (command("step", speed=3), ["step", 3.0]),
        (command("play", speed="max"), ["play", "max"]),
        (command("seek", at="-5m", speed=0.5), ["-5m", 0.5]),
        (command("live"), []),
    ],
)
async def test_a_command_is_done(asked: PlaybackCommand, told: list[object]) -> None:
    timeline = Told()
    await drive(timeline, asked)
    assert timeline.told == told


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (command("seek"), "A seek has no place to go to"),
        (command("seek", speed=2), "A seek has no place to go to"),
        (command("play", speed=0), "That is no speed"),
        (command("pause", speed=-1), "That is no speed"),
    ],
)
async def test_what_no_timeline_can_do_is_refused_before_anything_is_done(
    asked: PlaybackCommand, says: str
) -> None:
    timeline = Told()
    with pytest.raises(InvalidMessageError, match=says):
        await drive(timeline, asked)
    with pytest.raises(InvalidMessageError, match=says):
        check(asked)
    assert timeline.told == []
