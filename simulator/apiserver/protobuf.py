"""The one protobuf message that kubectl insists on: a SelfSubject…Review as Kubernetes encodes it. Pure.

The field numbers are those of k8s.io/api/authorization/v1/generated.proto; an envelope (runtime.Unknown) is around it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from simulator.apiserver import statuses

MEDIA: Final = "application/vnd.kubernetes.protobuf"
_MAGIC: Final = b"k8s\x00"
_KIND, _CONTENT = 1, 2  # of the envelope; the kind is { apiVersion = 1; kind = 2 }
_SPEC: Final = 2
_ATTRIBUTES: Final = ("namespace", "verb", "group", "version", "resource", "subresource", "name")
_LONGEST: Final = 10  # bytes of a number: 64 bits, 7 in each


def read_review(content: bytes) -> Mapping[str, Any]:
    """A SelfSubjectAccessReview or SelfSubjectRulesReview as JSON would have it. Raises StatusError (400)."""
    if not content.startswith(_MAGIC):
        raise statuses.bad_request("the body is no Kubernetes protobuf: its first four bytes are not those")
    try:
        envelope = dict(_fields(content[len(_MAGIC) :]))
        kind = dict(_fields(envelope.get(_KIND, b""))).get(2, b"").decode()
        spec = dict(_fields(dict(_fields(envelope.get(_CONTENT, b""))).get(_SPEC, b"")))
        if kind == "SelfSubjectRulesReview":
            return {"kind": kind, "spec": {"namespace": spec.get(1, b"").decode()}}
        if 2 in spec:
            path = dict(_fields(spec[2]))
            names = ("path", "verb")
            return {"kind": kind, "spec": {"nonResourceAttributes": _texts(names, path)}}
        return {
            "kind": kind,
            "spec": {"resourceAttributes": _texts(_ATTRIBUTES, dict(_fields(spec.get(1, b""))))},
        }
    except (IndexError, UnicodeDecodeError) as error:
        raise statuses.bad_request(f"the body is no Kubernetes protobuf: {error}") from None


def _texts(names: tuple[str, ...], fields: Mapping[int, bytes]) -> dict[str, str]:
    return {name: text.decode() for number, name in enumerate(names, 1) if (text := fields.get(number, b""))}


def _fields(content: bytes) -> Iterator[tuple[int, bytes]]:
    """The fields that have a length (messages and texts); numbers are skipped.

    Raises IndexError if it is cut, or nothing that protobuf has."""
    at = 0
    while at < len(content):
        tag, at = _number(content, at)
        match tag & 7:
            case 0:
                _, at = _number(content, at)
            case 1 | 5 as wide:
                at += 8 if wide == 1 else 4
            case 2:
                size, at = _number(content, at)
                if at + size > len(content):
                    raise IndexError("it is cut short")
                yield tag >> 3, content[at : at + size]
                at += size
            case other:
                raise IndexError(f"there is no type {other} of fields")
    if at > len(content):
        raise IndexError("it is cut short")


def _number(content: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    for byte in content[at : at + _LONGEST]:
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return value, at
    raise IndexError("a number has no end")
