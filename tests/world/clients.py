"""Those who watch: kstream's own client, and one that knows only the contract."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from itertools import islice
from typing import Any, Protocol

from kstream.core.client.state import ClientState
from kstream.core.delivery.filters import EVERYTHING, Filter
from kstream.core.delivery.session import Close
from kstream.core.delivery.wire import PlaybackCommand, parse
from kstream.core.errors import InvalidMessageError
from kstream.delivery.hub import Hub
from kstream.delivery.member import Member, Reached
from kstream.delivery.viewers import Viewer
from kstream.web.resuming import Token
from tests.frames_reader import FrameReader
from tests.said import said
from tests.world.cluster import Shown, shown_of
from tests.world.server import Serving

_RETRY = 1.0  # seconds between tries


class Holding(Protocol):
    """What a client makes of the messages."""

    def take(self, message: dict[str, Any]) -> None: ...
    def disconnected(self) -> None: ...
    @property
    def fresh(self) -> bool: ...
    @property
    def settled(self) -> bool:
        """It has a state, of the filter that it wants."""
        ...

    @property
    def token(self) -> Token | None: ...
    @property
    def objects(self) -> dict[str, Shown]: ...


class Ours:
    """The Python client's own fold."""

    def __init__(self) -> None:
        self.state = ClientState()

    def take(self, message: dict[str, Any]) -> None:
        self.state.apply(message)

    def disconnected(self) -> None:
        self.state.disconnected()

    @property
    def fresh(self) -> bool:
        return self.state.loaded and not self.state.stale

    @property
    def settled(self) -> bool:
        return self.state.resume is not None and not self.state._awaiting

    @property
    def token(self) -> Token | None:
        held = self.state.resume
        return None if held is None else Token(held.epoch, held.term or "", held.seq)

    @property
    def objects(self) -> dict[str, Shown]:
        state = self.state
        return {
            uid: shown_of(item)
            for held in (state.nodes, state.pods, state.namespaces)
            for uid, item in held.items()
        }


class ContractOnly:
    """The contract and no more: never resumes, ignores what it does not know."""

    def __init__(self) -> None:
        self._objects: dict[str, Shown] = {}
        self._status = ""
        self._loaded = False

    def take(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "connection":
                self._status = message["status"]
            case "initial_state":
                data = message["data"]
                kinds = (data["nodes"], data["pods"], data["namespaces"])
                self._objects = {item["uid"]: shown_of(item) for kind in kinds for item in kind}
                self._loaded = True
            case "batch":
                for event in message["data"]:
                    self._event(event)
            case _:
                self._event(message)

    def _event(self, message: dict[str, Any]) -> None:
        if not message["type"].endswith("_event"):
            return
        if message["action"] == "DELETED":
            self._objects.pop(message["data"]["uid"], None)
        else:
            self._objects[message["data"]["uid"]] = shown_of(message["data"])

    def disconnected(self) -> None:
        self._status, self._loaded = "", False

    @property
    def fresh(self) -> bool:
        return self._loaded and self._status == "connected"

    @property
    def settled(self) -> bool:
        return self._loaded

    @property
    def token(self) -> Token | None:
        return None

    @property
    def objects(self) -> dict[str, Shown]:
        return self._objects


class Listener(Protocol):
    """Hears what a client reads."""

    def before(self, client: Client, message: dict[str, Any]) -> None: ...
    def after(self, client: Client, message: dict[str, Any]) -> None: ...


class Client:
    """One who keeps a connection, as long as it wants one. It is the hub's Outlet, too."""

    descriptor = -1  # no socket: everything comes through `write`

    def __init__(self, name: str, listener: Listener, *, ours: bool, window_bits: int = 0) -> None:
        self.name = name
        self.window_bits = window_bits
        self._listener = listener
        self.holding: Holding = Ours() if ours else ContractOnly()
        self.watched: Filter = EVERYTHING
        self.connection: dict[str, Any] = {}
        self.metrics: dict[str, Any] = {}
        self.turn = 0  # which of those who serve it comes to next
        self.resumed = 0
        self.stalled = False
        # Of this connection: what it was told lasts, up to when it is complete, pings that are not answered.
        self.faults: set[str] = set()
        self.as_of = 0.0
        self.pings = 0
        self.doubts: dict[str, float] = {}  # the checker's: what is wrong since when
        self.viewer: Viewer | None = None
        self.times: list[float] = []  # of each message of this connection
        self._waiting: list[bytes] = []
        self._reader = FrameReader()
        self._server: Serving | None = None
        self._lost = asyncio.Event()

    # The outlet

    def write(self, data: bytes | memoryview) -> None:
        self._waiting.append(bytes(data))
        if not self.stalled:
            self.read()

    def pending(self) -> int:
        return sum(map(len, self._waiting))

    def reached(self) -> Reached:
        return Reached()

    def close(self, close: Close) -> None:
        self._lost.set()

    # The client

    def read(self) -> None:
        """Take what has come."""
        waiting, self._waiting = self._waiting, []
        for frame in self._reader.feed(b"".join(waiting)):
            if frame.opcode == 9 and self.viewer is not None and self._server and self._server.hub:
                self.viewer.hub.pong(self.viewer.member)
            if frame.opcode == 1:
                message = said(json.loads(frame.payload))
                self.times.append(asyncio.get_running_loop().time())
                self._listener.before(self, message)
                self._note(message)
                self.holding.take(message)
                self._listener.after(self, message)
                # Later: this may be a turn of the hub's own, which takes no word from a client.
                asyncio.get_running_loop().call_soon(self._say_wanted)

    def _note(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "connection":
                self.connection = message
                self.resumed += message.get("resumed") is True
            case "metrics":
                self.metrics = message["data"]
            case "pong":
                self.pings -= 1
            case "error" if "fault" in message["error"]:
                self.faults.add(message["error"]["fault"])
            case "cleared":
                self.faults.discard(message["fault"])

    def ping(self) -> None:
        """Ask how fresh it is."""
        if self.viewer is not None:
            self.pings += 1
            self.say('{"type":"ping"}')

    @property
    def member(self) -> Member | None:
        return self.viewer.member if self.viewer is not None else None

    @property
    def hub(self) -> Hub | None:
        """Of the server that it came to."""
        return None if self._server is None else self._server.hub

    @property
    def elsewhere(self) -> bool:
        """On a timeline of its own, where what it is shown is of another moment."""
        return self.viewer is not None and self.viewer.timeline is not None

    async def move(self, action: str, **fields: Any) -> None:
        """To another moment, or back, or on from there; too many may be elsewhere already."""
        viewer, server = self.viewer, self._server
        if viewer is not None and server is not None and server.timelines is not None:
            command = parse(json.dumps({"type": "playback", "action": action, **fields}).encode())
            assert isinstance(command, PlaybackCommand)
            with suppress(InvalidMessageError):
                await server.timelines.obey(viewer, command)

    def drop(self) -> None:
        """The network is cut."""
        self.holding.disconnected()
        self._lost.set()

    def subscribe(self, namespaces: list[str], kinds: list[str], labels: str) -> None:
        """Another filter."""
        self.watched = Filter.parse(namespaces, kinds=kinds, labels=labels)
        if isinstance(self.holding, Ours):
            self.holding.state.want(namespaces, kinds=kinds, labels=labels)
            self._say_wanted()
        else:
            self.drop()  # it cannot tell the state of the first filter from that of the second

    def _say_wanted(self) -> None:
        if isinstance(self.holding, Ours) and (fields := self.holding.state.unsaid()) is not None:
            self.say(json.dumps({"type": "subscribe", **fields}))

    def say(self, text: str) -> None:
        if self.viewer is not None and self._server is not None and self._server.hub is not None:
            self.viewer.hub.receive(self.viewer.member, text.encode())

    async def run(self, servers: dict[str, Serving]) -> None:
        """Connect, again and again."""
        while True:
            server = next(islice(servers.values(), self.turn % max(len(servers), 1), None), None)
            self.turn += 1
            self._lost = asyncio.Event()
            self._reader, self._waiting, self.times = FrameReader(), [], []
            self.faults, self.as_of, self.pings = set(), 0.0, 0
            if server is not None and server.hub is not None:
                self._server = server
                token = self.holding.token
                if isinstance(self.holding, Ours):
                    self.holding.state.connecting()
                place = self.holding.state.timeline({}) if isinstance(self.holding, Ours) else {}
                self.viewer = await server.join(self, self.watched, token, self.window_bits, place)
                if self.viewer is not None and server.timelines is not None:
                    await self._lost.wait()
                    server.timelines.leave(self.viewer)
                    self.viewer = None
            self.holding.disconnected()
            await asyncio.sleep(_RETRY)
