"""What one process says to the other, line by line, until it ends: in the middle of a line, when it is killed."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

from kstream.processlog.lines import say

_log = logging.getLogger(__name__)


async def heard(lines: asyncio.StreamReader) -> dict[str, Any] | None:
    """The next JSON object; None at the end.

    What is none, or is longer than `lines` allows, is the end too: whoever says it has lost its way.
    """
    try:
        line = await lines.readline()
        if not line.endswith(b"\n"):
            return None
        said = json.loads(line)
        if not isinstance(said, dict):
            raise ValueError("no JSON object")
    except (ValueError, RecursionError) as error:
        say(
            _log,
            logging.ERROR,
            "not understood",
            message=f"One process of kstream does not understand another: {error}",
        )
        return None
    return said
