"""Errors that are done with: what they hold of where they came from."""

from __future__ import annotations


def forget_frames(error: BaseException | None) -> None:
    """What ended a task or a connection knows where that was, and so all that was there: a circle that the garbage
    collector, which comes by very seldom here, would have to find."""
    while error is not None:
        before, error.__context__, error.__traceback__ = error.__context__, None, None
        error = before
