"""What `POST /api/sim/do` may ask for, understood and within its bounds before anything is done."""

from __future__ import annotations

from typing import Any, Final, Literal, NamedTuple

from kstream.core.amounts import seconds
from kstream.core.errors import ConfigError, InvalidMessageError
from simulator.cluster import bounds
from simulator.pace import MAX
from simulator.story.actions import Action, parse_action

_CONTROLS: Final = {
    "status": "takes nothing else",
    "pause": "takes nothing else",
    "play": "takes nothing else",
    "speed": "takes the speed and nothing else: speed=4, or speed=max",
    "step": "takes a span or nothing: by=10s",
}


class Order(NamedTuple):
    """One request."""

    do: Literal["status", "pause", "play", "speed", "step", "act"]
    speed: float = 1.0
    span: int | None = None  # of a step, in milliseconds; None: to the next change
    action: Action | None = None
    request: dict[str, Any] | None = None  # the action as it was asked for


def parse_order(request: dict[str, Any]) -> Order:
    """Raises InvalidMessageError that names the field."""
    match request:
        case {"do": "status" | "pause" | "play" as do, **rest} if not rest:
            return Order(do)
        case {"do": "speed", "speed": value, **rest} if not rest:
            return Order("speed", speed=parse_speed(value))
        case {"do": "step", **rest} if not (rest.keys() - {"by"}):
            by = rest.get("by")
            return Order("step", span=None if by is None else _span(by))
    if isinstance(do := request.get("do"), str) and do in _CONTROLS:
        raise InvalidMessageError("That is not how it is asked for", f"do: {do} {_CONTROLS[do]}")
    if "at" in request or "every" in request:
        raise InvalidMessageError("That is no action of the simulation", "at: a live action happens now")
    return Order("act", action=parse_action(request), request=request)


def _span(by: object) -> int:
    """Milliseconds."""
    if not isinstance(by, str | int | float):
        raise InvalidMessageError("That is no step", "by: write a span of time such as 10s")
    try:
        span = seconds(by)
    except OverflowError:
        span = MAX
    except ConfigError as error:
        raise InvalidMessageError("That is no step", f"by: {error}") from None
    if span > bounds.STEP:
        raise InvalidMessageError("That is too long a step", "by: at most 24h; step again to go on")
    return round(span * 1000)


def parse_speed(value: object) -> float:
    """`max`, or simulated seconds for a second within the bounds. Raises InvalidMessageError."""
    if value == "max":
        return MAX
    try:
        speed = float(value)  # type: ignore[arg-type]  # whatever it is: what is no number is refused
    except (TypeError, ValueError, OverflowError):
        speed = 0.0
    if not bounds.SLOWEST <= speed <= bounds.FASTEST:
        raise InvalidMessageError(
            "That is no speed",
            f"speed: {value!r:.60} is neither a number from {bounds.SLOWEST} to {bounds.FASTEST:.0f} nor max",
        )
    return speed
