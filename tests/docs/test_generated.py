"""The clients of docs/schemas.md: their types are made as it says, and they fold the golden messages."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from kstream.schemas.document import document
from tests.docs.blocks import ROOT, of
from tests.docs.session import search_path
from tests.node_tests import JS, node
from tests.schemas.generating import generators

__all__ = ["generators", "node"]  # fixtures

pytestmark = pytest.mark.node

PAGE: Final = "docs/schemas.md"
# What a client whose types do not know it cannot give back.
OTHERS: Final = {
    *("contract_only.json", "other_types.json", "unknown_fields.json", "unknown_type.json"),
    *(
        "map.json",
        "map_then_whole.json",
        "map_without_names.json",
    ),  # and what a client is not told that does not ask
}
GOLDEN: Final = [
    json.loads(path.read_text())
    for path in sorted((ROOT / "fixtures/messages").glob("*.json"))
    if path.name not in OTHERS
]
_KINDS: Final = ("nodes", "pods", "namespaces")
_TYPESCRIPT: Final = """\
import { readFileSync, writeFileSync } from "node:fs";
import typescript from "typescript";

// That the types are right is what test_javascript.py asks.
const options = { compilerOptions: { module: "esnext", target: "es2022" } };
writeFileSync("fold.js", typescript.transpileModule(readFileSync("fold.ts", "utf8"), options).outputText);
const { apply, nothing } = await import("./fold.js");
for (const name of process.argv.slice(2)) {
  const held = nothing();
  for (const line of readFileSync(name, "utf8").split("\\n").filter(Boolean)) apply(held, JSON.parse(line));
  console.log(JSON.stringify(held, (_, value) => (value instanceof Map ? Object.fromEntries(value) : value)));
}
"""


def only(tag: str) -> str:
    (block,) = (block for block in of(tag) if block.page == PAGE)
    return block.text


def making(folder: Path) -> None:
    """What the page does to make a client of the schema; that one is written as test_shell.py has seen it printed."""
    (block,) = (block for block in of("sh") if block.page == PAGE and "npx" in block.text)
    lines = [line for line in block.text.splitlines() if not line.startswith("kstream ")]
    (folder / "messages.schema.json").write_text(document("messages", closed=False))
    ran(["bash", "-e", "-c", "\n".join(lines)], folder)


def ran(words: Sequence[str], folder: Path) -> str:
    environ = {**os.environ, "PATH": search_path(), "GOFLAGS": "-buildvcs=false", "GOTOOLCHAIN": "local"}
    done = subprocess.run(words, cwd=folder, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def streams(tmp_path: Path) -> list[str]:
    """The golden messages, a file for each story of them, one message a line."""
    names = []
    for number, golden in enumerate(GOLDEN):
        said = [json.dumps(step["server"]) for step in golden["steps"] if "server" in step]
        (tmp_path / f"{number}.jsonl").write_text("\n".join(said))
        names.append(f"{number}.jsonl")
    return names


def views(printed: str) -> list[dict[str, Any]]:
    """What was held at the end of each story, as the golden messages have it."""
    found = []
    for line in printed.splitlines():
        held = {kind.lower(): objects for kind, objects in json.loads(line).items()}
        pods = Counter(pod["namespace"] for pod in held["pods"].values())
        for namespace in held["namespaces"].values():
            namespace["podCount"] = pods[namespace["name"]]
        for pod in held["pods"].values():
            if pod.get("owner", ...) is None:
                del pod["owner"]  # Go tells what was left out as null
        found.append({kind: [held[kind][uid] for uid in sorted(held[kind])] for kind in _KINDS})
    return found


def test_a_client_in_typescript_holds_what_the_golden_messages_come_to(
    node: str, tmp_path: Path, streams: list[str]
) -> None:
    (tmp_path / "fold.ts").write_text(only("ts"))
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "main.mjs").write_text(_TYPESCRIPT)
    (tmp_path / "node_modules").symlink_to(JS / "node_modules")
    assert views(ran([node, "main.mjs", *streams], tmp_path)) == [
        golden["expected"]["view"] for golden in GOLDEN
    ]


def test_a_client_in_go_holds_what_the_golden_messages_come_to(
    generators: Path, tmp_path: Path, streams: list[str]
) -> None:
    if shutil.which("go") is None:
        pytest.skip("Go is not installed (make golang)")
    (tmp_path / "node_modules").symlink_to(generators.parent)  # npx takes what is there
    (tmp_path / "fold.go").write_text(only("go"))
    making(tmp_path)
    assert views(ran(["./client", *streams], tmp_path)) == [golden["expected"]["view"] for golden in GOLDEN]
