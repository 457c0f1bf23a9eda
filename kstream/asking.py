"""One HTTP read of a running server, for whoever is no browser: bounded, and what goes wrong with it in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import aiohttp
import msgspec

from kstream.connecting import why_not
from kstream.core.errors import KstreamError, UnreachableError

_JSON: Final = {"Accept": "application/x-ndjson, application/json"}


class Refusal(msgspec.Struct):
    """Why there is no answer (PROTOCOL 32)."""

    message: str = ""
    details: str = ""


class _Refused(msgspec.Struct):
    error: Refusal = msgspec.field(default_factory=Refusal)


async def ask(
    http: aiohttp.ClientSession,
    page: str,
    path: str,
    query: Mapping[str, str],
    *,
    largest: int,
    seconds: float,
) -> tuple[int, bytes]:
    """The status and the body of an answer.

    `page`: the server's HTTP address, without a slash at the end; `largest`: bytes of the body; `seconds`: for all of
    it. Raises UnreachableError, and KstreamError for a body that is larger.
    """
    timeout = aiohttp.ClientTimeout(total=seconds)
    try:
        async with http.get(f"{page}{path}", params=query, headers=_JSON, timeout=timeout) as answer:
            body = bytearray()
            async for chunk in answer.content.iter_any():
                body += chunk
                if len(body) > largest:
                    raise KstreamError(f"{path}: the answer is larger than {largest >> 20} MB")
            return answer.status, bytes(body)
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise UnreachableError(f"{page}: {why_not(error)}; is a server running there?") from error


def refusal(body: bytes) -> Refusal:
    """What a server said in place of an answer. Raises msgspec.DecodeError where that is nothing of ours."""
    return msgspec.json.decode(body, type=_Refused).error


@contextmanager
def understood(page: str, path: str) -> Iterator[None]:
    """What is no answer of ours is told as that, whoever gave it. Raises KstreamError."""
    try:
        yield
    except (msgspec.DecodeError, ValueError, KeyError, RecursionError) as error:
        raise KstreamError(
            f"{page}{path}: that is no answer of kstream ({error!s:.200}); is it its address?"
        ) from error
