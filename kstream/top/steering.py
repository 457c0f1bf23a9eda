"""Keys of time → playback commands (PROTOCOL 27): one at a time, however fast the keys are pressed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple

_SLOWEST: Final = 0.1  # as a server takes them (docs/rewinding.md)
_FASTEST: Final = 1000.0
_PATIENCE: Final = 5.0  # seconds after which a command that is not answered is none any more
_MOST: Final = 20  # commands that wait


class Command(NamedTuple):
    """The arguments of Client.playback."""

    action: Literal["pause", "play", "seek", "step", "live"]
    speed: float | None = None
    at: str | None = None


class Steering:
    """What is asked for waits until the server has told what came of the last command: then all of it is one.

    `state`: the data of the last `playback` message; None: the timeline that all share.
    """

    def __init__(self) -> None:
        self._waiting: list[Command] = []
        self._jump = 0.0  # seconds from where the timeline is
        self._sent_at: float | None = None  # when the command was sent whose answer is due
        self._sought = False  # it was a seek: its answer is a state

    def toggle(self, state: Mapping[str, Any] | None) -> None:
        """Pause, or go on; at the end, play it again from its beginning."""
        stands = state is not None and state.get("state") in ("paused", "ended")
        self._ask(Command("play" if stands else "pause"))

    def step(self) -> None:
        self._ask(Command("step"))

    def jump(self, seconds: float) -> None:
        """So many seconds from where the timeline is; several are one."""
        self._jump += seconds
        self._waiting = [each for each in self._waiting if each.action != "seek"]
        if self._jump:
            self._waiting.append(Command("seek", at=f"{self._jump:+g}s"))

    def go_to(self, point: str) -> None:
        self._jump = 0.0
        self._ask(Command("seek", at=point))

    def scale(self, factor: float, state: Mapping[str, Any] | None) -> None:
        """Faster or slower; that plays on."""
        last = next((each.speed for each in reversed(self._waiting) if each.speed is not None), None)
        now: Any = last if last is not None else (state or {}).get("speed", 1.0)
        speed = float(now) if isinstance(now, int | float) else _FASTEST
        self._ask(Command("play", speed=min(max(speed * factor, _SLOWEST), _FASTEST)))

    def live(self) -> None:
        self._jump = 0.0
        self._waiting = [Command("live")]

    def heard(self, kind: str) -> None:
        """A message of the server, by its type: what answers the last command lets the next one go."""
        if kind in ("error", "connection", "initial_state") or (kind == "playback" and not self._sought):
            self._sent_at = None

    def due(self, now: float) -> Command | None:
        """What to send now. `now`: seconds, of a clock that is never set."""
        if self._sent_at is not None and now - self._sent_at < _PATIENCE:
            return None
        if not self._waiting:
            return None
        command = self._waiting.pop(0)
        if command.action == "seek":
            self._jump = 0.0
        self._sent_at, self._sought = now, command.action == "seek"
        return command

    def _ask(self, command: Command) -> None:
        # The same asked twice is pressed once too often, but steps count.
        same = [each for each in self._waiting if each.action == command.action]
        if same and command.action != "step":
            self._waiting.remove(same[0])
        if len(self._waiting) < _MOST:
            self._waiting.append(command)
