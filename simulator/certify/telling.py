"""What the client is told on its connections, and with that, what it must hold and may ask for.

The model of a client is here, so that nothing of kstream's own clients judges: what was said, up to which number, for
which filter and in which term.
"""

from __future__ import annotations

from typing import Final

from simulator.certify import wire
from simulator.certify.failure import FailedError
from simulator.certify.history import Filter, History, Json, Token, coalesced, fold, parts, seconds
from simulator.certify.judging import Expected
from simulator.certify.server import Peer

_BATCHES: Final = 3  # of what is sent in parts


class Telling:
    """Of one client and one history. Whoever changes a public attribute calls `judge` after it."""

    def __init__(self, history: History) -> None:
        self.expected = Expected()
        self.peer: Peer | None = None
        self.wanted: Filter = frozenset()
        self.asked: Filter = frozenset()  # what this connection was asked for last
        self.awaiting = True  # a state is due
        self.found = True  # the server has its cluster
        self.faults: dict[str, None] = {}
        self._history = history
        self._held: Filter | None = None  # what is held was asked for with this; None: nobody goes on from it
        self._named = ("", "")  # epoch and term, as told last
        self._cursor = 0  # up to where the connection was told
        self._rest: list[
            tuple[Json, int | None]
        ] = []  # what was begun to be told, and the number of each part
        self._last: Json | None = None  # the event that was told alone, if nothing was told since
        self._metrics = 0

    @property
    def can_go_on(self) -> Token | None:
        """What the client has to ask for when it comes back; None where only a state will do (PROTOCOL 15)."""
        if self._held != self.wanted or self.expected.seq is None:
            return None
        return Token(*self._named, self.expected.seq)

    def judge(self, *, between: bool = False) -> None:
        """What is stale now. `between` two parts of a state: either is right."""
        stale = self.peer is None or self.awaiting or self._held != self.wanted or not self.found
        self.expected.stale = None if between and not stale else stale
        self.expected.may_be_empty = self.expected.may_be_empty or self.peer is None or self.awaiting

    # Connections

    async def join(self, peer: Peer, token: Token | None, *, state: bool) -> None:
        """Somebody connects, and asks to go on from `token`; `state`: if that will not do, it gets its state now."""
        reason = self._history.refuses(token) if token is not None else ""
        resumed = token is not None and not reason
        self.peer, self.asked, self.awaiting, self._last = peer, self.wanted, not resumed, None
        self._rest.clear()
        await self.connection(peer, resumed=resumed, reason=reason)
        for name in self.faults:
            await self._tell_fault(peer, name)
        self.expected.faults = tuple(self.faults)
        if resumed and token is not None:
            self._cursor = token.seq
            self._told_of(token.seq)
            await self.send(peer, "batch")
            return
        self._held = None
        self.expected.seq_judged = False
        self.judge()
        if state:
            await self.state(peer)

    def lost(self) -> None:
        """The connection is over."""
        self.peer = None
        self.expected.seq_judged = False
        self.expected.faults = None
        self.judge()

    async def connection(self, peer: Peer, *, resumed: bool | None = None, reason: str = "") -> None:
        """See wire.connection."""
        await peer.send(wire.connection(self._history, found=self.found, resumed=resumed, reason=reason))
        self._named = (self._history.epoch, self._history.term)
        self.judge()

    # What it holds

    async def state(
        self, peer: Peer, *, pieces: int = 0, behind: int = 0, torn: bool = False, large: bool = False
    ) -> None:
        """See steps.State."""
        upto = max(self._history.head - behind, 0)
        view = self._history.view(self.asked, upto)
        first, *others = parts(list(view["pods"].values()), pieces + 1) or [[]]
        message = wire.initial_state(view, first, None if others else upto, upto)
        self._begin([wire.added(each, upto) for each in others], upto)
        await peer.send(wire.large(message) if large else message)
        self.expected.view = {**view, "pods": {pod["uid"]: pod for pod in first}}
        self.awaiting, self._held, self._cursor, self._last = False, self.asked, upto, None
        self._told_of(None if others else upto)
        if not torn:
            await self.finish(peer)
            if behind:
                await self.send(peer, "each")

    async def send(self, peer: Peer, how: str) -> bool:
        """What happened since, and the client does not know; see steps.Send. False for nothing."""
        await self.finish(peer)
        due, head = self._history.since(self.asked, self._cursor), self._history.head
        self._cursor = head
        if how in ("each", "fragments"):
            for event in due:
                await peer.send(event, fragments=how == "fragments")
                fold(self.expected.view, event)
                self._last = event
                self._told_of(event["seq"])
            return bool(due)
        due = coalesced(due)
        self._begin(parts(due, 1 if how == "batch" else _BATCHES), head)
        await self.finish(peer, 1 if how == "first part" else None)
        return bool(due)

    async def finish(self, peer: Peer, most: int | None = None) -> None:
        """What was begun is gone on with: all of it, or so many parts."""
        left = 0 if most is None else max(len(self._rest) - most, 0)
        while len(self._rest) > left:
            message, seq = self._rest.pop(0)
            await peer.send(message)
            for event in message["data"]:
                fold(self.expected.view, event)
            self._last = None
            self._told_of(seq)

    def _begin(self, pieces: list[list[Json]], seq: int) -> None:
        last = len(pieces) - 1
        numbers = [seq if number == last else None for number in range(len(pieces))]
        self._rest = [(wire.batch(each, n, seq), n) for each, n in zip(pieces, numbers, strict=True)]

    def _told_of(self, seq: int | None) -> None:
        self.expected.seq, self.expected.seq_judged, self.expected.may_be_empty = seq, True, False
        self.judge(between=bool(self._rest))

    # What it is told beside

    async def fault(self, name: str, *, over: bool) -> bool:
        """See steps.Fault. False where it is so already."""
        if over == (name not in self.faults):
            return False
        if over:
            del self.faults[name]
        else:
            self.faults[name] = None
        if self.peer is not None:
            if over:
                await self.peer.send(wire.cleared(name, self._history.head))
            else:
                await self._tell_fault(self.peer, name)
            self.expected.faults = tuple(self.faults)
        return True

    async def _tell_fault(self, peer: Peer, name: str) -> None:
        await peer.send(wire.error("PERMISSION_DENIED", self._history.head, fault=name))

    async def metrics(self, peer: Peer) -> None:
        """See steps.Metrics."""
        self._metrics += 1
        as_of = seconds(10_000 + self._metrics)
        message = wire.metrics(self._history.view(frozenset()), self._history.head, as_of)
        await peer.send(message)
        self.expected.as_of, self.expected.metrics = as_of, message["data"]

    async def strange(self, peer: Peer, what: str) -> bool:
        """See steps.Strange. False where there is nothing that could be strange."""
        await self.finish(peer)
        head, seq = self._cursor, self.expected.seq
        match what:
            case "type":
                await peer.send(wire.unknown_type(head))
            case "playback":
                await peer.send(wire.playback(head))
            case "large":
                await self.state(peer, large=True)
            case "again" if self._last is not None:
                await peer.send(self._last)
            case "gone" if seq is not None:
                never = wire.added([self._history.never()], head)[0]
                await peer.send({**never, "action": "DELETED", "seq": seq})
            case "action" if seq is not None and self.expected.view["pods"]:
                pod = next(iter(self.expected.view["pods"].values()))
                await peer.send(wire.unknown_action(pod, seq))
            case "modified" | "fields" | "batched":
                await self.send(peer, "each")
                self._history.add("pod", f"strange-{self._history.head}", min(self.asked, default="a"))
                await self._told_strangely(peer, what, self._history.events[-1])
            case _:
                return False
        return True

    async def _told_strangely(self, peer: Peer, what: str, event: Json) -> None:
        self._cursor = seq = event["seq"]
        if what == "modified":
            event = {**event, "action": "MODIFIED"}
        elif what == "fields":
            event = wire.unknown_fields(event)
        await peer.send(
            wire.batch([wire.unknown_event(seq), event], seq, seq) if what == "batched" else event
        )
        fold(self.expected.view, event)
        self._last = None
        self._told_of(seq)


def asked_for(peer: Peer, telling: Telling, *, can_resume: bool) -> Token | None:
    """What it asks to go on from. Raises FailedError for a wrong filter, and for what it must not ask, or must."""
    names = frozenset(filter(None, peer.query.get("namespaces", "").split(",")))
    if names != telling.wanted:
        said = (
            f"It connects with namespaces={','.join(sorted(names))}, and {sorted(telling.wanted)} are wanted"
        )
        raise FailedError("filter", said)
    right = telling.can_go_on
    if "seq" not in peer.query:
        if right is not None and can_resume:
            raise FailedError("resume", f"It could go on from {_said(right)}, and asks for everything")
        return None
    number = peer.query["seq"]
    seq = int(number) if number.isascii() and number.isdigit() and len(number) < 17 else -1
    token = Token(peer.query.get("epoch"), peer.query.get("term"), seq)
    if right is None:
        why = "it does not know up to where what it holds goes, or holds it for another filter"
        raise FailedError("token", f"It asks to go on from {_said(token)}; {why}")
    if token != right:
        raise FailedError("token", f"It asks to go on from {_said(token)}, and holds {_said(right)}")
    return token


def _said(token: Token) -> str:
    return f"epoch={token.epoch} term={token.term} seq={token.seq}"
