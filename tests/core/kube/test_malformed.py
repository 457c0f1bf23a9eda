"""kstream.core.kube.resources given nonsense: it is read or it is a MalformedError, and nothing else ever happens."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kstream.core.errors import MalformedError
from kstream.core.kube.resources import decode_line, decode_object, decode_page, decode_status
from kstream.core.timeline.events import Kind

META = {"name": "web", "namespace": "shop", "uid": "u1", "resourceVersion": "7"}


def raw(value: object) -> bytes:
    return json.dumps(value).encode()


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\n",
        b"null",
        b"[]",
        b"{}",
        b'{"type":1}',
        b'{"type":"ADDED","object":[]}',
        b'{"type":"ADDED","object":{"metadata":{"uid":1}}}',
        b'{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":9}}}',
        b'{"type":"ADDED","object":{"metadata":{"name":"w',
        b'{"type":"ADDED"}{"type":"ADDED"}',
        b'{"type":"\xff"}',
        b'{"type":"ADDED","object":{"status":{"containerStatuses":[{"restartCount":1e400}]}}}',
        b'{"type":"ADDED","object":{"metadata":{"name":"a","uid":"1"},"status":{"conditions":[5],'
        b'"containerStatuses":[{"state":{"terminated":{"reason":"Completed"}}},'
        b'{"ready":true,"state":{"running":{}}}]}}}',
        b"<html>502 Bad Gateway</html>",
        b'{"type":"ADDED","object":' + b"[" * 100_000,
    ],
)
def test_nonsense_is_malformed(line: bytes) -> None:
    with pytest.raises(MalformedError, match="cannot read"):
        decode_line(Kind.POD, line)


def test_the_message_of_an_error_holds_no_value() -> None:
    line = raw({"type": "ADDED", "object": {"metadata": {"name": ["hunter2"]}}})
    with pytest.raises(MalformedError) as caught:
        decode_line(Kind.POD, line)
    assert "hunter2" not in str(caught.value)
    assert "$.object.metadata.name" in str(caught.value)


NAMES = st.sampled_from(
    [
        *("type", "object", "metadata", "items", "name", "namespace", "uid", "resourceVersion", "labels"),
        *("annotations", "continue", "remainingItemCount", "spec", "status", "phase", "reason", "conditions"),
        *("containers", "initContainers", "containerStatuses", "initContainerStatuses", "state", "waiting"),
        *(
            "running",
            "terminated",
            "exitCode",
            "signal",
            "restartCount",
            "ready",
            "capacity",
            "cpu",
            "memory",
        ),
        *("pods", "code", "message", "details", "retryAfterSeconds", "creationTimestamp", "other"),
    ]
)
TYPES = st.sampled_from(["ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR", "Ready", "True", "u1", "4Gi"])
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | TYPES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=6),
    max_leaves=25,
)
TEXT = st.text(max_size=12)
STATE = st.fixed_dictionaries(
    {},
    optional={
        "running": st.just({}),
        "waiting": st.fixed_dictionaries({}, optional={"reason": TEXT}),
        "terminated": st.fixed_dictionaries(
            {"exitCode": st.integers(-(2**31), 2**31 - 1)}, optional={"reason": TEXT}
        ),
    },
)
CONTAINERS = st.lists(
    st.fixed_dictionaries(
        {"name": st.sampled_from("abc")}, optional={"image": TEXT, "restartPolicy": st.just("Always")}
    ),
    max_size=3,
)
STATUSES = st.lists(
    st.fixed_dictionaries(
        {"name": st.sampled_from("abc"), "restartCount": st.integers(0, 2**31 - 1)},
        optional={"state": STATE, "ready": st.booleans(), "started": st.booleans()},
    ),
    max_size=3,
)
PODS = st.fixed_dictionaries(
    {
        "metadata": st.fixed_dictionaries(
            {"name": st.just("web"), "uid": st.just("u1")},
            optional={"labels": st.dictionaries(TEXT, TEXT, max_size=3), "deletionTimestamp": TEXT},
        )
    },
    optional={
        "spec": st.fixed_dictionaries({}, optional={"containers": CONTAINERS, "initContainers": CONTAINERS}),
        "status": st.fixed_dictionaries(
            {},
            optional={
                "phase": TEXT,
                "reason": TEXT,
                "containerStatuses": STATUSES,
                "initContainerStatuses": STATUSES,
            },
        ),
    },
)


@settings(max_examples=300)
@given(st.sampled_from(Kind), st.binary(max_size=200) | JUNK.map(raw))
def test_junk_is_read_or_malformed_and_nothing_else(kind: Kind, junk: bytes) -> None:
    decode_status(junk)
    for decode in (decode_object, decode_page, decode_line):
        with suppress(MalformedError):
            decode(kind, junk)


@settings(max_examples=300)
@given(st.sampled_from(Kind), TYPES, JUNK)
def test_a_body_is_always_json_however_odd_the_object(kind: Kind, verb: str, junk: object) -> None:
    parts = junk if isinstance(junk, dict) else {"status": junk}
    for line in (
        raw({"type": verb, "object": parts | {"metadata": META}}),
        raw({"type": verb, "object": {"metadata": META, "status": junk}}),
    ):
        try:
            decoded = decode_line(kind, line).decoded
        except MalformedError:
            continue
        if decoded is not None:
            assert json.loads(decoded.body)["uid"] == "u1"


@settings(max_examples=200)
@given(PODS)
def test_any_pod_is_read_and_lists_the_containers_that_kubectl_counts(value: dict[str, Any]) -> None:
    found = json.loads(decode_object(Kind.POD, raw(value)).body)
    spec = value.get("spec", {})
    sidecars = [each for each in spec.get("initContainers", ()) if "restartPolicy" in each]
    assert [each["name"] for each in found["containers"]] == [
        each["name"] for each in [*spec.get("containers", ()), *sidecars]
    ]
    assert found["labels"] == value["metadata"].get("labels", {})


def test_a_null_withholds_nothing_but_itself() -> None:
    """Go reads a null as nothing at all; some server in between may write one where no API server would."""
    whole = {
        "metadata": META | {"labels": {"team": "a"}},
        "spec": {"containers": [{"name": "c", "image": "i"}]},
    }
    odd = {
        "metadata": META | {"uid": "u2", "labels": {"team": None, "app": "b"}},
        "spec": {"containers": [None, {"name": "c", "image": None}]},
    }
    page = decode_page(Kind.POD, raw({"metadata": {"resourceVersion": "9"}, "items": [whole, odd, None]}))
    first, second = (json.loads(item.body) for item in page.items)
    assert first["labels"] == {"team": "a"}
    assert (second["uid"], second["labels"], len(second["containers"])) == ("u2", {"app": "b"}, 1)
    line = decode_line(Kind.POD, raw({"type": "MODIFIED", "object": odd}))
    assert line.decoded is not None
    assert json.loads(line.decoded.body) == second
    assert json.loads(decode_object(Kind.POD, raw(odd)).body) == second


def test_a_null_excuses_nothing_else() -> None:
    wrong = {"metadata": META | {"labels": {"team": None, "app": 5}}}
    with pytest.raises(MalformedError, match="Expected `str"):
        decode_object(Kind.POD, raw(wrong))


def test_what_an_api_server_says_has_the_length_that_we_give_it() -> None:
    long = b"eyJhbG" * 200_000
    status = decode_status(b'{"code":410,"reason":"%b","message":"%b"}' % (long, long))
    assert status is not None
    assert (len(status.reason), len(status.message)) == (1001, 1001)
    line = decode_line(Kind.POD, b'{"type":"ERROR","object":{"message":"%b"}}' % long)
    assert line.status is not None
    assert len(line.status.message) == 1001
