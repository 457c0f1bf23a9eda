"""`initial_state`: the whole of what a client watches, joined from stored bodies and cut at 10 MB (PROTOCOL 4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from kstream.core import wire
from kstream.core.events import Event, Kind, Verb, WatchEvent
from kstream.core.filters import Filter
from kstream.core.frames import text_frame
from kstream.core.state import ClusterState, Entry, with_pod_count


class Capture(NamedTuple):
    """A consistent copy of references: cheap to take, and safe to encode elsewhere while the state moves on."""

    seq: int
    nodes: Sequence[bytes]
    namespaces: Sequence[bytes]
    pods: Sequence[Entry]


class Snapshot(NamedTuple):
    """Finished frames; a client that has sent them all is at `seq`."""

    seq: int
    frames: tuple[bytes, ...]


def capture(state: ClusterState, watched: Filter) -> Capture:
    return Capture(
        seq=state.seq,
        nodes=[entry.body for entry in state.entries(Kind.NODE)],
        namespaces=[
            with_pod_count(entry.body, state.pod_count(entry.key.name))
            for entry in state.entries(Kind.NAMESPACE)
            if entry.key in watched
        ],
        pods=state.pods(watched.namespaces),
    )


def messages(taken: Capture, *, time: float, limit: int | None = wire.MAX_MESSAGE) -> list[bytes]:
    """One `initial_state`, or one that is cut at `limit` bytes and the other pods as ADDED events in batches.

    Only the last message carries `seq`: a client that was interrupted before must not resume from there.
    """
    stamp = wire.timestamp(time).encode()
    room = (limit or 2**63) - 300
    room -= sum(map(len, taken.nodes)) + sum(map(len, taken.namespaces))
    room -= len(taken.nodes) + len(taken.namespaces) + len(taken.pods)
    bodies = [entry.body for entry in taken.pods]
    fits = len(bodies)
    if sum(map(len, bodies)) > room:
        fits = 0
        for body in bodies:
            room -= len(body)
            if room < 0:
                break
            fits += 1
    cut = fits < len(bodies)
    first = (
        b'{"type":"initial_state",%b"data":{"nodes":[%b],"pods":[%b],"namespaces":[%b]},"timestamp":"%b"}'
        % (
            b"" if cut else b'"seq":%d,' % taken.seq,
            b",".join(taken.nodes),
            b",".join(bodies[:fits]),
            b",".join(taken.namespaces),
            stamp,
        )
    )
    if not cut:
        return [first]
    rest = [
        wire.event(Event(taken.seq, WatchEvent(Verb.ADDED, entry.key, entry.version, time, entry.body)))
        for entry in taken.pods[fits:]
    ]
    return [first, *wire.batches(rest, seq=taken.seq, time=time)]


def encode(taken: Capture, *, time: float, window_bits: int) -> Snapshot:
    """The finished frames. For a large state this takes a while: do it where it stops nobody."""
    frames = (text_frame(message, window_bits) for message in messages(taken, time=time))
    return Snapshot(taken.seq, tuple(frames))
