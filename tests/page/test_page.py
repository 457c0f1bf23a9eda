"""The page at / in a real browser, where there is Chromium and Node."""

from __future__ import annotations

import os
import shutil

import pytest

from kstream.core.timeline.events import Verb
from tests.making import change, namespace_key, pod_key
from tests.node_tests import node, run
from tests.web.serving import serving

__all__ = ["node"]  # a fixture


@pytest.fixture(scope="session")
def chromium() -> str:
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    found = os.environ.get("KSTREAM_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if found is None:
        pytest.skip(f"no browser: none of {', '.join(names)} is installed, and KSTREAM_CHROMIUM is not set")
    return found


@pytest.mark.browser
@pytest.mark.node
async def test_the_page_shows_the_live_messages(node: str, chromium: str) -> None:
    async with serving() as server:
        await server.log.append([change(Verb.ADDED, namespace_key(name)) for name in ("default", "shop")])
        crowd = [pod_key(f"crowd-{number}") for number in range(5000)]
        await server.log.append([change(Verb.ADDED, key) for key in crowd])
        hostile = pod_key("<img src=x onerror=alert(1)>", "shop")
        await server.log.append(
            [change(Verb.ADDED, hostile), change(Verb.ADDED, pod_key("ill"), mark="Failed")]
        )
        await run(node, "page.test.mjs", {"KSTREAM_PAGE": server.address.page, "KSTREAM_CHROMIUM": chromium})
