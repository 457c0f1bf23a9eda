"""What a map shows of a pod, read of its body: no more than where it is, how it is and whose it is (PROTOCOL 33)."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from kstream.core.delivery import messages, wire
from kstream.core.timeline.events import Event, Verb
from kstream.core.timeline.shapes import Owner
from kstream.core.timeline.timepoint import timestamp


class _Container(msgspec.Struct, gc=False):
    ready: bool = False
    restartCount: int = 0  # noqa: N815 - the protocol's spelling


class Body(msgspec.Struct, gc=False):
    """The fields of a pod that a map is made of; recordings may lack some."""

    name: str = ""
    namespace: str = ""
    nodeName: str | None = None  # noqa: N815 - the contract's spelling
    phase: str = ""
    status: str = ""
    containers: list[_Container] = []
    owner: Owner | None = None

    def standing(self) -> tuple[str, str, int, int, int]:
        """How it is: phase, status, containers that are ready, containers, restarts."""
        ready = restarts = 0
        for each in self.containers:
            ready += each.ready
            restarts += each.restartCount
        return self.phase, self.status, ready, len(self.containers), restarts


read: Final = msgspec.json.Decoder(Body).decode
_encode: Final = msgspec.json.Encoder().encode


def event(item: Event, verb: Verb, number: int) -> bytes:
    """A `map_event`: the thin pod, as a whole."""
    change = item.change
    time = timestamp(change.time)
    if verb is Verb.DELETED:
        return _encode(messages.MapDeleted("DELETED", item.seq, messages.Numbered(number), time))
    body = read(change.body)
    pod = messages.ThinPod(
        number, body.namespace, body.name, body.nodeName, *body.standing(), owner=body.owner
    )
    action: Literal["ADDED", "MODIFIED"] = "ADDED" if verb is Verb.ADDED else "MODIFIED"
    return _encode(messages.MapChanged(action, item.seq, pod, time))


def looked(
    found: list[tuple[int, bytes]], gone: list[int], *, seq: int, answers: wire.SubscribeId, time: float
) -> bytes:
    """The answer to a `look`: (number, body) of those that are there, as of event `seq`.

    `time`: seconds since the Unix epoch."""
    pods = b",".join([b'{"number":%d,"data":%b}' % each for each in found])
    named = b"" if answers is None else b'"id":%b,' % wire.encode_id(answers)
    return b'{"type":"looked",%b"seq":%d,"pods":[%b],"gone":%b,"timestamp":"%b"}' % (
        named,
        seq,
        pods,
        _encode(gone),
        timestamp(time).encode(),
    )
