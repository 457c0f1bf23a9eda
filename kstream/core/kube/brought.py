"""Whether a resource that a file brings is one of the contract's: each field has its type (PROTOCOL 9 to 11).

What kstream made itself is so (bodies.py); of what others may have written, everything downstream relies on it.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from kstream.core.errors import ConfigError
from kstream.core.timeline import shapes
from kstream.core.timeline.events import Kind, ObjectKey


class _Named(msgspec.Struct, gc=False):
    name: str
    uid: str
    namespace: str = ""


class _Container(msgspec.Struct, gc=False):
    name: str = ""
    image: str = ""
    ready: bool = False
    restartCount: int = 0  # noqa: N815 - the protocol's spelling
    state: str = ""
    reason: str | None = None


class _Owner(msgspec.Struct, gc=False):
    kind: str
    name: str


class _Pod(_Named, gc=False):
    nodeName: str | None = None  # noqa: N815 - the contract's spelling
    phase: str = ""
    status: str = ""
    containers: list[_Container] = []
    labels: dict[str, str] = {}
    creationTimestamp: str | None = None  # noqa: N815 - the contract's spelling
    owner: _Owner | None = None


class _Condition(msgspec.Struct, gc=False):
    type: str
    status: str
    reason: str = ""
    message: str = ""


class _Node(_Named, gc=False):
    status: str = ""
    role: str = ""
    capacity: dict[str, str] = {}
    conditions: list[_Condition] = []
    labels: dict[str, str] = {}
    creationTimestamp: str | None = None  # noqa: N815 - the contract's spelling


class _Namespace(_Named, gc=False):
    status: str = ""
    podCount: int = 0  # noqa: N815 - the contract's spelling


_DECODERS: Final = {
    Kind.POD: msgspec.json.Decoder(_Pod).decode,
    Kind.NODE: msgspec.json.Decoder(_Node).decode,
    Kind.NAMESPACE: msgspec.json.Decoder(_Namespace).decode,
}

_ORDER: Final = {
    Kind.POD: shapes.Pod.__struct_fields__,
    Kind.NODE: shapes.Node.__struct_fields__,
    Kind.NAMESPACE: shapes.Namespace.__struct_fields__,
}
_LAST: Final = "podCount"
_decode: Final = msgspec.json.Decoder(dict[str, Any]).decode
_encode: Final = msgspec.json.Encoder().encode


def check(key: ObjectKey, body: bytes) -> None:
    """`body`: a resource as JSON, of the object `key`. Raises ConfigError; fields that are not known are let be."""
    try:
        found: _Named = _DECODERS[key.kind](body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(f"its data is no {key.kind} of kstream ({error})") from error
    said = found.namespace if key.kind is Kind.POD else key.namespace, found.name, found.uid
    if said != (key.namespace, key.name, key.uid):
        raise ConfigError(f"its data is of another {key.kind} ({'/'.join(filter(None, said))[:100]})")


def rewritten(kind: Kind, body: bytes) -> bytes:
    """A resource that was checked, as bodies.py writes it: compact, its fields in their order. What looks for a status
    without parsing (`wellness`, `Narrow.texts`) finds it then, whatever wrote the file.

    Raises ConfigError for what cannot be written again, such as a number too large in a field that is not known.
    """
    try:
        told = _decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ConfigError(f"its data is no {kind} of kstream ({error})") from error
    if "status" in told:  # else it tells a deletion, whose order is another
        known = [name for name in _ORDER[kind] if name in told and name != _LAST]
        others = [name for name in told if name not in _ORDER[kind]]
        told = {name: told[name] for name in (*known, *others, *([_LAST] if _LAST in told else []))}
    return _encode(told)
