"""The page at / as one file that needs no server: its modules, its styles, its icon, and a recording, all in it.

A module cannot be imported from file://, so they become one script: each a function that gives what it exports, in the
order in which they need each other. The page may load nothing and run nothing but that script and that style, by their
hashes.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

STATIC: Final = Path(__file__).parent / "static"
_SCRIPT: Final = re.compile(r'<script type="module" src="([\w.-]+)"></script>')
_STYLE: Final = re.compile(r'^ *<link rel="stylesheet" href="([\w.-]+)">\n', re.MULTILINE)
_ICON: Final = re.compile(r'<link rel="icon" href="([\w.-]+)">')
_CHARSET: Final = '<meta charset="utf-8">\n'
_IMPORT: Final = re.compile(r'^import \{([^}]*)\} from "\./([\w.-]+)";\n', re.MULTILINE)
_EXPORT: Final = re.compile(
    r"^export (?=(?:async function|function\*?|class|const|let) ([\w$]+))", re.MULTILINE
)
_OTHER: Final = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)
_ENDS: Final = re.compile(r"</(?=script|style)|<!--", re.IGNORECASE)
_POLICY: Final = (
    "default-src 'none'; script-src '{script}'; style-src '{style}'; img-src data:; base-uri 'none';"
    " form-action 'none'"
)


def one_file(static: Path, recording: bytes) -> bytes:
    """The page of a folder, index.html and what it needs, with a `recording` in it, which is compressed.

    Raises ValueError for a module that is written in another way than this can join.
    """
    page = (static / "index.html").read_text("utf-8")
    script = _SCRIPT.search(page)
    if script is None:
        raise ValueError('index.html has no <script type="module" src="...">')
    code = _inside("\n" + _joined(static, script[1]))
    style = _inside("\n" + "".join((static / name).read_text("utf-8") for name in _STYLE.findall(page)))
    policy = _POLICY.format(script=_hash(code), style=_hash(style))
    page = _SCRIPT.sub(lambda _: f'<style>{style}</style>\n  <script type="module">{code}</script>', page)
    page = _STYLE.sub("", page)
    page = _ICON.sub(lambda found: f'<link rel="icon" href="{_data(static / found[1])}">', page)
    page = page.replace(
        _CHARSET, f'{_CHARSET}  <meta http-equiv="Content-Security-Policy" content="{policy}">\n'
    )
    head, end, rest = page.rpartition("</body>")
    opening = '<script type="application/kstream-recording" id="recording">'
    # Base64 has no letter that means something in HTML.
    packed = base64.b64encode(recording)
    return b"%b%b%b</script>\n%b" % (head.encode(), opening.encode(), packed, (end + rest).encode())


def _joined(static: Path, entry: str) -> str:
    """The module and all that it imports, each after those that it needs."""
    order: dict[str, str] = {}
    for name in _needed(static, entry, (), order):
        text = order[name]
        exported = _EXPORT.findall(text)
        text = _EXPORT.sub("", _IMPORT.sub(_taken, text))
        if (other := _OTHER.search(text)) is not None:
            raise ValueError(f"{name}: {other[0]!r} cannot be joined; import and export by name, one a line")
        if name != entry:
            text = f"const {_variable(name)} = (() => {{\n{text}return {{ {', '.join(exported)} }};\n}})();\n"
        order[name] = text
    return "".join(order.values())


def _needed(static: Path, name: str, path: tuple[str, ...], found: dict[str, str]) -> Iterator[str]:
    if name in path:
        raise ValueError(f"{' imports '.join((*path, name))}: modules cannot be joined in a circle")
    text = (static / name).read_text("utf-8")
    for _, other in _IMPORT.findall(text):
        if other not in found:
            yield from _needed(static, other, (*path, name), found)
    found[name] = text
    yield name


def _taken(found: re.Match[str]) -> str:
    names = found[1].replace(" as ", ": ").strip()
    return f"const {{ {names} }} = {_variable(found[2])};\n"


def _variable(name: str) -> str:
    return "$" + re.sub(r"\W", "_", name)


def _inside(text: str) -> str:
    """Text that ends no element. Raises ValueError for one that would."""
    if (found := _ENDS.search(text)) is not None:
        raise ValueError(f"{found[0]!r} would end what it is in; write it in two parts")
    return text


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _data(path: Path) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(path.read_bytes()).decode()
