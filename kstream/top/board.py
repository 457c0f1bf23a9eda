"""What a client holds, as a glance needs it: how each pod is, and who belongs together; kept with every change.

A change costs the same however large the cluster is: nothing here walks over all pods.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, NamedTuple

import msgspec

from kstream.core.insight.subjects import Node, Pod, node_badness, workload_of
from kstream.core.timeline.events import Kind, ObjectKey
from kstream.core.timeline.wellness import Badness, badness

Json = Mapping[str, Any]
_PIECE: Final = 2_000  # objects that are looked at before others have their turn: some 20 ms

NOWHERE: Final = "(no node)"
"""The name of the group of the pods that are on no node."""


class By(StrEnum):
    """What pods are grouped by."""

    NODE = "node"
    NAMESPACE = "namespace"
    OWNER = "owner"


class Row(NamedTuple):
    """A pod. Two that are equal look the same, in the map and in its place in the table."""

    uid: str
    namespace: str
    name: str
    node: str  # NOWHERE until it is bound
    owner: str  # "Deployment shop/cart"
    status: str
    badness: Badness

    def group(self, by: By) -> str:
        return self.node if by is By.NODE else self.namespace if by is By.NAMESPACE else self.owner


class NodeRow(NamedTuple):
    uid: str
    name: str
    section: str  # its zone, where it has none its role
    status: str  # with what it is short of
    ready: bool
    badness: Badness


class Group:
    """The pods that are together, and how many of them are how."""

    __slots__ = ("pods", "tones")

    def __init__(self) -> None:
        self.pods: dict[str, Row] = {}
        self.tones = [0] * len(Badness)  # by Badness

    @property
    def worst(self) -> Badness:
        return _worst(self.tones)


def _worst(tones: list[int]) -> Badness:
    # Of thousands of groups, five times a second: no loop.
    _, waiting, pressed, failing = tones
    if failing:
        return Badness.FAILING
    return Badness.PRESSED if pressed else Badness.WAITING if waiting else Badness.NONE


class Trouble(NamedTuple):
    """A node, or the pods of an owner with one status."""

    badness: Badness
    subject: str
    status: str
    number: int
    example: str  # the uid of one of them
    kind: Kind


class Board:
    """Pods, nodes and their groups: none, until `follow` tells of them. Read the attributes, change none of them."""

    def __init__(self) -> None:
        self.pods: dict[str, Row] = {}
        self.nodes: dict[str, NodeRow] = {}
        self.node_named: dict[str, NodeRow] = {}
        self.tones = [0] * len(Badness)  # how many pods are how
        self.ready = 0  # nodes
        self.groups: dict[By, dict[str, Group]] = {by: {} for by in By}
        self.sick: dict[By, dict[str, Badness]] = {
            by: {} for by in By
        }  # the groups that are not well, and how bad
        self.grouped = 0  # another number when groups came or went, or nodes changed
        self._unwell: dict[tuple[Badness, str, str], dict[str, None]] = {}
        self._touched: dict[str, Row | None] | None = None

    def put_all(self, kind: Kind, objects: Sequence[Json]) -> Iterator[None]:
        """Nodes or pods of a state, a piece each time it is asked on."""
        put = self._put_pod if kind is Kind.POD else self._put_node
        for start in range(0, len(objects), _PIECE):
            for each in objects[start : start + _PIECE]:
                put(each)
            yield

    def follow(self, event: Json) -> None:
        """An event of the socket, after it was folded: what is no event of a pod or a node says nothing here."""
        kind, data = event.get("type"), event.get("data")
        if kind not in ("pod_event", "node_event") or not isinstance(data, Mapping):
            return
        gone = event.get("action") == "DELETED"
        if kind == "pod_event":
            if gone:
                self._drop_pod(str(data.get("uid")))
            else:
                self._put_pod(data)
        elif gone:
            self._drop_node(str(data.get("uid")))
        else:
            self._put_node(data)

    def drain(self) -> dict[str, Row | None] | None:
        """The pods that changed since this was asked last, each as it was then (None: not there); None: all of them."""
        touched, self._touched = self._touched, {}
        return touched

    def troubles(self) -> list[Trouble]:
        """What is not well, the worst first: nodes before the pods that are on them, many pods before few."""
        found = [
            Trouble(node.badness, f"node {node.name}", node.status, 1, node.uid, Kind.NODE)
            for node in self.nodes.values()
            if node.badness > Badness.NONE
        ]
        found += [
            Trouble(judged, owner, status, len(uids), next(iter(uids)), Kind.POD)
            for (judged, owner, status), uids in self._unwell.items()
        ]
        found.sort(key=lambda each: (-each.badness, each.kind is Kind.POD, -each.number, each.subject))
        return found

    def _put_pod(self, data: Json) -> None:
        row = _pod_row(data)
        before = self.pods.get(row.uid)
        if row == before:
            return
        self._touch(row.uid, before)
        if before is not None:
            self._count(before, -1)
        self.pods[row.uid] = row
        self._count(row, 1)
        for by in By:
            name = row.group(by)
            if before is not None and (left := before.group(by)) != name:
                self._leave(by, left, row.uid)
            self.groups[by][name].pods[row.uid] = row

    def _drop_pod(self, uid: str) -> None:
        row = self.pods.pop(uid, None)
        if row is None:
            return
        self._touch(uid, row)
        self._count(row, -1)
        for by in By:
            self._leave(by, row.group(by), uid)

    def _leave(self, by: By, name: str, uid: str) -> None:
        group = self.groups[by][name]
        del group.pods[uid]
        if not group.pods and not (by is By.NODE and name in self.node_named):
            del self.groups[by][name]
            self.grouped += 1

    def _judge(self, by: By, name: str) -> None:
        group = self.groups[by].get(name)
        worst = group.worst if group is not None else Badness.NONE
        node = self.node_named.get(name) if by is By.NODE else None
        if node is not None:
            worst = max(worst, node.badness)
        if worst:
            self.sick[by][name] = worst
        else:
            self.sick[by].pop(name, None)

    def _count(self, row: Row, change: int) -> None:
        self.tones[row.badness] += change
        for by in By:
            name = row.group(by)
            group = self.groups[by].get(name)
            if group is None:
                group = self.groups[by][name] = Group()
                self.grouped += 1
            group.tones[row.badness] += change
            if row.badness:
                self._judge(by, name)
        if row.badness > Badness.NONE:
            about = row.badness, row.owner, row.status
            if change > 0:
                self._unwell.setdefault(about, {})[row.uid] = None
            else:
                of = self._unwell[about]
                del of[row.uid]
                if not of:
                    del self._unwell[about]

    def _put_node(self, data: Json) -> None:
        row = _node_row(data)
        before = self.nodes.get(row.uid)
        if row == before:
            return
        if before is not None and before.name != row.name:  # no uid has two names, but a server may be wrong
            self._drop_node(row.uid)
            before = None
        if before is not None:
            self.ready -= before.ready
        self.ready += row.ready
        self.nodes[row.uid] = self.node_named[row.name] = row
        self.groups[By.NODE].setdefault(row.name, Group())
        self._judge(By.NODE, row.name)
        self.grouped += 1

    def _drop_node(self, uid: str) -> None:
        row = self.nodes.pop(uid, None)
        if row is None:
            return
        self.ready -= row.ready
        self.grouped += 1
        if self.node_named.get(row.name) is row:  # one of the same name may have come before this one went
            del self.node_named[row.name]
            if not self.groups[By.NODE][row.name].pods:
                del self.groups[By.NODE][row.name]
            self._judge(By.NODE, row.name)

    def _touch(self, uid: str, before: Row | None) -> None:
        if self._touched is not None:
            self._touched.setdefault(uid, before)


def _pod_row(data: Json) -> Row:
    try:
        pod = msgspec.convert(data, Pod)
    except msgspec.ValidationError:  # a server that says it otherwise: what can be shown is shown
        pod = Pod()
    namespace, name, uid = (str(data.get(field, "")) for field in ("namespace", "name", "uid"))
    status = str(data.get("status") or data.get("phase") or "")
    owner = str(workload_of(ObjectKey(Kind.POD, namespace, name, uid), pod))
    return Row(uid, namespace, name, pod.node or NOWHERE, owner, status, badness(status))


def _node_row(data: Json) -> NodeRow:
    try:
        node = msgspec.convert(data, Node)
    except msgspec.ValidationError:
        node = Node(status=str(data.get("status", "")))
    status = ", ".join([node.status, *node.pressures])
    section = node.zone or str(data.get("role") or "")
    return NodeRow(
        str(data.get("uid")), str(data.get("name", "")), section, status, not node.lost, node_badness(node)
    )
