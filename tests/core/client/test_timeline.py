"""Which timeline a client asks for on its next connection: examples that the JavaScript client is held to as well."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kstream.core.client.state import ClientState

TIMELINES = json.loads((Path(__file__).parents[3] / "fixtures" / "timelines.json").read_text())


@pytest.mark.parametrize("case", TIMELINES, ids=lambda case: case["what"])
def test_who_was_elsewhere_is_there_again_on_the_next_connection(case: dict[str, Any]) -> None:
    state = ClientState()
    for message in case["messages"]:
        if message is None:
            state.disconnected()
        else:
            state.apply(message)
    assert state.timeline(case["said"]) == case["next"]
