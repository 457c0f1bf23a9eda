"""What a `playback` command does to a timeline that is played, and how fast one may be (PROTOCOL 27, 28)."""

from __future__ import annotations

from typing import Final

from kstream.core.delivery.wire import PlaybackCommand
from kstream.core.errors import InvalidMessageError
from kstream.core.timeline.playback import MAX, speed_of
from kstream.ports import Played

_SLOWEST: Final = 0.1  # recorded seconds in a second, of a private timeline
_FASTEST: Final = 1000.0


def check(command: PlaybackCommand) -> None:
    """Raises InvalidMessageError for what no timeline could do."""
    if command.action == "seek" and command.at is None:
        raise InvalidMessageError(
            "A seek has no place to go to", "at: give 2026-01-24T10:00:00Z, -5m, +90s or seq:N"
        )
    if command.speed is not None:
        speed_of(command.speed)


async def drive(timeline: Played, command: PlaybackCommand) -> None:
    """Whoever calls looks after `live`. Raises InvalidMessageError, and then nothing was done."""
    check(command)
    match command.action:
        case "play":
            timeline.play()
        case "pause":
            timeline.pause()
        case "step":
            timeline.step()
        case "seek":
            await timeline.seek(command.at or "")
        case _:
            pass
    if command.speed is not None:
        timeline.set_speed(command.speed)


def clamped(speed: float | str) -> float | str:
    """That of a replay may be one that no private timeline has."""
    return speed if isinstance(speed, str) else min(max(speed, _SLOWEST), _FASTEST)


def bounded_speed(given: float | str) -> float:
    """A speed of a private timeline, in recorded seconds a second. Raises InvalidMessageError."""
    speed = speed_of(given)
    if speed != MAX and not _SLOWEST <= speed <= _FASTEST:
        raise InvalidMessageError(
            "That is no speed of a private timeline",
            f'speed: {given!r:.100}: give a number from {_SLOWEST:g} to {_FASTEST:g}, or "max"',
        )
    return speed
