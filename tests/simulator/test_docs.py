"""The pages about the simulator say what is so."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from docs.make_scenarios import documents
from simulator.story.actions import action_names

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    return documents()


def test_the_page_and_the_pictures_of_the_scenarios_are_current(made: dict[str, str]) -> None:
    for name, text in made.items():
        assert (DOCS / name).read_text("utf-8") == text, "run `python docs/make_scenarios.py`"


def test_every_action_is_in_the_manual() -> None:
    manual = (DOCS / "simulator.md").read_text("utf-8")
    assert [name for name in action_names() if f"`{name}`" not in manual] == []


@pytest.mark.node
def test_the_example_with_nodes_test_runner_runs_as_it_is_printed(tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not installed")
    manual = (DOCS / "simulator.md").read_text("utf-8")
    example = manual.split("With Node's own test runner:")[1].split("```js\n")[1].split("```")[0]
    file = tmp_path / "example.test.mjs"
    file.write_text(example, "utf-8")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    ran = subprocess.run(
        [node, "--test", str(file)],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout
    assert "# pass 1" in ran.stdout
