"""The body of a request: a JSON object, of a bounded size, that comes within a bounded time."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final

from aiohttp import web

from kstream.core.errors import InvalidMessageError

MAX_BODY: Final = 2**16  # bytes of a request
WITHIN: Final = 30.0  # seconds from its head to its end: as long as there is for the head


async def json_body(request: web.Request, *, wanted: str = "") -> dict[str, Any]:
    """`wanted` says what should have been sent. Raises InvalidMessageError for what is none, too large or too late."""
    try:
        async with asyncio.timeout(WITHIN):
            body = await request.read()
        given = json.loads(body)
    except TimeoutError:
        raise InvalidMessageError("The body did not come", f"Send all of it within {WITHIN:.0f} s") from None
    except web.HTTPRequestEntityTooLarge:
        raise InvalidMessageError("The body is too large", f"{MAX_BODY} bytes is the most") from None
    except (ValueError, RecursionError):
        raise InvalidMessageError("The body is not JSON", wanted) from None
    if not isinstance(given, dict):
        raise InvalidMessageError("The body is not a JSON object", wanted)
    return given
