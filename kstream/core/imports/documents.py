"""JSON documents one after the other: a line each, or indented, as kubectl and jq write them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from kstream.core.imports.foreign import MAX_LINE, Line


class Document(NamedTuple):
    line: Line  # where it begins; `whole`: it is not cut off
    raw: bytes


def documents(lines: Iterable[Line]) -> Iterator[Document]:
    """Each on a line of its own (`jq -c`), or from a line that is `{` to one that is `}`, as programs write them.

    Raises ConfigError for what is neither, and for one that is too long.
    """
    began: Line | None = None
    parts: list[bytes] = []
    size = 0
    for line in lines:
        text = line.raw.rstrip()
        if began is not None and text.startswith(b"{"):
            yield Document(began, b"\n".join(parts))  # it was torn: the next one begins
            began = None
        if began is None:
            if text == b"{":
                began, parts, size = line, [text], 1
            elif text:
                yield Document(line, text)
            continue
        parts.append(text)
        size += len(text) + 1
        if size > MAX_LINE:
            raise began.wrong(f"a document of more than {MAX_LINE} bytes begins here")
        if text == b"}":
            yield Document(began, b"\n".join(parts))
            began = None
    if began is not None:
        yield Document(began._replace(whole=False), b"\n".join(parts))
