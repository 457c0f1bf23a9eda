"""Who is on which timeline: a client and where it is, a private timeline and who is on it (PROTOCOL 27, 28)."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from typing import Final, NamedTuple

from kstream.core.delivery import wire
from kstream.core.delivery.urgent import Word
from kstream.core.timeline.state import ClusterState
from kstream.delivery.hub import Hub
from kstream.delivery.member import Member
from kstream.logs.privatelog import PrivateLog

PLAYBACK: Final = "playback"  # of what there is said about it the last counts


class Viewer:
    """A client, whichever timeline it is on."""

    __slots__ = ("hub", "member", "timeline")

    def __init__(self, hub: Hub, member: Member) -> None:
        self.hub = hub
        self.member = member
        self.timeline: PrivateTimeline | None = None  # None: the one that all share


class Opened(NamedTuple):
    """A timeline that somebody is about to enter."""

    log: PrivateLog
    state: ClusterState


class PrivateTimeline:
    """Of `owner`, who moves it; `viewers` are the owner and those who follow. Its id begins with `prefix`."""

    __slots__ = ("hub", "id", "log", "owner", "task", "unheard", "viewers")

    def __init__(self, log: PrivateLog, hub: Hub, owner: Viewer, *, prefix: str) -> None:
        self.id = prefix + secrets.token_urlsafe(9)
        self.log = log
        self.hub = hub
        self.owner = owner
        self.viewers: dict[Viewer, None] = {}
        self.task: asyncio.Task[None] | None = None
        self.unheard: Callable[[], None] = lambda: None  # ends that its changes are told

    def word(self) -> Word:
        """How it is played."""
        data = {**self.log.playback, "id": self.id}
        return Word(PLAYBACK, wire.playback(data, time=self.log.time()))
