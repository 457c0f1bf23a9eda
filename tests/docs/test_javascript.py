"""JavaScript, HTML and TypeScript blocks: TypeScript takes them, and they run in Node where they need no browser."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from simulator.testing import SimulatedServer
from tests.docs.blocks import Block, of
from tests.docs.javascript import Page, adapted, file_name, lay_out, write_configuration
from tests.docs.session import search_path
from tests.node_tests import node, package

__all__ = ["node", "package"]  # fixtures

pytestmark = pytest.mark.node

BLOCKS = of("js", "html", "ts", "tsx")
_BROWSER = "@playwright/test"
_TESTS = "node:test"
_BUILT = frozenset({"ts", "tsx"})

RUNS = [block for block in BLOCKS if block.tag not in _BUILT and _BROWSER not in block.text]


@pytest.fixture(scope="module")
def folder(package: Path, server: SimulatedServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All blocks as files."""
    path = tmp_path_factory.mktemp("javascript")
    lay_out(path, BLOCKS, server, package)
    return path


def run(node: str, folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [node, *arguments],
        cwd=folder,
        env={**os.environ, "PATH": search_path()},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.parametrize("strict", [True, False], ids=["TypeScript", "JavaScript"])
def test_the_types_of_every_block_are_right(strict: bool, node: str, folder: Path) -> None:
    endings = (".ts", ".tsx", ".cts") if strict else (".mjs",)
    configuration = write_configuration(folder, *endings, strict=strict)
    run(node, folder, "typed.mjs", str(configuration))


@pytest.mark.parametrize("block", [block for block in RUNS if _TESTS in block.text], ids=str)
def test_the_tests_of_a_block_pass(block: Block, node: str, folder: Path) -> None:
    assert "# pass 1" in run(node, folder, "--test", "--test-reporter=tap", file_name(block))


@pytest.mark.parametrize("block", [block for block in RUNS if _TESTS not in block.text], ids=str)
def test_an_example_shows_the_cluster(block: Block, node: str, folder: Path) -> None:
    ids = Page.of(block).ids if block.tag == "html" else []
    run(node, folder, "example.mjs", f"./{file_name(block)}", *ids)


def test_the_address_of_the_pages_becomes_that_of_the_server() -> None:
    text = "import { A } from 'http://localhost:3001/kstream.js'; new A(\"ws://localhost:3001/ws\")"
    assert adapted(text, "127.0.0.1:9") == "import { A } from './kstream.js'; new A(\"ws://127.0.0.1:9/ws\")"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<ul><li></ul>", "</ul> ends what is not open"),
        ("<p>a", "<p> does not end"),
        ('<script>import "a"</script>', "of type module"),
    ],
)
def test_a_page_whose_tags_do_not_match_is_found(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Page.of(Block("p.md", 1, "html", text))


def test_the_script_of_a_page_keeps_its_lines() -> None:
    page = Page.of(
        Block("p.md", 1, "html", '<p id="a"></p>\n<br>\n<script type="module">\none;\n</script>\n')
    )
    assert (page.ids, page.script.splitlines()) == (["a"], ["", "", "", "one;"])
