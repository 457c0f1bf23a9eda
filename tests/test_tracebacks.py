"""Errors that are done with hold nothing of where they came from."""

from __future__ import annotations

import gc
import weakref

from kstream.tracebacks import forget_frames


class Large:
    """Something that was there."""


def failing(gone: list[weakref.ref[Large]]) -> None:
    large = Large()
    gone.append(weakref.ref(large))
    try:
        raise KeyError("first")
    except KeyError as first:
        raise ValueError("second") from first


def test_what_was_there_is_let_go_without_a_garbage_collector() -> None:
    gone: list[weakref.ref[Large]] = []
    gc.disable()
    try:
        try:
            failing(gone)
        except ValueError as error:
            held: BaseException = error
        assert gone[0]() is not None, "by the frames that the error knows"
        held.__cause__ = None
        forget_frames(held)
        assert (gone[0](), held.__traceback__, held.__context__) == (None, None, None)
    finally:
        gc.enable()


def test_nothing_is_forgotten_of_no_error() -> None:
    forget_frames(None)
