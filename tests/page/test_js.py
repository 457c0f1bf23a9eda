"""The JavaScript client: its tests run in Node's test runner, where there is Node."""

from __future__ import annotations

import json

import pytest

from tests.node_tests import JS, node, run

__all__ = ["node"]  # a fixture

pytestmark = pytest.mark.node


@pytest.mark.parametrize("file", ["state", "changes", "client", "filter", "model", "ws", "viewer"])
async def test_the_javascript_tests_pass(node: str, file: str) -> None:
    await run(node, f"{file}.test.mjs")


def test_the_lock_file_names_no_registry() -> None:
    lock = (JS / "package-lock.json").read_text()
    assert "resolved" not in lock
    assert "://" not in lock
    packages = json.loads(lock)["packages"]
    assert set(packages) == {
        "",
        *("node_modules/axe-core", "node_modules/ws", "node_modules/playwright-core"),
        *("node_modules/@playwright/test", "node_modules/playwright", "node_modules/typescript"),
        *(
            "node_modules/@types/react",
            "node_modules/csstype",
            "node_modules/@types/node",
            "node_modules/undici-types",
        ),
    }
