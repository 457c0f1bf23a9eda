"""Schemathesis asks what OpenAPI says may be asked, and what may not, of a server; its answers are as described."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from kstream.schemas.document import document
from tests.web.serving import serving

SCHEMA = schemathesis.openapi.from_dict(json.loads(document("openapi", closed=True)))
"""A field that is not described fails too.

That all is taken that is of the right type is not asked: moments, selectors, conditions have grammars of their own."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Of a server in a thread of its own: Schemathesis waits for what it asks."""
    ready: list[str] = []
    started, stop = threading.Event(), threading.Event()

    async def serve() -> None:
        async with serving() as server:
            await server.add_pods("a", "b")
            ready.append(server.http(""))
            started.set()
            await asyncio.to_thread(stop.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    started.wait()
    try:
        yield ready[0]
    finally:
        stop.set()
        thread.join()


@pytest.mark.untraced
@SCHEMA.parametrize()
@settings(
    max_examples=5, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)
def test_every_answer_is_as_it_is_described(case: schemathesis.Case[Any], address: str) -> None:
    case.call_and_validate(base_url=address, excluded_checks=[positive_data_acceptance])
