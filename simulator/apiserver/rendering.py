"""How objects are written: plain, as a Table for people (kubectl), or their metadata only. Pure.

The form is chosen by the Accept header: `application/json;as=Table;v=v1;g=meta.k8s.io`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Protocol

import msgspec

from simulator.apiserver import table
from simulator.apiserver.kinds import Resource
from simulator.apiserver.store import Entry

_META: Final = "meta.k8s.io"


class Rendering(Protocol):
    """Writes the objects of one resource for one request."""

    def one(self, entry: Entry) -> bytes: ...

    def many(self, entries: Sequence[Entry], meta: bytes) -> bytes:
        """A list; `meta` is its ListMeta as JSON."""
        ...

    def event(self, kind: bytes, entry: Entry) -> bytes:
        """A line of a watch; `kind` is ADDED, MODIFIED or DELETED."""
        ...

    def bookmark(self, version: int, *, initial_end: bool) -> bytes: ...


def choose(accept: str, resource: Resource, *, now: Callable[[], float], include: str) -> Rendering | None:
    """The first form of an Accept header that can be written; None if there is none.

    `now` (of the cluster, seconds since the epoch) is what the ages of Tables are counted to; `include` is the
    `includeObject` of Tables: None, Metadata or Object.
    """
    for part in (accept or "*/*").split(","):
        media, *parameters = (word.strip() for word in part.split(";"))
        given = dict(word.partition("=")[::2] for word in parameters)
        if media not in ("application/json", "application/*", "*/*"):
            continue
        form = given.get("as", "")
        if not form:
            return Plain(resource)
        if given.get("g") == _META and given.get("v") in ("v1", "v1beta1"):
            if form == "Table":
                return Tables(resource, version=given["v"], now=now, include=include or "Metadata")
            if form.startswith("PartialObjectMetadata"):
                return Partial(version=given["v"])
    return None


class Plain:
    """The objects themselves, joined from the stored bytes."""

    def __init__(self, resource: Resource) -> None:
        self._head = f'{{"kind":"{resource.name}","apiVersion":"v1",'.encode()
        self._list = f'{{"kind":"{resource.name}List","apiVersion":"v1","metadata":'.encode()
        self._empty = resource.empty

    def one(self, entry: Entry) -> bytes:
        return self._head + entry.body[1:]

    def many(self, entries: Sequence[Entry], meta: bytes) -> bytes:
        return b"".join(
            (self._list, meta, b',"items":[', b",".join([entry.body for entry in entries]), b"]}\n")
        )

    def event(self, kind: bytes, entry: Entry) -> bytes:
        return b'{"type":"%b","object":%b%b}\n' % (kind, self._head, entry.body[1:])

    def bookmark(self, version: int, *, initial_end: bool) -> bytes:
        meta = _bookmark_meta(version, initial_end=initial_end)
        return b'{"type":"BOOKMARK","object":%b"metadata":%b,%b}}\n' % (self._head, meta, self._empty)


class Partial:
    """Metadata only, as metadata informers ask for it."""

    def __init__(self, *, version: str) -> None:
        self._head = f'{{"kind":"PartialObjectMetadata","apiVersion":"{_META}/{version}","metadata":'.encode()
        self._list = (
            f'{{"kind":"PartialObjectMetadataList","apiVersion":"{_META}/{version}","metadata":'.encode()
        )

    def one(self, entry: Entry) -> bytes:
        return self._head + table.metadata(entry) + b"}"

    def many(self, entries: Sequence[Entry], meta: bytes) -> bytes:
        items = b",".join([b'{"metadata":' + table.metadata(entry) + b"}" for entry in entries])
        return b"".join((self._list, meta, b',"items":[', items, b"]}\n"))

    def event(self, kind: bytes, entry: Entry) -> bytes:
        return b'{"type":"%b","object":%b}\n' % (kind, self.one(entry))

    def bookmark(self, version: int, *, initial_end: bool) -> bytes:
        meta = _bookmark_meta(version, initial_end=initial_end)
        return b'{"type":"BOOKMARK","object":%b%b}}\n' % (self._head, meta)


class Tables:
    """Columns and cells; a watch names its columns on the first line only."""

    def __init__(self, resource: Resource, *, version: str, now: Callable[[], float], include: str) -> None:
        self._resource = resource
        self._head = f'{{"kind":"Table","apiVersion":"{_META}/{version}","metadata":'.encode()
        self._partial = (
            f'{{"kind":"PartialObjectMetadata","apiVersion":"{_META}/{version}","metadata":'.encode()
        )
        self._object = f'{{"kind":"{resource.name}","apiVersion":"v1",'.encode()
        self._now = now
        self._include = include
        self._columns_told = False

    def one(self, entry: Entry) -> bytes:
        return self._table([entry], b'{"resourceVersion":"%d"}' % entry.version)

    def many(self, entries: Sequence[Entry], meta: bytes) -> bytes:
        return self._table(entries, meta) + b"\n"

    def event(self, kind: bytes, entry: Entry) -> bytes:
        return b'{"type":"%b","object":%b}\n' % (kind, self.one(entry))

    def bookmark(self, version: int, *, initial_end: bool) -> bytes:
        meta = _bookmark_meta(version, initial_end=initial_end)
        cells = msgspec.json.encode(table.empty_cells(self._resource.kind))
        row = b'{"cells":%b,"object":%b%b}}' % (cells, self._partial, meta)
        plain = b'{"resourceVersion":"%d"}' % version
        return b'{"type":"BOOKMARK","object":%b%b,"columnDefinitions":%b,"rows":[%b]}}\n' % (
            self._head,
            plain,
            self._columns(),
            row,
        )

    def _table(self, entries: Sequence[Entry], meta: bytes) -> bytes:
        rows = b",".join([self._row(entry) for entry in entries])
        return b"".join(
            (self._head, meta, b',"columnDefinitions":', self._columns(), b',"rows":[', rows, b"]}")
        )

    def _columns(self) -> bytes:
        if self._columns_told:
            return b"null"
        self._columns_told = True
        return table.columns(self._resource.kind)

    def _row(self, entry: Entry) -> bytes:
        cells = msgspec.json.encode(table.cells(self._resource.kind, entry, now=self._now()))
        match self._include:
            case "None":
                return b'{"cells":%b}' % cells
            case "Object":
                return b'{"cells":%b,"object":%b%b}' % (cells, self._object, entry.body[1:])
        return b'{"cells":%b,"object":%b%b}}' % (cells, self._partial, table.metadata(entry))


def _bookmark_meta(version: int, *, initial_end: bool) -> bytes:
    if initial_end:
        return b'{"resourceVersion":"%d","annotations":{"k8s.io/initial-events-end":"true"}}' % version
    return b'{"resourceVersion":"%d"}' % version
