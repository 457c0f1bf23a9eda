"""What a `playback` command does to a timeline that is played (PROTOCOL 27, 28)."""

from __future__ import annotations

from kstream.core.delivery.wire import PlaybackCommand
from kstream.core.errors import InvalidMessageError
from kstream.core.timeline.playback import speed_of
from kstream.ports import Played


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
