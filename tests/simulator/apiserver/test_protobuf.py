"""Reviews as kubectl sends them: protobuf, of which only the fields that have a length are read."""

from __future__ import annotations

import pytest

from simulator.apiserver.protobuf import read_review
from simulator.apiserver.statuses import StatusError


def _field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2, len(content)]) + content


def _envelope(kind: bytes, spec: bytes) -> bytes:
    meta = _field(1, b"authorization.k8s.io/v1") + _field(2, kind)
    return b"k8s\x00" + _field(1, meta) + _field(2, _field(1, b"") + _field(2, spec))


def test_reviews_are_read_from_the_encoding_of_kubectl() -> None:
    attributes = _field(1, b"shop") + _field(2, b"list") + _field(5, b"pods")
    read = read_review(_envelope(b"SelfSubjectAccessReview", _field(1, attributes)))
    assert read["spec"] == {"resourceAttributes": {"namespace": "shop", "verb": "list", "resource": "pods"}}
    path = read_review(
        _envelope(b"SelfSubjectAccessReview", _field(2, _field(1, b"/version") + _field(2, b"get")))
    )
    assert path["spec"] == {"nonResourceAttributes": {"path": "/version", "verb": "get"}}
    assert read_review(_envelope(b"SelfSubjectRulesReview", _field(1, b"shop")))["spec"] == {
        "namespace": "shop"
    }


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"k8s", b"k8s\x00\x0a\xff", b"k8s\x00\x12\x05ab"),
        b"k8s\x00\x0a\x03\x12\x01\xff",  # a kind that is no UTF-8
        *(b"k8s\x00\x0b", b"k8s\x00\x0c", b"k8s\x00\x0e"),  # types that there are not
        *(b"k8s\x00\x09abc", b"k8s\x00\x0dabc", b"k8s\x00\x08\x80"),  # numbers that are cut short
        b"k8s\x00\x08" + b"\x80" * 10 + b"\x01",  # a number of more than 64 bits
        b"k8s\x00\x08" + b"\x80" * 1_000_000,  # which took minutes
    ],
)
def test_what_is_no_protobuf_is_refused(content: bytes) -> None:
    with pytest.raises(StatusError, match="no Kubernetes protobuf"):
        read_review(content)


def test_what_is_a_number_is_skipped() -> None:
    numbers = b"\x18\x96\x01" + b"\x19" + b"8" * 8 + b"\x1d" + b"4" * 4 + b"\x18" + b"\x80" * 9 + b"\x01"
    read = read_review(_envelope(b"SelfSubjectRulesReview", numbers + _field(1, b"shop") + numbers))
    assert read == {"kind": "SelfSubjectRulesReview", "spec": {"namespace": "shop"}}
