"""A test whose event loop has no real time: what waits for an hour is there at once."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from tests.world.loop import VirtualLoop


def in_virtual_time(story: Coroutine[Any, Any, None]) -> None:
    loop = VirtualLoop()
    try:
        loop.run_until_complete(story)
    finally:
        loop.close()
