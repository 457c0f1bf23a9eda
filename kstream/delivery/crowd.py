"""The members with one filter: those who ride together in a lane, and those who go alone.

A member rides while nothing but events is due to it and its socket has taken all it was given. Whatever concerns it
alone (a pong, an error, a new filter, a socket that is full) makes its session step out, and the hub takes note here.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from kstream.core.delivery.lane import FOREVER, Lane
from kstream.delivery.member import Member

PARTY = (
    512  # members of a lane at most: a lane is served in one go, so this bounds how long nothing else runs
)
_MERGE_EVERY = 0.05  # seconds
_TRIED = 8  # lanes that one who steps in looks at: with thousands of clients there may be hundreds until they merge


class Party:
    """The members in one lane."""

    __slots__ = ("lane", "members", "scheduled")

    def __init__(self, lane: Lane) -> None:
        self.lane = lane
        self.members: dict[Member, int] = {}  # and the descriptors that they are written to
        self.scheduled = FOREVER  # when the hub's timer will look at it


class Crowd:
    """See the module."""

    __slots__ = ("_merged_at", "_party_of", "alone", "parties")

    def __init__(self) -> None:
        self.alone: dict[Member, None] = {}
        self.parties: dict[Lane, Party] = {}
        self._party_of: dict[Member, Party] = {}
        self._merged_at = -FOREVER

    def __len__(self) -> int:
        return len(self.alone) + len(self._party_of)

    def __iter__(self) -> Iterator[Member]:
        yield from list(self.alone)
        yield from list(self._party_of)

    def add(self, member: Member) -> None:
        self.alone[member] = None

    def remove(self, member: Member) -> None:
        """It left, or watches something else."""
        self.stepped_out(member)
        del self.alone[member]

    def stepped_out(self, member: Member) -> None:
        """Its session goes alone from now on, if it did not before."""
        party = self._party_of.pop(member, None)
        if party is None:
            return
        del party.members[member]
        if not party.members:
            del self.parties[party.lane]
        self.alone[member] = None

    def step_in(self, member: Member, now: float) -> None:
        """Let a member to whom only events are due ride with others, or open a lane of its own."""
        session = member.session
        mine = session.lane
        for party in islice(reversed(self.parties.values()), _TRIED):
            if len(party.members) < PARTY and party.lane.takes(mine, now):
                session.step_in(party.lane)
                break
        else:
            session.step_in()
            party = self.parties[mine] = Party(mine)
        party.members[member] = member.outlet.descriptor
        self._party_of[member] = party
        del self.alone[member]

    def merge(self, now: float) -> None:
        """Join parties that have become alike; every now and then, since that is soon enough."""
        if len(self.parties) < 2 or now - self._merged_at < _MERGE_EVERY:
            return
        self._merged_at = now
        into: Party | None = None
        for party in sorted(
            self.parties.values(),
            key=lambda party: (party.lane.bits, party.lane.behind, party.lane.bucket.level(now)),
        ):
            if (
                into is not None
                and len(into.members) + len(party.members) <= PARTY
                and into.lane.takes(party.lane, now)
            ):
                self._move(party, into)
            else:
                into = party

    def _move(self, party: Party, into: Party) -> None:
        for member in party.members:
            member.session.step_in(into.lane)
            self._party_of[member] = into
        into.members.update(party.members)
        party.members = {}
        del self.parties[party.lane]
