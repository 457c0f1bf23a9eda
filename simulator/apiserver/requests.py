"""What a request asks for, read from its method, path and query. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from simulator.apiserver.kinds import RESOURCES, Resource

_TRUE: Final = frozenset({"1", "true", "True", "TRUE", "t", "T"})


class Ask(NamedTuple):
    """A request for objects. `verb` is what roles and fault scripts call it: get, list or watch."""

    verb: str
    resource: Resource
    namespace: str
    name: str
    query: Mapping[str, str]

    @property
    def scope(self) -> str:
        """For error texts: "in the namespace …" or "at the cluster scope"."""
        return f'in the namespace "{self.namespace}"' if self.namespace else "at the cluster scope"


class Seen(NamedTuple):
    """A request as the server logged it."""

    number: int  # from 1
    time: float  # of the server's clock
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]  # names in lower case; without Authorization
    user: str  # "" when it was not known
    verb: str  # get, list, watch; else the method in lower case
    resource: str  # "pods"; "" when it was for none
    namespace: str
    name: str

    @property
    def target(self) -> str:
        """Path and query as one, for assertions and for people."""
        query = "&".join(f"{key}={value}" for key, value in self.query.items())
        return f"{self.path}?{query}" if query else self.path


def is_true(value: str | None) -> bool:
    return value in _TRUE


def parse(method: str, path: str, query: Mapping[str, str]) -> Ask | None:
    """The objects that are asked for; None if the path is for something else or for nothing that is there."""
    parts = path.strip("/").split("/")
    if method not in ("GET", "HEAD") or parts[:2] != ["api", "v1"] or "" in parts[2:]:
        return None
    rest = parts[2:]
    watched = rest[:1] == ["watch"]  # the old form, /api/v1/watch/pods
    if watched:
        rest = rest[1:]
    namespace = ""
    if len(rest) >= 3 and rest[0] == "namespaces":
        namespace, rest = rest[1], rest[2:]
        if rest[0] not in RESOURCES or not RESOURCES[rest[0]].namespaced:
            return None
    if not 1 <= len(rest) <= 2 or rest[0] not in RESOURCES:
        return None
    resource = RESOURCES[rest[0]]
    name = rest[1] if len(rest) == 2 else ""
    if name and resource.namespaced and not namespace:
        return None
    if watched or is_true(query.get("watch")):
        return Ask("watch", resource, namespace, name, query)
    return Ask("get" if name else "list", resource, namespace, name, query)
