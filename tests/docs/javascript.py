"""JavaScript blocks as files, and beside them what they import: the kstream.js of a server, the npm package, React."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit
from urllib.request import urlopen

from kstream.schemas.document import document
from simulator.testing import SimulatedServer
from tests.docs.blocks import ROOT, Block

_STATIC: Final = ROOT / "kstream" / "web" / "static"
_ENDINGS: Final = {"js": ".mjs", "html": ".mjs", "ts": ".ts", "tsx": ".tsx"}
_TOOLS: Final = ("example.mjs", "typed.mjs")
_VOID: Final = frozenset({"br", "hr", "img", "input", "link", "meta"})

# What the examples of a page call and leave to the reader.
_READERS_OWN: Final = """\
import type { ClusterState } from "./kstream.js";
declare global {
  function render(state: ClusterState): void;
}
"""


_COMMONJS: Final = """\
import kstream = require("kstream");
import react = require("kstream/react");
import testing = require("kstream/testing");
export const client: kstream.KstreamClient = react.useKstreamClient();
export const simulation: Promise<testing.Simulation> = testing.simulate();
"""


def file_name(block: Block) -> str:
    return re.sub(r"\W", "_", str(block)) + _ENDINGS[block.tag]


def lay_out(folder: Path, blocks: Sequence[Block], server: SimulatedServer, modules: Path) -> None:
    """Write the blocks, each so far down that a line of its file is the line of the page.

    `modules`: a node_modules that has the npm package of kstream, and what npm has installed."""
    with urlopen(f"{server.page}kstream.js") as answer:
        (folder / "kstream.js").write_bytes(answer.read())
    shutil.copy(_STATIC / "kstream.d.ts", folder)
    for tool in _TOOLS:
        shutil.copy(Path(__file__).with_name(tool), folder)
    (folder / "messages.ts").write_text(document("typescript", closed=False), "utf-8")
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "node_modules").symlink_to(modules, target_is_directory=True)
    for source in (ROOT / "js").glob("*.ts"):  # of the package: types of its own
        shutil.copy(source, folder)
    (folder / "commonjs.cts").write_text(_COMMONJS)
    for block in blocks:
        text = Page.of(block).script if block.tag == "html" else block.text
        text = "\n" * (block.line - 1) + adapted(text, urlsplit(server.page).netloc)
        (folder / file_name(block)).write_text(text, "utf-8")


def adapted(text: str, address: str) -> str:
    # Node imports nothing over HTTP.
    text = re.sub(r"""(['"])http://localhost:3001/kstream\.js\1""", r"\1./kstream.js\1", text)
    return text.replace("localhost:3001", address)


def write_configuration(folder: Path, *endings: str, strict: bool) -> Path:
    """For TypeScript: of the files with these endings, `strict` as a reader's own might be."""
    (folder / "readers-own.d.ts").write_text(_READERS_OWN)
    options = {
        "strict": strict,
        "allowJs": True,
        "checkJs": True,
        "noEmit": True,
        "target": "es2022",
        "lib": ["es2023", "dom", "dom.iterable"],
        "module": "nodenext",
        "moduleResolution": "nodenext",
        "jsx": "react-jsx",
        "types": ["node"],
    }
    files = [
        path.name for path in sorted(folder.iterdir()) if path.suffix in endings and path.name not in _TOOLS
    ]
    path = folder / f"tsconfig-{'strict' if strict else 'loose'}.json"
    path.write_text(json.dumps({"compilerOptions": options, "files": [*files, "readers-own.d.ts"]}))
    return path


class Page(HTMLParser):
    """A page's elements and the script in it. Raises ValueError for tags that do not match."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.script = ""
        self._open: list[str] = []

    @classmethod
    def of(cls, block: Block) -> Page:
        page = cls()
        page.feed(block.text)
        page.close()
        if page._open:
            raise ValueError(f"{block}: <{page._open[-1]}> does not end")
        return page

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids += [value for name, value in attrs if name == "id" and value is not None]
        if tag == "script" and ("type", "module") not in attrs:
            raise ValueError("a script that imports is of type module")
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            raise ValueError(f"</{tag}> ends what is not open")

    def handle_data(self, data: str) -> None:
        if self._open[-1:] == ["script"]:
            self.script += "\n" * (self.getpos()[0] - 1) + data
