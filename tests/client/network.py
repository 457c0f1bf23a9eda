"""What the model test plays with: a cluster with its log, a server as docs/protocol.md says, a network that is slow.

Time is the event loop's, which is virtual. `tests/js/model-world.mjs` is the same for the other client.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, TypeAlias, cast

import aiohttp
from yarl import URL

Json: TypeAlias = dict[str, Any]
View: TypeAlias = dict[str, dict[str, Json]]

NAMESPACES = ("a", "b", "c", "d")
_KINDS = {"node_event": "nodes", "pod_event": "pods", "namespace_event": "namespaces"}


def shows(watched: Iterable[str], kind: str, item: Json) -> bool:
    """Whether a filter (an empty one is everything) lets a resource of this kind through."""
    names = frozenset(watched)
    return kind == "nodes" or not names or item["namespace" if kind == "pods" else "name"] in names


@dataclass(frozen=True)
class Term:
    """Who wrote the log after the event `since`."""

    name: str
    since: int


class Log:
    """A history; `fork` is what the next server finds of it."""

    def __init__(self, epoch: str, terms: Sequence[Term], events: Iterable[Json] = ()) -> None:
        self.epoch = epoch
        self.terms = tuple(terms)
        self.events = list(events)

    @property
    def head(self) -> int:
        return len(self.events)

    def fork(self, term: str, up_to: int) -> Log:
        kept = tuple(written for written in self.terms if written.since <= up_to)
        return Log(self.epoch, (*kept, Term(term, up_to)), self.events[:up_to])

    def takes(self, query: Any) -> bool:
        """A resume from the query's token is possible; with which filter it comes is nothing to the log."""
        names = [term.name for term in self.terms]
        if query["epoch"] != self.epoch or query.get("term") not in names:
            return False
        after = self.terms[names.index(query["term"]) + 1 :]
        return int(query["seq"]) <= (after[0].since if after else self.head)

    def view(self, watched: Iterable[str], seq: int | None = None) -> View:
        """All that a filter lets through, as it was after the event `seq`."""
        view: View = {kind: {} for kind in _KINDS.values()}
        for event in self.events[:seq]:
            kind, data = _KINDS[event["type"]], event["data"]
            if event["action"] == "DELETED":
                view[kind].pop(data["uid"], None)
            elif shows(watched, kind, data):
                view[kind][data["uid"]] = data
        return view

    def since(self, watched: Iterable[str], seq: int) -> list[Json]:
        return [event for event in self.events[seq:] if shows(watched, _KINDS[event["type"]], event["data"])]

    def change(self, dice: Random, serial: int) -> None:
        """Something happens in the cluster."""
        view = self.view(())
        name = dice.choice(NAMESPACES)
        space = next((held for held in view["namespaces"].values() if held["name"] == name), None)
        mine = [pod for pod in view["pods"].values() if pod["namespace"] == name]
        if not view["nodes"]:
            self._append("node_event", "ADDED", uid="n", name="n", status="Ready", serial=serial)
        elif space is None:
            self._append("namespace_event", "ADDED", uid=f"s-{name}-{serial}", name=name, status="Active")
        elif dice.random() < 0.1:
            for pod in mine:
                self._append("pod_event", "DELETED", uid=pod["uid"], name=pod["name"], namespace=name)
            self._append("namespace_event", "DELETED", uid=space["uid"], name=name)
        elif mine and dice.random() < 0.3:
            gone = dice.choice(mine)
            self._append("pod_event", "DELETED", uid=gone["uid"], name=gone["name"], namespace=name)
        elif mine and dice.random() < 0.4:
            self._append("pod_event", "MODIFIED", **{**dice.choice(mine), "serial": serial})
        else:
            uid = f"p-{serial}"
            self._append("pod_event", "ADDED", uid=uid, name=uid, namespace=name, phase="Pending")

    def _append(self, kind: str, action: str, **data: Any) -> None:
        self.events.append({"type": kind, "action": action, "data": data, "seq": self.head + 1})


class Network:
    """What lies between the client and whoever is `server` now; None: nobody is."""

    def __init__(self, dice: Random) -> None:
        self.dice = dice
        self.calm = False
        self.server: Server | None = None
        self.sockets: list[Socket] = []

    def latency(self) -> float:
        return self.dice.random() * (3.0 if not self.calm and self.dice.random() < 0.1 else 0.06)

    async def ws_connect(self, session: aiohttp.ClientSession, url: URL, **_: Any) -> Socket:
        """In the place of aiohttp's."""
        if session.closed:
            raise RuntimeError("Session is closed")
        await asyncio.sleep(2 * self.dice.random())
        server = self.server
        if server is None:
            raise aiohttp.ClientConnectionError("refused")
        if not self.calm and self.dice.random() < 0.1:
            raise TimeoutError
        if not self.calm and self.dice.random() < 0.05:
            info = cast("aiohttp.RequestInfo", None)
            raise aiohttp.WSServerHandshakeError(info, (), status=503, message="")
        socket = Socket(self, server)
        self.sockets.append(socket)
        server.join(socket, url)
        return socket


class Socket:
    """The client's end of a connection: as much of aiohttp's as the client uses."""

    def __init__(self, network: Network, server: Server) -> None:
        self.server = server
        self.session: Session | None = None
        self.closed = False  # by the client
        self.ended = False  # no longer a connection, whether the client has heard of it or not
        self.silent = False  # the network swallows everything, and tells nobody
        self.close_code: int | None = None
        self.pings: list[float] = []
        self._network = network
        self._receiving = False
        self._come: asyncio.Queue[aiohttp.WSMessage] = asyncio.Queue()
        self._arrives = {"up": 0.0, "down": 0.0}

    def _in(self, way: str, action: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        # Never at one instant: a loop does not promise to keep the order of what is due at the same time.
        self._arrives[way] = max(self._arrives[way] + 1e-6, loop.time() + self._network.latency())
        loop.call_at(self._arrives[way], action)

    async def receive(self) -> aiohttp.WSMessage:
        if self.closed or self.close_code is not None:
            return aiohttp.WSMessage(aiohttp.WSMsgType.CLOSED, None, None)
        if self._receiving:
            raise RuntimeError("Concurrent call to receive() is not allowed")
        self._receiving = True
        try:
            return await self._come.get()
        finally:
            self._receiving = False

    async def send_str(self, text: str) -> None:
        if self.closed or self.ended:
            raise aiohttp.ClientConnectionResetError("Cannot write to closing transport")
        message = json.loads(text)
        if message["type"] == "ping":
            self.pings.append(asyncio.get_running_loop().time())

        def arrive() -> None:
            if self.session is not None and not self.silent and not self.ended:
                self.session.receive(message)

        self._in("up", arrive)
        await asyncio.sleep(0)

    async def close(self) -> None:
        if self.closed:
            return
        self.closed = True
        self._come.put_nowait(aiohttp.WSMessage(aiohttp.WSMsgType.CLOSING, None, None))
        self.cut()
        await asyncio.sleep(self._network.latency())
        self.close_code = 1000

    def down(self, message: Json) -> None:
        frame = aiohttp.WSMessage(aiohttp.WSMsgType.TEXT, json.dumps(message), None)
        self._in("down", lambda: None if self.silent else self._come.put_nowait(frame))

    def say_at_once(self, message: Json) -> None:
        """It is there already."""
        self._come.put_nowait(aiohttp.WSMessage(aiohttp.WSMsgType.TEXT, json.dumps(message), None))

    def cut(self, *, silent: bool = False) -> None:
        """The connection ends; the client hears of it later, if ever."""
        if self.session is not None:
            self.server.sessions.discard(self.session)
        if silent:
            self.silent = True
        elif not self.ended:
            self.ended = True

            def tell() -> None:
                self.close_code = self.close_code or 1006
                self._come.put_nowait(aiohttp.WSMessage(aiohttp.WSMsgType.CLOSED, None, None))

            self._in("down", tell)


class Server:
    """A server; the one after a restart is another object."""

    def __init__(self, network: Network, log: Log, *, ready: bool) -> None:
        self.network = network
        self.log = log
        self.ready = ready  # it has heard of its cluster: there is a state to send
        self.sessions: set[Session] = set()

    def hello(self, **more: Any) -> Json:
        status = "connected" if self.ready else "reconnecting"
        term = self.log.terms[-1].name
        return {"type": "connection", "status": status, "epoch": self.log.epoch, "term": term, **more}

    def join(self, socket: Socket, url: URL) -> None:
        socket.session = Session(self, socket, url)
        self.sessions.add(socket.session)

    def change(self, serial: int) -> None:
        self.log.change(self.network.dice, serial)
        for session in self.sessions:
            session.later()

    def hear_of_the_cluster(self) -> None:
        if not self.ready:
            self.ready = True
            for session in self.sessions:
                session.socket.down(self.hello())
                session.later()

    def crash(self) -> None:
        for session in list(self.sessions):
            session.socket.cut()


class Session:
    """One client of a server."""

    def __init__(self, server: Server, socket: Socket, url: URL) -> None:
        self.server = server
        self.socket = socket
        query = url.query
        self.watched: list[str] = [name for name in query.get("namespaces", "").split(",") if name]
        self._wants_state = "seq" not in query or not server.log.takes(query)
        self._cursor = 0 if self._wants_state else int(query["seq"])
        socket.down(server.hello(resumed=not self._wants_state))
        self.later()

    def receive(self, message: Json) -> None:
        network = self.server.network
        if message["type"] == "ping":
            self.socket.down({"type": "pong"})
        elif not network.calm and network.dice.random() < 0.05:
            self.socket.down({"type": "error", "error": {"code": "RATE_LIMITED", "message": ""}})
        else:
            self.watched = message["namespaces"]
            self._wants_state = True
            self.later()

    def later(self) -> None:
        """What is due goes out a moment later: until then another filter may be asked for, or more may happen."""
        asyncio.get_running_loop().call_later(self.server.network.dice.random() * 0.04, self._flush)

    def _flush(self) -> None:
        server, dice, say = self.server, self.server.network.dice, self.socket.down
        head = server.log.head
        if self not in server.sessions or (self._wants_state and not server.ready):
            return
        if self._wants_state:
            state = {kind: list(held.values()) for kind, held in server.log.view(self.watched).items()}
            cut = dice.randint(0, len(state["pods"])) if dice.random() < 0.2 else len(state["pods"])
            state["pods"], rest = state["pods"][:cut], state["pods"][cut:]
            say({"type": "initial_state", "data": state, **({} if rest else {"seq": head})})
            self._batches([{"type": "pod_event", "action": "ADDED", "data": pod} for pod in rest], head)
            self._wants_state = False
        else:
            missed = server.log.since(self.watched, self._cursor)
            if dice.random() < 0.5:
                for event in missed:
                    say(event)
            else:
                self._batches(missed, head)
        self._cursor = head

    def _batches(self, events: list[Json], seq: int) -> None:
        while events:
            size = self.server.network.dice.randint(1, len(events))
            part, events = events[:size], events[size:]
            self.socket.down({"type": "batch", "data": part, **({} if events else {"seq": seq})})
