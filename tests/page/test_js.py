"""The JavaScript client: its tests run in Node's test runner, where there is Node."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.docs.session import search_path
from tests.node_tests import JS, node, package, run

__all__ = ["node", "package"]  # fixtures

pytestmark = pytest.mark.node


@pytest.mark.parametrize(
    "file",
    [
        *("state", "changes", "client", "filter", "model", "ws"),
        *("viewer", "columns", "map", "time", "shown"),
    ],
)
async def test_the_javascript_tests_pass(node: str, file: str) -> None:
    await run(node, f"{file}.test.mjs")


@pytest.mark.parametrize("file", ["react", "testing"])
async def test_the_tests_of_the_npm_package_pass(node: str, package: Path, file: str) -> None:
    await run(node, f"{file}.test.mjs", {"KSTREAM_PACKAGE": str(package), "PATH": search_path()})


def test_the_lock_file_names_no_registry() -> None:
    lock = (JS / "package-lock.json").read_text()
    assert "resolved" not in lock
    assert "://" not in lock
    packages = json.loads(lock)["packages"]
    assert set(packages) == {
        "",
        *("node_modules/axe-core", "node_modules/ws", "node_modules/playwright-core"),
        *("node_modules/@playwright/test", "node_modules/playwright", "node_modules/typescript"),
        *("node_modules/@types/react", "node_modules/@types/react-dom", "node_modules/csstype"),
        *("node_modules/@types/node", "node_modules/undici-types"),
        *("node_modules/react", "node_modules/react-dom", "node_modules/scheduler"),
        *("node_modules/happy-dom", "node_modules/whatwg-mimetype", "node_modules/@types/whatwg-mimetype"),
        *("node_modules/entities", "node_modules/buffer-image-size", "node_modules/@types/ws"),
    }
