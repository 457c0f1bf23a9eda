"""What a source says about itself, and what is true of it now.

None of this is cluster state: it is never written to the log and never changes what the fold holds. It tells
clients whether what they see is fresh (PROTOCOL 3) and what is missing (PROTOCOL 8).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple


class ErrorCode(StrEnum):
    """The error codes of the contract, and INVALID_MESSAGE of PROTOCOL 8."""

    CONNECTION_FAILED = "CONNECTION_FAILED"
    PERMISSION_DENIED = "PERMISSION_DENIED"
    INVALID_KUBECONFIG = "INVALID_KUBECONFIG"
    CLUSTER_UNREACHABLE = "CLUSTER_UNREACHABLE"
    WATCH_ERROR = "WATCH_ERROR"
    RATE_LIMITED = "RATE_LIMITED"
    INVALID_MESSAGE = "INVALID_MESSAGE"


class ClusterInfo(NamedTuple):
    """Which cluster it is. `uid` (of the kube-system namespace) is its identity: LISTWATCH 15."""

    name: str
    version: str  # as /version says: "v1.29.0"
    uid: str = ""


class Identified(NamedTuple):
    """The source knows which cluster it talks to."""

    cluster: ClusterInfo


class Fault(NamedTuple):
    """Something is wrong. With a `subject` it lasts, until a Cleared of the same; without one it is a moment, which is
    told once to whoever is there and not kept (PROTOCOL 8)."""

    code: ErrorCode
    message: str
    details: str = ""
    subject: str = ""  # the `fault` of PROTOCOL 8: "cluster", "log", "permission:list:pods:shop"
    stale: bool = False  # while it lasts, something of what is shown does not follow the cluster (PROTOCOL 3)


class Cleared(NamedTuple):
    """What was wrong with `subject` is no longer wrong."""

    subject: str


class Lost(NamedTuple):
    """The source no longer hears from the cluster: what clients display is stale from now on."""


class Synced(NamedTuple):
    """All that the source will list has been handed over, and it hears from the cluster."""


Report = Identified | Fault | Cleared | Lost | Synced


@dataclass(slots=True)
class Health:
    """The fold of a source's reports."""

    cluster: ClusterInfo = field(default_factory=lambda: ClusterInfo("unknown", "unknown"))
    synced: bool = False  # there is a state that is worth showing
    lost: bool = False  # it was synced and is no longer in touch
    faults: dict[str, Fault] = field(default_factory=dict)  # what lasts, by subject

    @classmethod
    def at_start(cls, cluster: ClusterInfo | None, *, recorded: bool, fed: bool) -> Health:
        """Of a server that begins on a log: of `cluster`, None for not known; `recorded`: there are events in it;
        `fed`: more is to come, so that what an earlier run recorded is stale until its source has caught up."""
        health = cls() if cluster is None else cls(cluster)
        health.synced = recorded or not fed
        health.lost = recorded and fed
        return health

    @property
    def stale(self) -> bool:
        """What is shown may no longer be so: all of it, or what one of the faults is about."""
        return self.lost or any(fault.stale for fault in self.faults.values())

    @property
    def fresh(self) -> bool:
        """There is a state, and it follows the cluster."""
        return self.synced and not self.stale

    def apply(self, report: Report) -> bool:
        """Take in one report; False when it says nothing new (so that nobody is told twice)."""
        match report:
            case Identified(cluster):
                changed = cluster != self.cluster
                self.cluster = cluster
                return changed
            case Fault(subject=""):
                return True
            case Fault():
                changed = self.faults.get(report.subject) != report
                self.faults[report.subject] = report
                return changed
            case Cleared(subject):
                return self.faults.pop(subject, None) is not None
            case Lost():
                changed = not self.lost
                self.lost = True
                return changed
            case Synced():  # pragma: no branch - there is no other report
                changed = self.lost or not self.synced
                self.synced, self.lost = True, False
                return changed

    def retold(self) -> list[Report]:
        """What has to be said to someone who has heard nothing, so that the same is true for it."""
        told: list[Report] = [Identified(self.cluster), *self.faults.values()]
        if self.synced:
            told.append(Synced())
        if self.lost:
            told.append(Lost())
        return told


_REPORTS: dict[str, type[Report]] = {
    kind.__name__: kind for kind in (Identified, Fault, Cleared, Lost, Synced)
}


def report_as_json(report: Report) -> list[Any]:
    """A report for another process: its name, then its fields."""
    return [type(report).__name__, *report]


def report_of_json(said: Sequence[Any]) -> Report:
    """The way back. Raises ValueError for what is no report."""
    name, *fields = said
    match _REPORTS.get(name):
        case None:
            raise ValueError(f"{name!r} is no report")
        case kind if kind is Identified:
            return Identified(ClusterInfo(*fields[0]))
        case kind if kind is Fault:
            return Fault(ErrorCode(fields[0]), *fields[1:])
        case kind:
            return kind(*fields)
