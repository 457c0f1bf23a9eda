"""How many clients there are, as a line now and then: where it changed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from kstream.ports import Clock
from kstream.processlog.lines import say

_log = logging.getLogger(__name__)
_EVERY: Final = 60.0  # seconds


async def log_clients(count: Callable[[], int], clock: Clock) -> None:
    """Until cancelled."""
    said = 0
    while True:
        await clock.sleep(_EVERY)
        if (now := count()) != said:
            say(_log, logging.INFO, "clients", count=now)
            said = now
