"""The socket as AsyncAPI 3: its own parser takes it, and it names every message."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Final

import pytest

from kstream.schemas.asyncapi import asyncapi
from kstream.schemas.document import document
from tests.node_tests import node
from tests.schemas.generating import HERE, generators

__all__ = ["generators", "node"]  # fixtures

DOCUMENT: Final = asyncapi(closed=False)


@pytest.mark.node
def test_the_parser_of_asyncapi_takes_the_document(node: str, generators: Path, tmp_path: Path) -> None:
    path = tmp_path / "asyncapi.json"
    path.write_text(document("asyncapi", closed=False))
    done = subprocess.run(
        [node, "asyncapi.mjs", str(path)], cwd=HERE, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["wrong"] == []
    assert found["messages"] == list(DOCUMENT["channels"]["stream"]["messages"])
    assert found["operations"] == {"tell": "send", "hear": "receive"}


def test_it_names_every_message_both_ways() -> None:
    operations = DOCUMENT["operations"]
    named = {
        name: [each["$ref"].rpartition("/")[2] for each in operation["messages"]]
        for name, operation in operations.items()
    }
    assert named == {
        "tell": [
            *("connection", "initial_state", "map_state", "map_pods", "map_names", "looked"),
            *("node_event", "pod_event", "namespace_event", "map_event", "batch"),
            *("metrics", "error", "cleared", "pong", "playback"),
        ],
        "hear": ["look", "ping", "playbackCommand", "subscribe"],
    }
    assert DOCUMENT["components"]["messages"]["playbackCommand"]["name"] == "playback"
    assert DOCUMENT["components"]["messages"]["pod_event"]["payload"] == {
        "$ref": "#/components/schemas/PodEventMessage"
    }
