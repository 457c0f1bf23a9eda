"""What a client knows: the fold of the messages that a server sent to it, in the order in which they came.

It needs no more than the contract; where the additions of PROTOCOL are there, it can also resume and say how
fresh it is. `kstream/web/static/kstream.js` is the same fold for browsers and Node; both must agree with
`fixtures/messages/*.json`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, TypeAlias

from kstream.core.client.mapfold import MapFold
from kstream.core.client.wanted import Wanted
from kstream.core.errors import InvalidMessageError
from kstream.core.timeline.state import Counts

Json: TypeAlias = dict[str, Any]  # a JSON object as it came: unknown fields are kept
Message: TypeAlias = Mapping[str, Any]

_MOMENTS = frozenset(("INVALID_MESSAGE", "RATE_LIMITED", "WATCH_ERROR"))  # unless they have a `fault`
_EXACT = 2**53  # JavaScript counts no further
_EVENTS = frozenset(("node_event", "pod_event", "namespace_event", "map_event"))
# Whose timestamp is the time of the timeline.
_PLACED = frozenset({*_EVENTS, "initial_state", "map_state", "batch", "metrics", "playback"})


_FILTER = ("namespaces", "kinds", "labels", "detail")  # what the details of a refused filter begin with


class ResumeToken(NamedTuple):
    """From where a server may go on (PROTOCOL 15)."""

    epoch: str
    term: str | None  # None: the server knows none
    seq: int


class ClientState:
    """Nodes, pods and namespaces by uid, and what the server said about itself.

    What is held belongs to the filter that it was asked for with: it is resumed under no other, and is stale while
    another one is wanted. Read the attributes, change none of them.
    """

    def __init__(
        self,
        namespaces: Iterable[str] = (),
        *,
        kinds: Iterable[str] = (),
        labels: str = "",
        detail: str = "",
    ) -> None:
        """The filter (PROTOCOL 14, 30): `kinds` of pods, nodes, namespaces; `labels` a selector; none is everything.
        With `detail` "map" (PROTOCOL 33) pods are thin, and held by `#number` in place of their uid."""
        self.nodes: dict[str, Json] = {}
        self.pods: dict[str, Json] = {}
        self.namespaces: dict[str, Json] = {}
        self.connection: Json | None = None  # the last `connection` message
        self.metrics: Json | None = None  # data of the last `metrics`
        self.playback: Json | None = None  # data of the last `playback`
        self.error: Json | None = None  # the last `error`, until what it tells is over
        self.faults: dict[str, Json] = {}  # what is wrong and lasts, by its `fault`, as first told
        self.as_of: str | None = None  # up to when the server's state is known to be complete
        self.seq: int | None = None  # what is held is exactly the log up to here; None: not known
        self.loaded = False  # there is a state to show
        self._time: str | None = None  # of the timeline, as the last message said
        self._played = False  # this connection told how its timeline is played
        self._ever_played = False
        self._epoch: str | None = None
        self._term: str | None = None
        self._linked = False
        self._awaiting = True  # what is held will be replaced by an `initial_state`
        # What the server was last told to send, by URL or `subscribe`.
        self._asked: object = None
        # What is held was asked for with this; None: nobody goes on from it.
        self._held: object = None
        self._pods_in: dict[str, int] = {}
        self.map: MapFold | None = None  # of whom a map is told: `looked` has whole pods, by number
        self.want(namespaces, kinds=kinds, labels=labels, detail=detail)
        self.connecting()

    def want(
        self,
        namespaces: Iterable[str],
        *,
        kinds: Iterable[str] = (),
        labels: str = "",
        detail: str = "",
    ) -> None:
        """Another filter is wanted, the whole of it; `unsaid` and the URL of the next connection say so.

        Raises TypeError for what is no list of texts, and for labels that are no text.
        """
        self.filter = Wanted.of(namespaces, kinds, labels, detail)  # as it was wanted last
        self.wanted, self.wanted_kinds, self.wanted_labels, _ = self.filter
        self._wants = self.filter.asked

    def connecting(self) -> None:
        """A socket is opened whose URL asks for what is wanted, and for `resume`."""
        self._asked = self._wants

    def unsaid(self) -> Json | None:
        """The fields of a `subscribe` that is to be sent now, once; None when there is nothing to say.

        While a state is due it has to wait: a server that is asked again may send the state of the first filter or
        leave it out, and nothing tells it from that of the second.
        """
        if not self._linked or self._awaiting or self._asked == self._wants:
            return None
        self._asked, self._awaiting = self._wants, True
        return self.filter.fields()

    def apply(self, message: Message) -> None:
        """Fold one message in. An unknown type or action changes nothing, unknown fields are kept as they are.

        Raises InvalidMessageError for a message that is not of the contract's shape.
        """
        kind = message.get("type")
        if not isinstance(kind, str):
            raise InvalidMessageError("A message of the server has no type", "type: must be a string")
        if kind in _PLACED:
            self._time = _text(message, "timestamp")
            if kind != "playback" and not self._played:
                self.playback = None  # this connection has not told of one before what it shows
        if kind in _EVENTS:
            self._event(message)
            self.seq = _seq(message)
        elif kind == "batch":
            for event in _field(message, "data", list):
                # An event's own seq says nothing here: only the batch's says what is covered.
                self._event(event)
            self.seq = _seq(message)
        elif kind == "initial_state":
            self._replace(_field(message, "data", dict))
            self.seq = _seq(message)
        elif kind in ("map_state", "map_pods", "map_names", "looked"):
            self._mapped(kind, message)
        elif kind == "connection":
            self._connected(dict(message))
        elif kind == "metrics":
            self.metrics = _field(message, "data", dict)
            self._heard_as_of(message)
            # A moment has been shown for long enough; metrics come every ten seconds.
            if self.error is not None and _text(self.error, "code") in _MOMENTS and "fault" not in self.error:
                self._over()
        elif kind == "pong":
            self._heard_as_of(message)
        elif kind == "playback":
            self._played = self._ever_played = True
            self.playback = _field(message, "data", dict)
        elif kind == "error":
            error = self.error = _field(message, "error", dict)
            if isinstance(error.get("fault"), str):
                self.faults[error["fault"]] = error
            self._refused(error)
        elif kind == "cleared":
            fault = _field(message, "fault", str)
            self.faults.pop(fault, None)
            if self.error is not None and self.error.get("fault") == fault:
                self._over()

    def disconnected(self) -> None:
        """The socket is gone: what is held is stale until the server is heard again."""
        self._linked = False

    def timeline(self, said: Mapping[str, str]) -> dict[str, str]:
        """The parameters of the next connection that say which timeline (PROTOCOL 27), so that one who was elsewhere is
        there again, up to the event: `said` are those of the URL, until the server told of one. None is the one that
        all share; with any nothing is resumed."""
        playback = self.playback
        if playback is None:
            return {} if self._ever_played else dict(said)
        if not isinstance(playback.get("id"), str):
            return {}
        if said.get("follow") == playback["id"]:
            return {"follow": playback["id"]}
        at = self._time or str(playback.get("at"))
        place = {"at": at, "speed": str(playback.get("speed"))}
        if playback.get("state") == "paused":
            place["paused"] = "true"
        if self._epoch is not None and self.seq is not None:
            # Which of the events of that millisecond were seen; of another moment it says nothing.
            place |= {"epoch": self._epoch, "seq": str(self.seq)}
            if self._term is not None:
                place["term"] = self._term
        return place

    def not_resumed(self) -> None:
        """The server would not even answer a resume: none is asked for until there is another state."""
        self._held = None

    @property
    def resume(self) -> ResumeToken | None:
        """What to ask for on the next connection; None when only an `initial_state` will do."""
        if self._held != self._wants or self._epoch is None or self.seq is None:
            return None
        return ResumeToken(self._epoch, self._term, self.seq)

    @property
    def stale(self) -> bool:
        """What is held may no longer be true: no socket, a server without its source, or a state to come."""
        status = self.connection["status"] if self.connection is not None else None
        return not self._linked or self._awaiting or self._held != self._wants or status != "connected"

    def pod_count(self, namespace: str) -> int:
        """How many pods are held of a namespace: clients count themselves (PROTOCOL 5)."""
        return self._pods_in.get(namespace, 0)

    def counts(self) -> Counts:
        """Metrics over what is held, so within this client's filter, unlike those of `metrics` messages."""
        phases = [pod.get("phase") for pod in self.pods.values()]
        statuses = [str(node.get("status")) for node in self.nodes.values()]
        return Counts(
            totalNodes=len(statuses),
            readyNodes=sum(status.split(",")[0] == "Ready" for status in statuses),
            totalPods=len(phases),
            runningPods=phases.count("Running"),
            pendingPods=phases.count("Pending"),
            failedPods=phases.count("Failed"),
        )

    def view(self) -> dict[str, list[Json]]:
        """The data of an `initial_state` that would lead here: lists sorted by uid, podCount as counted, and left out
        where no pods are watched."""
        spaces = [space for _, space in sorted(self.namespaces.items())]
        if self.pods or any("podCount" in space for space in spaces):
            spaces = [{**space, "podCount": self.pod_count(str(space.get("name")))} for space in spaces]
        return {
            "nodes": [node for _, node in sorted(self.nodes.items())],
            "pods": [pod for _, pod in sorted(self.pods.items())],
            "namespaces": spaces,
        }

    def _connected(self, message: Json) -> None:
        if not isinstance(message.get("status"), str):
            raise InvalidMessageError(
                "A connection message of the server has no status", "status: must be a string"
            )
        if not self._linked:  # the first of this socket; later ones only tell how the source is
            self._linked = True
            self._awaiting = message.get("resumed") is not True
            if self._awaiting:
                self._held = None
            if self.map is not None:
                self.map.looked = {}  # this socket has not been asked to tell them
            self.faults.clear()  # those that last are told again
            self.error = None
            self._played = False
        epoch = _text(message, "epoch")
        if epoch != self._epoch:
            self._epoch = epoch
            self.seq = None
        # What is held was told under this term from now on: the server has just said that it goes on from there, or
        # that it will not.
        self._term = _text(message, "term")
        if message["status"] == "connected" and self.error is not None and "fault" not in self.error:
            self._over()
        self.connection = message

    def _over(self) -> None:
        """What `error` told is over; something else may not be."""
        self.error = next(reversed(self.faults.values()), None)

    def _heard_as_of(self, message: Message) -> None:
        if isinstance(message.get("asOf"), str):
            self.as_of = message["asOf"]

    def _mapped(self, kind: str, message: Message) -> None:
        if kind == "map_state":
            fold = MapFold()
            fold.begin(message)
            data = _field(message, "data", dict)
            self._replace({**data, "pods": list(fold.pods.values())})
            self.map, self.seq = fold, None
        elif self.map is None:
            return
        elif kind == "map_pods":
            self.map.more(message.get("data"))
            self._shown()
        elif kind == "map_names":
            self.map.name(message)
            self.seq = _seq(message)
        else:
            self.map.look(message)
            self._shown()

    def _shown(self) -> None:
        assert self.map is not None
        self.pods = {pod["uid"]: pod for pod in self.map.pods.values()}
        self._pods_in = {}
        for pod in self.pods.values():
            self._count(pod, 1)

    def _replace(self, data: Json) -> None:
        nodes, pods, namespaces = (
            {_uid(item): item for item in _field(data, kind, list)}
            for kind in ("nodes", "pods", "namespaces")
        )
        self.nodes, self.pods, self.namespaces, self.map = nodes, pods, namespaces, None
        self._pods_in = {}
        for pod in pods.values():
            self._count(pod, 1)
        self._awaiting = False
        self._held = self._asked
        self.loaded = True

    def _refused(self, error: Json) -> None:
        # Only a `subscribe` without its answer lets the server's last state stand while another one is due.
        if not self._awaiting or self._held is None:
            return
        if error.get("code") == "RATE_LIMITED":
            # Perhaps it was what the server dropped: it is said again.
            self._awaiting, self._asked = False, None
        elif error.get("code") == "INVALID_MESSAGE" and str(error.get("details")).startswith(_FILTER):
            self._awaiting = False

    def _event(self, event: Any) -> None:
        kind = _text(event, "type") if isinstance(event, Mapping) else None
        if kind not in _EVENTS:
            return
        if kind == "map_event" or type(event.get("number")) is int:
            self._map_event(event)
            return
        held = self.pods if kind == "pod_event" else self.nodes if kind == "node_event" else self.namespaces
        data = _field(event, "data", dict)
        uid, action = _uid(data), event.get("action")
        before = held.get(uid)
        if action in ("ADDED", "MODIFIED"):
            held[uid] = data
        elif action == "DELETED":
            held.pop(uid, None)
        else:
            return
        if held is self.pods:
            if action != "DELETED":
                self._count(data, 1)
            if before is not None:
                self._count(before, -1)

    def _map_event(self, event: Message) -> None:
        if self.map is None:
            self.map = MapFold()
        before, now = self.map.change(event)
        if before is not None:
            self.pods.pop(before["uid"], None)
            self._count(before, -1)
        if now is not None:
            self.pods[now["uid"]] = now
            self._count(now, 1)

    def _count(self, pod: Json, change: int) -> None:
        namespace = str(pod.get("namespace"))
        left = self._pods_in.get(namespace, 0) + change
        if left:
            self._pods_in[namespace] = left
        else:
            del self._pods_in[namespace]


def _field(message: Message, name: str, kind: type) -> Any:
    value = message.get(name)
    if not isinstance(value, kind):
        wanted = "a list" if kind is list else "an object" if kind is dict else "a string"
        raise InvalidMessageError(
            f"A {message.get('type', 'state')} message of the server is not of the contract's shape",
            f"{name}: must be {wanted}",
        )
    return value


def _text(message: Message, name: str) -> str | None:
    """What is no text is as good as not told: nothing could be asked with it, or compared."""
    value = message.get(name)
    return value if isinstance(value, str) else None


def _uid(item: Any) -> str:
    uid = item.get("uid") if isinstance(item, dict) else None
    if not isinstance(uid, str):
        raise InvalidMessageError("A resource that the server sent has no uid", "uid: must be a string")
    return uid


def _seq(message: Message) -> int | None:
    # A message without a number leaves the state between two numbers: a cut state or a large batch that is not
    # complete yet. Resuming from the number before would miss what came and went since (PROTOCOL 4, 6).
    seq = message.get("seq")
    return seq if type(seq) is int and 0 <= seq < _EXACT else None
