"""`initial_state`: the whole of what a client watches, joined from stored bodies and cut at 10 MB (PROTOCOL 4)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from kstream.core.delivery import wire
from kstream.core.delivery.filters import Filter
from kstream.core.delivery.frames import DEFLATE_OVER, deflated_frame, text_header
from kstream.core.delivery.selectors import Selector
from kstream.core.timeline.events import Kind, Verb
from kstream.core.timeline.state import ClusterState, with_pod_count, without_pod_count
from kstream.core.timeline.timepoint import timestamp

_CHUNK = 500  # bodies that are deflated at a time: the whole message is never in memory


class Capture(NamedTuple):
    """A consistent copy of references: cheap to take, and safe to encode elsewhere while the state moves on."""

    seq: int
    nodes: Sequence[bytes]
    namespaces: Sequence[bytes]
    pods: list[bytes]
    labels: Selector | None = None  # of the pods those that it matches: looked for where they are encoded


class Snapshot(NamedTuple):
    """Finished frames; a client that has sent them all is at `seq`."""

    seq: int
    frames: tuple[bytes, ...]


class _Placed(msgspec.Struct, gc=False):
    """The name of a namespace, and that of a pod's."""

    name: str = ""
    namespace: str = ""


_decode_placed = msgspec.json.Decoder(_Placed).decode


def capture(state: ClusterState, watched: Filter) -> Capture:
    return Capture(
        seq=state.seq,
        nodes=[entry.body for entry in state.entries(Kind.NODE)] if watched.shows(Kind.NODE) else [],
        namespaces=[
            with_pod_count(entry.body, state.pod_count(entry.key.name))
            if watched.counts_pods
            else without_pod_count(entry.body)
            for entry in state.entries(Kind.NAMESPACE)
            if entry.key in watched
        ],
        pods=state.pod_bodies(watched.namespaces) if watched.shows(Kind.POD) else [],
        labels=watched.labels,
    )


class Part(NamedTuple):
    """One message of a state, not yet joined: the pods from `start` to `end` of all of them, copied once only."""

    before: bytes
    between: bytes
    pods: list[bytes]
    start: int
    end: int
    after: bytes
    inner: int  # bytes of its bodies and what is between them

    def message(self) -> bytes:
        return self.between.join(self._chunk(self.start, self.end, b""))

    def frame(self, window_bits: int) -> bytes:
        """The finished frame, as text_frame of the message."""
        size = len(self.before) + self.inner + len(self.after)
        if not window_bits or size <= DEFLATE_OVER:
            return self.between.join(self._chunk(self.start, self.end, text_header(size)))
        return deflated_frame(self._chunks(), window_bits)

    def _chunks(self) -> Iterator[bytes]:
        for start in range(self.start, max(self.end, self.start + 1), _CHUNK):
            end = min(start + _CHUNK, self.end)
            chunk = self.between.join(self._chunk(start, end, b""))
            yield chunk if end == self.end else chunk + self.between

    def _chunk(self, start: int, end: int, header: bytes) -> list[bytes]:
        """Some of the bodies, the first and the last of all with what comes before and after."""
        if self.start == self.end:
            return [header + self.before + self.after]
        chunk = self.pods[start:end]
        if start == self.start:
            chunk[0] = header + self.before + chunk[0]
        if end == self.end:
            chunk[-1] += self.after
        return chunk


def parts(
    taken: Capture, *, time: float, limit: int | None = wire.MAX_MESSAGE, answers: wire.SubscribeId = None
) -> Iterator[Part]:
    """One `initial_state`, or one that is cut at `limit` bytes and the other pods as ADDED events in batches.

    `answers`: the `id` of the subscribe that it answers (PROTOCOL 30).

    Only the last message carries `seq`: a client that was interrupted before must not resume from there. They are
    made one by one: what a part needs is still near the processor when it is joined.
    """
    taken = taken if taken.labels is None else _selected(taken, taken.labels)
    pods = taken.pods
    count = len(pods)
    most = limit or 2**63
    named = b"" if answers is None else b'"id":%b,' % wire.encode_id(answers)
    room = most - 300 - len(named)
    room -= sum(map(len, taken.nodes)) + sum(map(len, taken.namespaces))
    room -= len(taken.nodes) + len(taken.namespaces)
    stamp = timestamp(time).encode()
    at, inner = _fill(pods, 0, room, 1)
    yield Part(
        b'{"type":"initial_state",%b%b"data":{"nodes":[%b],"pods":['
        % (named, b"" if at < count else b'"seq":%d,' % taken.seq, b",".join(taken.nodes)),
        b",",
        pods,
        0,
        at,
        b'],"namespaces":[%b]},"timestamp":"%b"}' % (b",".join(taken.namespaces), stamp),
        inner,
    )
    head, tail = wire.around(Kind.POD, Verb.ADDED, seq=taken.seq, time=time)
    between = tail + b"," + head
    while at < count:
        start = at
        at, inner = _fill(pods, start, most - 200, len(between))
        if at == start:  # too large even alone
            at, inner = start + 1, len(pods[start])
        yield Part(
            b'{"type":"batch",%b"data":[%b' % (b'"seq":%d,' % taken.seq if at == count else b"", head),
            between,
            pods,
            start,
            at,
            tail + b'],"timestamp":"%b"}' % stamp,
            inner,
        )


def _selected(taken: Capture, labels: Selector) -> Capture:
    """The pods that match, and how many of them each namespace has: `podCount` is what a client can count itself."""
    pods = [body for body in taken.pods if labels.shows(body)]
    return taken._replace(pods=pods, namespaces=recounted(taken.namespaces, pods))


def recounted(namespaces: Sequence[bytes], pods: Sequence[bytes]) -> list[bytes]:
    """The bodies of namespaces, each with the number of these pods that are in it."""
    counts = Counter(_decode_placed(body).namespace for body in pods) if namespaces else Counter[str]()
    return [with_pod_count(body, counts[_decode_placed(body).name]) for body in namespaces]


def _fill(pods: list[bytes], start: int, room: int, between: int) -> tuple[int, int]:
    """Where the bodies end that fit into `room` with `between` bytes after each, and their size without the last."""
    at, size, step = start, 0, _CHUNK
    while at < len(pods):
        chunk = pods[at : at + step]
        more = sum(map(len, chunk)) + between * len(chunk)
        if size + more <= room:
            at += len(chunk)
            size += more
        elif step == 1:
            break
        else:
            step = 1
    return at, max(size - between, 0)


def messages(taken: Capture, *, time: float, limit: int | None = wire.MAX_MESSAGE) -> list[bytes]:
    """The messages of a state, each of at most `limit` bytes; `time`: seconds since the Unix epoch. See `parts`."""
    return [part.message() for part in parts(taken, time=time, limit=limit)]


def encode(taken: Capture, *, time: float, window_bits: int, answers: wire.SubscribeId = None) -> Snapshot:
    """The finished frames; `time`: seconds since the Unix epoch. For a large state this takes a while: do it where it
    stops nobody. `answers` as in `parts`."""
    made = parts(taken, time=time, answers=answers)
    return Snapshot(taken.seq, tuple(part.frame(window_bits) for part in made))
