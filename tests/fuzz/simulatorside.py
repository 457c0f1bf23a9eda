"""What comes to the simulator's API server: requests for objects, reviews, tokens of an option, captures."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl

from kstream.core.errors import ConfigError, InvalidMessageError, LogMismatchError
from kstream.core.timeline.events import Kind, Verb
from simulator import runs
from simulator.apiserver import listing, protobuf, requests, selectors
from simulator.apiserver.access import Access, parse_tokens, read_review, review, rules
from simulator.apiserver.recording import read_recording
from simulator.apiserver.rendering import choose
from simulator.apiserver.requests import Ask
from simulator.apiserver.statuses import StatusError
from simulator.apiserver.store import Entry, Store
from simulator.apiserver.watching import Watch
from simulator.cluster import bounds
from simulator.cluster.objects import Change
from simulator.orders import parse_order
from simulator.pace import MAX
from simulator.story.actions import action_names
from tests.fuzz.target import Target

_NOW: Final = 1_737_712_800.0


def _object(name: str, version: int, namespace: str = "", **more: Any) -> dict[str, Any]:
    metadata = {"name": name, "uid": f"u-{name}", "resourceVersion": str(version), "labels": {"app": name}}
    metadata["creationTimestamp"] = "2025-01-24T09:00:00Z"
    return {"metadata": metadata | ({"namespace": namespace} if namespace else {}), **more}


def _store() -> Store:
    """Six pods in two namespaces, a node; compacted up to 5."""
    store = Store()
    spec = {"nodeName": "n", "containers": [{"name": "c", "image": "i"}]}
    for number, name in enumerate("abcdef", 1):
        pod = _object(name, number, "shop" if number % 2 else "shop2", spec=spec, status={"phase": "Running"})
        store.apply(Change(_NOW, Verb.ADDED, Kind.POD, pod))
    store.apply(Change(_NOW, Verb.ADDED, Kind.NODE, _object("n", 7, spec={}, status={})))
    store.compact(5)
    return store


_STORE: Final = _store()


def request(data: bytes) -> None:
    """A path with its query, and an Accept header in the second line; refused is what an API server refuses: a Status.

    All pages together hold what one page would, each object once; a selector holds for all that it chose, and for
    nothing that it left out.
    """
    text = data.decode("utf-8", "replace")
    target, _, accept = text.partition("\n")
    path, _, query = target.partition("?")
    ask = requests.parse("GET", path, dict(parse_qsl(query, keep_blank_values=True)))
    if ask is None:
        return
    assert listing.page_number(_STORE, ask) >= 1
    rendering = choose(
        accept.partition("\n")[0],
        ask.resource,
        now=lambda: _NOW,
        include=ask.query.get("includeObject", ""),
    )
    if rendering is None:
        return
    try:
        selector = selectors.parse(ask)
        if ask.verb == "watch":
            watch = Watch(_STORE, ask, selector, rendering, now=0.0, bookmark_interval=60.0)
            assert 0.0 < watch.deadline < float("inf")
            while lines := watch.take(0.0):
                assert all(isinstance(json.loads(line.body), dict) for line in lines)
            return
        first = listing.page(_STORE, ask, selector)
        _check_list(ask, selector, first)
        assert isinstance(json.loads(rendering.many(first.entries, b"{}")), dict)
    except StatusError as told:
        _check_status(told, len(data))


def _check_list(ask: Ask, selector: selectors.Selector, first: listing.Page) -> None:
    taken = {entry.key for entry in first.entries}
    assert all(selector.takes(entry) for entry in first.entries)
    if not first.next and not ask.query.get("continue"):
        namespace = ask.namespace or selector.namespace
        everything = _STORE.snapshot(ask.resource.kind, first.version).entries
        assert taken == {e.key for e in everything if _within(e, namespace) and selector.takes(e)}
    pages: list[Entry] = list(first.entries)
    following = first
    for _ in range(10):
        if not following.next:
            break
        further = ask._replace(
            query={
                name: value
                for name, value in (ask.query | {"continue": following.next}).items()
                if not name.startswith("resourceVersion")
            }
            if isinstance(ask.query, dict)
            else {}
        )
        following = listing.page(_STORE, further, selector)
        assert following.version == first.version
        pages += following.entries
    assert not following.next, "pages without end"
    assert len({entry.key for entry in pages}) == len(pages)


def _within(entry: Entry, namespace: str) -> bool:
    return not namespace or entry.key.startswith(f"{namespace}/")


def _check_status(told: StatusError, size: int) -> None:
    assert 400 <= told.code < 600
    status = json.loads(told.body())
    assert (status["kind"], status["code"]) == ("Status", told.code)
    assert len(told.body()) <= 40 * size + 2_000
    json.loads(told.line())


def continue_token(data: bytes) -> None:
    """Whatever is accepted is a token that is written and read again as the same."""
    texts = [data.decode("utf-8", "replace"), listing.encoded(data)]
    for text in texts:
        try:
            token = listing.read_token(text)
        except StatusError as told:
            _check_status(told, len(text))
            continue
        assert token.start
        assert listing.read_token(listing.make_token(token)) == token
        query = {"continue": text, "limit": "2"}
        ask = requests.parse("GET", "/api/v1/pods", query)
        assert ask is not None
        assert listing.page_number(_STORE, ask) >= 1
        with suppress(StatusError):
            assert len(listing.page(_STORE, ask, selectors.parse(ask)).entries) <= 2


_ACCESS: Final = parse_tokens(["me=list+watch:pods@shop", "you=view"])


def reviewing(data: bytes) -> None:
    """The body of a review, as JSON and as protobuf: an answer that is a review, or a Status of 400."""
    for content in (data, b"k8s\x00" + data):
        for media in ("application/json", protobuf.MEDIA):
            try:
                body = read_review(content, media)
                answers = [
                    tell(access, user, body)
                    for tell in (review, rules)
                    for access, user in ((_ACCESS, "me"), (Access(), ""))
                ]
            except StatusError as told:
                _check_status(told, len(data))
                continue
            for answer in answers:
                assert answer["kind"].startswith("SelfSubject")
                json.dumps(answer, ensure_ascii=False).encode()
            assert answers[0]["status"]["allowed"] in (True, False)


def tokens(data: bytes) -> None:
    """`--token`, one a line: each name is known by itself, and may do no more than was written."""
    texts = data.decode("utf-8", "replace").splitlines()[:50]
    access = parse_tokens(texts)
    for user in access.users:
        assert not access.allows(user, verb="delete", resource="pods", namespace="shop") or "*" in "".join(
            texts
        )
        assert access.user(f"Bearer {user}") == user
        rules(access, user, {})


def capture(data: bytes) -> None:
    """What is accepted can be served: loaded, and played to its end at times that never go back."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "capture.jsonl"
        path.write_bytes(data)
        recording = read_recording(path)
    store = Store()
    recording.load(store)
    times = _played(recording.changes)
    assert times == sorted(times)
    while (due := recording.next_time()) is not None:
        for change in recording.until(due):
            store.apply(change)
    for kind in Kind:
        for entry in store.snapshot(kind).entries:
            json.loads(entry.body)


def _played(changes: Sequence[Change]) -> list[float]:
    return [change.time for change in changes]


def order(data: bytes) -> None:
    """The body of `POST /api/sim/do`: what is understood is within its bounds."""
    try:
        request = json.loads(data)
    except (ValueError, RecursionError):
        return  # answered with 400 before it comes here
    if not isinstance(request, dict):
        return  # so is this
    found = parse_order(request)
    assert found.speed == MAX or bounds.SLOWEST <= found.speed <= bounds.FASTEST
    assert found.span is None or 0 <= found.span <= bounds.STEP * 1000
    assert (found.action is None) == (found.do != "act")


_MINE: Final = '{"scenario": "tour", "digest": "d", "seed": 1, "start": "2025-01-24T10:00:00.000Z"}'


def log_of_a_run(data: bytes) -> None:
    """What a log holds of a simulated run: JSON, in which each text is one of its versions."""
    try:
        versions = json.loads(data)
    except (ValueError, RecursionError):
        return
    if not isinstance(versions, dict):
        return
    versions = {name: text for name, text in versions.items() if isinstance(text, str)}
    runs.check(versions, _MINE, empty=True, adopt_start=True)
    if runs.RUN in versions:
        assert bounds.EARLIEST <= runs.start_of(versions) < bounds.LATEST
        assert 0 <= runs.position(versions) < 10**16
        done = runs.actions(versions)
        times = [elapsed for elapsed, _ in done]
        assert times == sorted(times)
        assert len(done) <= bounds.INJECTED


TARGETS: Final[tuple[Target, ...]] = (
    Target(
        name="sim-request",
        run=request,
        syntax="text",
        raises=None,
        words=(
            "/api/v1/", "pods", "nodes", "namespaces", "/watch/", "?", "&", "=", "limit=2", "limit=-1", "continue=",
            "resourceVersion=", "resourceVersion=6", "resourceVersionMatch=Exact", "resourceVersionMatch=NotOlderThan",
            "sendInitialEvents=true", "watch=1", "allowWatchBookmarks=true", "timeoutSeconds=", "labelSelector=",
            "fieldSelector=", "metadata.namespace=", "metadata.name=", "spec.nodeName=", "status.phase=",
            "app in (a,b)", "app notin (a)", "!app", "app>1", "app!=a", ",", "(", ")", "%00", "%C2%B2", "%D9%A3", "\n",
            "application/json", ";as=Table;v=v1;g=meta.k8s.io",
            ";as=PartialObjectMetadataList;v=v1;g=meta.k8s.io", "*/*",
            "includeObject=None", "9" * 5_000, "," * 500,
        ),
        executions=1_500,
    ),
    Target(
        name="continue-token",
        run=continue_token,
        syntax="json",
        raises=None,
        words=("v", "meta.k8s.io/v1", "rv", "start", "shop/a", "/a", "\u0000"),
        executions=1_500,
    ),
    Target(
        name="review",
        run=reviewing,
        syntax="json",
        raises=None,
        words=(
            "kind", "spec", "resourceAttributes", "nonResourceAttributes", "verb", "resource", "namespace", "group",
            "list", "pods", "shop", "SelfSubjectAccessReview", "SelfSubjectRulesReview", "\x80\x80\x80\x80",
            "\x0a", "\x12",
        ),
        executions=1_500,
    ),
    Target(
        name="tokens",
        run=tokens,
        syntax="text",
        raises=ConfigError,
        words=("=", ",", "+", ":", "@", "*", "view", "none", "list", "watch", "pods", "nodes", "shop", "\n"),
        executions=1_500,
    ),
    Target(
        name="order",
        run=order,
        syntax="json",
        raises=InvalidMessageError,
        words=("do", "status", "pause", "play", "speed", "max", "step", "by", "10s", "24h", "at", *action_names()),
        executions=1_500,
    ),
    Target(
        name="log-of-a-run",
        run=log_of_a_run,
        syntax="json",
        raises=LogMismatchError,
        words=(
            "simulation-run", "simulation", "simulation-action-1", "simulation-action-2", "scenario", "digest", "seed",
            "start", "elapsed", "action", "2025-01-24T10:00:00", "0001-01-01T00:00:00+23:59",
        ),
        executions=1_500,
    ),
    Target(
        name="capture",
        run=capture,
        syntax="json",
        raises=ConfigError,
        words=(
            "t", "stream", "nodes", "pods", "namespaces", "event", "list", "line", "body", "metadata",
            "resourceVersion", "items", "type", "ADDED", "MODIFIED", "DELETED", "BOOKMARK", "object",
            "creationTimestamp", "name", "uid",
        ),
        executions=600,
    ),
)  # fmt: skip
