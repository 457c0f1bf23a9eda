"""A frame of a server as a message: JSON, and an object. What it says is for the fold to judge. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from kstream.core.client.state import Json
from kstream.core.errors import InvalidMessageError


def read_message(text: str, said_by: str) -> Json:
    """`said_by`: the address of the server. Raises InvalidMessageError."""
    try:
        message: Any = msgspec.json.decode(text)
    except RecursionError:
        raise InvalidMessageError(
            f"{said_by} sent JSON that is nested too deeply. Is it a kstream server?"
        ) from None
    except ValueError as wrong:
        raise InvalidMessageError(
            f"{said_by} sent what is not JSON: {wrong}. Is it a kstream server?"
        ) from wrong
    if not isinstance(message, dict):
        raise InvalidMessageError(f"{said_by} sent JSON that is no object. Is it a kstream server?")
    return message
