"""What is answered to us: by an API server that refuses, a plugin, an issuer, and a kstream server to its client."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from random import Random
from typing import Final

from yarl import URL

from kstream.core.client.messages import read_message
from kstream.core.client.refusal import NotNowError, reason, refusal
from kstream.core.client.state import ClientState
from kstream.core.errors import ConfigError, InvalidMessageError, MalformedError
from kstream.core.watching.backoff import Backoff
from kstream.core.watching.refusal import Meaning, read_refusal
from kstream.core.watching.response import MAX_REFUSAL
from kstream.sources.execplugin import read_issued
from kstream.sources.identity import UnidentifiedError, has_watch_list, read_version
from kstream.sources.kubeconfigfile import Plugin
from kstream.sources.oidc import read_id_token
from kstream.sources.preflight import read_review
from tests.fuzz.target import Target

_URL: Final = "ws://example.test/ws"
_V1: Final = "client.authentication.k8s.io/v1"
_PLUGIN: Final = Plugin.model_validate({"command": "get-token", "apiVersion": _V1})


def api_refusal(data: bytes) -> None:
    """Status and Retry-After are the first two lines. Nothing is raised, whatever it is.

    The meaning is that of the status alone; the cause is text, and no longer than what was said; no wait is endless.
    """
    status, header, body = _answer(data)
    read = read_refusal(status, {"retry-after": header}, body[:MAX_REFUSAL])
    assert read.meaning is read_refusal(status, {}, b"").meaning
    assert read.meaning in Meaning
    assert read.answered == (status < 500 and status != 401)
    assert read.cause.startswith(f"{status}: ")
    assert len(read.cause.encode()) <= 3 * len(body) + 100
    assert read.retry_after is None or 0 <= read.retry_after < float("inf")
    assert 0 < Backoff(Random(0)).failed(0.0, retry_after=read.retry_after) <= 300


def server_refusal(data: bytes) -> None:
    """The same of a kstream server, to the Python client: one documented error, with a wait that has an end."""
    status, header, body = _answer(data)
    said = reason(body)
    error = refusal(_URL, status, said, header)
    assert len(said) <= len(body)
    assert len(str(error).encode()) <= 3 * len(body) + 500
    assert not isinstance(error, NotNowError) or 0.0 <= error.retry_after <= 300.0


def _answer(data: bytes) -> tuple[int, str, bytes]:
    first, _, rest = data.partition(b"\n")
    header, _, body = rest.partition(b"\n")
    status = int(first) if first.isdigit() and len(first) == 3 else 503
    return status, header.decode("utf-8", "surrogateescape"), body


def server_messages(data: bytes) -> None:
    """A JSON list is one frame after the other, anything else a single one; a refused frame changes no invariant.

    The counts of pods are those of the pods, keys are the uids, and what is resumed can be written into a URL.
    """
    state = ClientState(["a"])
    text = data.decode("utf-8", "replace")
    try:
        frames = json.loads(text)
    except (ValueError, RecursionError):
        frames = None
    if not isinstance(frames, list):
        state.apply(read_message(text, _URL))
        _check(state)
        return
    for number, frame in enumerate(frames):
        if frame == "disconnected":
            state.disconnected()
            state.connecting()
        elif frame == "subscribe":
            state.want(["a", str(number)])
        else:
            with suppress(InvalidMessageError):
                state.apply(read_message(json.dumps(frame), _URL))
        state.unsaid()
    _check(state)


def _check(state: ClientState) -> None:
    for held in (state.nodes, state.pods, state.namespaces):
        assert all(item["uid"] == uid for uid, item in held.items())
    spaces = [str(pod.get("namespace")) for pod in state.pods.values()]
    assert all(state.pod_count(space) == spaces.count(space) for space in set(spaces))
    assert sum(state._pods_in.values()) == len(spaces)
    counts = state.counts()
    assert counts.totalPods == len(spaces) >= counts.runningPods + counts.pendingPods + counts.failedPods
    assert counts.totalNodes == len(state.nodes) >= counts.readyNodes
    json.dumps(state.view(), ensure_ascii=False).encode()
    assert state.seq is None or 0 <= state.seq < 2**53
    assert isinstance(state.stale, bool)
    if (token := state.resume) is not None:
        url = URL(_URL).update_query(epoch=token.epoch, term=token.term or "", seq=str(token.seq))
        assert (url.query["epoch"], url.query["seq"]) == (token.epoch, str(token.seq))


def exec_credential(data: bytes) -> None:
    """A token, a certificate with its key, or both; nothing that was printed is repeated when it is refused."""
    try:
        issued = read_issued(_PLUGIN, data)
    except ConfigError as error:
        told = str(error)
        assert told in _TOLD, "what was printed may be a secret"
        raise
    assert issued.token or issued.certificate
    assert bool(issued.certificate) == bool(issued.key)
    assert len(f"{issued.token}{issued.certificate}{issued.key}".encode()) <= 3 * len(data)
    assert issued.expires is None or abs(issued.expires) < 1e12


_TOLD: Final = {
    "Exec plugin get-token printed no ExecCredential: run it by hand to see what",
    f"Exec plugin get-token speaks another version than {_V1}, which the kubeconfig wants; make them agree",
    "Exec plugin get-token gave neither a token nor a certificate with its key",
}


def id_token(data: bytes) -> None:
    """The claims of a JWT. It expires at a moment, or never; what it holds is not repeated when it is refused."""
    token = f"e30.{base64.urlsafe_b64encode(data).rstrip(b'=').decode()}.sig"
    for text in (token, data.decode("utf-8", "replace")):
        with suppress(ConfigError):
            read = read_id_token(text, "User 'me'")
            assert read.token == text
            assert read.expires is None or abs(read.expires) < float("inf")
    try:
        read_id_token(token, "User 'me'")
    except ConfigError as error:
        told = str(error)
        assert told == "User 'me': its id-token is no JWT; log in anew"
        raise


def identity(data: bytes) -> None:
    """The answer to /version, and to a review: what it is, or the one error of each."""
    try:
        version = read_version(data, "https://h")
    except UnidentifiedError as error:
        told = str(error).encode()
        assert len(told) < 1_000
    else:
        has_watch_list(version)
    assert read_review(data) in (True, False)


_MESSAGE_WORDS: Final = (
    "type", "connection", "status", "connected", "reconnecting", "initial_state", "data", "nodes", "pods", "namespaces",
    "pod_event", "node_event", "namespace_event", "batch", "action", "ADDED", "MODIFIED", "DELETED", "uid", "namespace",
    "epoch", "term", "seq", "resumed", "metrics", "error", "code", "fault", "cleared", "RATE_LIMITED", "playback",
    "asOf", "INVALID_MESSAGE", "details", "phase", "Running", "disconnected", "subscribe",
)  # fmt: skip

TARGETS: Final[tuple[Target, ...]] = (
    Target(
        name="api-refusal",
        run=api_refusal,
        syntax="text",
        raises=None,
        words=(
            "401", "403", "410", "429", "503", "\n", '{"kind":"Status"', '"message":',
            '"details":{"retryAfterSeconds":', "<html>", "\r\n", "1e309", "\u0663", "99999999", "999999999",
        ),
        executions=1_500,
    ),
    Target(
        name="server-refusal",
        run=server_refusal,
        syntax="text",
        raises=None,
        words=(
            "400", "403", "429", "503", "\n", '{"error":', '"message":', '"details":', "9" * 400, "\u0663", "[" * 3_000,
        ),
        executions=1_500,
    ),
    Target(
        name="server-messages",
        run=server_messages,
        syntax="json",
        raises=InvalidMessageError,
        words=_MESSAGE_WORDS,
        executions=1_500,
    ),
    Target(
        name="exec-credential",
        run=exec_credential,
        syntax="json",
        raises=ConfigError,
        words=(
            "apiVersion", "kind", "ExecCredential", _V1, "status", "token", "clientCertificateData", "clientKeyData",
            "expirationTimestamp", "2025-01-24T10:00:00", "2025-01-24T10:00:00+23:59", "0001-01-01T00:00:00Z",
        ),
        executions=1_500,
    ),
    Target(
        name="id-token",
        run=id_token,
        syntax="json",
        raises=ConfigError,
        words=("exp", "iat", "sub", "NaN", "Infinity", "1e309", "9" * 400),
        executions=1_500,
    ),
    Target(
        name="identity",
        run=identity,
        syntax="json",
        raises=MalformedError,
        words=("gitVersion", "major", "minor", "34+", "v1.36.0", "status", "allowed", "reason"),
        executions=1_500,
    ),
)  # fmt: skip
