"""What an agent is answered: ranked, within its tokens, with the seqs that prove it."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final

from kstream.agents.reads import Reads
from kstream.core.conditions.condition import Condition
from kstream.core.conditions.intervals import Interval, Moment
from kstream.core.errors import UsageError
from kstream.core.insight.budget import DEFAULT, fitted
from kstream.core.insight.findings import findings
from kstream.core.insight.story import Story
from kstream.core.insight.subjects import decode_node, decode_pod, name_of, node_badness
from kstream.core.insight.summary import counts, troubles
from kstream.core.timeline.events import Kind
from kstream.core.timeline.reference import FORMS, kind_of, parse
from kstream.core.timeline.state import ClusterState, Entry
from kstream.core.timeline.timepoint import timestamp
from kstream.core.timeline.wellness import badness

_LONGEST: Final = 300  # characters of a value that changed
_FIELDS: Final = 12  # that changed at once, and are told


class Answers:
    """Each is JSON, of about `max_tokens` tokens at most."""

    def __init__(self, reads: Reads) -> None:
        self._reads = reads

    async def summary(self, *, at: str | None = None, max_tokens: int = DEFAULT) -> dict[str, Any]:
        """How much there is, and what of it is bad, the worst first."""
        moment = await self._reads.moment(at, end=True)
        state = await self._reads.state(moment.seq)
        head = {"cluster": await self._reads.cluster(), "at": self._moment(moment)}
        found = await asyncio.to_thread(troubles, state)
        return fitted(
            {**head, "counts": counts(state)}, "bad", (each.as_json() for each in found), limit=max_tokens
        )

    async def what_changed(
        self, *, start: str | None = None, end: str | None = None, max_tokens: int = DEFAULT
    ) -> dict[str, Any]:
        """What happened between two moments, the likely causes first."""
        first, last = await self._span(start, end)
        story = await asyncio.to_thread(Story, await self._reads.state(first.seq))
        async for events in self._reads.events(first.seq, last.seq):
            await asyncio.to_thread(story.take, events)
        found = findings(story)
        head = {
            "from": self._moment(first),
            "to": self._moment(last),
            "events": story.events,
            "found": len(found),
        }
        ranked = (
            {"rank": rank, **each.as_json(), **self._link(each.proofs[0].seq)}
            for rank, each in enumerate(found, 1)
        )
        return fitted(head, "findings", ranked, limit=max_tokens)

    async def history(
        self,
        wanted: str,
        *,
        start: str | None = None,
        end: str | None = None,
        max_tokens: int = DEFAULT,
    ) -> dict[str, Any]:
        """What happened to one object, from version to version; where it is too much, the newest of it."""
        first, last = await self._span(start, end)
        life = await self._reads.history(parse(wanted), first.seq, last.seq)
        if not life.there_before and not life.versions:
            raise UsageError(f"nothing is recorded of {wanted!r} then: give {FORMS}")
        head = {
            "object": wanted,
            "from": self._moment(first),
            "to": self._moment(last),
            "there_before": life.there_before,
        }
        told = fitted(head, "versions", map(_shortened, reversed(life.versions)), limit=max_tokens)
        told["versions"].reverse()
        return told

    async def when(
        self, where: str, *, start: str | None = None, end: str | None = None, max_tokens: int = DEFAULT
    ) -> dict[str, Any]:
        """From when to when a condition was true, and of which object; in the order in which it began to be."""
        condition = Condition.parse(where)
        first, last = await self._span(start, end)
        found = await self._reads.when(condition, first, last.seq)
        intervals = found.intervals
        head: dict[str, Any] = {
            "from": self._moment(first),
            "to": self._moment(last),
            "found": len(intervals) + found.more,
            "objects": len({each.key.uid for each in intervals}) + found.more,
            "true_before": sum(each.earlier for each in intervals) + found.more,
            "still_true": sum(each.until is None for each in intervals),
        }
        if found.more or found.cursor is not None:
            head["incomplete"] = (
                f"only {len(intervals)} were followed to their end: narrow `where`, or the span"
            )
        if found.undecided:
            head["undecided"] = {"count": found.undecided, "why": found.why[:_LONGEST]}
        return fitted(head, "intervals", map(self._interval, intervals), limit=max_tokens)

    def _interval(self, each: Interval) -> dict[str, Any]:
        return {
            "object": name_of(each.key),
            "uid": each.key.uid,
            "from": each.since.as_json(),
            **({"true_before": True} if each.earlier else {}),
            "until": each.until.as_json() if each.until is not None else None,
            **self._link(each.since.seq),
        }

    async def state_at(
        self,
        *,
        at: str | None = None,
        kind: str = "pod",
        namespace: str | None = None,
        name: str | None = None,
        max_tokens: int = DEFAULT,
    ) -> dict[str, Any]:
        """The objects of a kind at a moment, the worst first; one that is asked for by its name with all of it."""
        if (wanted := kind_of(kind)) is None:
            raise UsageError(f"{kind[:80]!r}: a kind is one of {', '.join(Kind)}")
        moment = await self._reads.moment(at, end=True)
        state = await self._reads.state(moment.seq)
        found = await asyncio.to_thread(_found, state, wanted, namespace=namespace, name=name)
        head = {"at": self._moment(moment), "kind": wanted.value, "number": len(found)}
        rows = map(_row if name is None else _whole, found)
        return fitted(head, "objects", rows, limit=max_tokens, total=len(found))

    async def _span(self, start: str | None, end: str | None) -> tuple[Moment, Moment]:
        first = await self._reads.moment(start, end=False)
        last = await self._reads.moment(end, end=True)
        if last.seq < first.seq:
            raise UsageError(
                f"{end or 'the end'} is before {start or 'the beginning'}: give an earlier `from`"
            )
        return first, last

    def _moment(self, moment: Moment) -> dict[str, Any]:
        return {"seq": moment.seq, "time": timestamp(moment.time), **self._link(moment.seq)}

    def _link(self, seq: int) -> dict[str, str]:
        return {"page": f"{self._reads.page}/?at=seq:{seq}"} if self._reads.page else {}


def _found(state: ClusterState, kind: Kind, *, namespace: str | None, name: str | None) -> list[Entry]:
    """The worst first."""
    return sorted(
        (
            entry
            for entry in state.entries(kind)
            if (namespace is None or entry.key.namespace == namespace)
            and (name is None or entry.key.name == name)
        ),
        key=lambda entry: (-_badness(entry), entry.key.namespace, entry.key.name),
    )


def _whole(entry: Entry) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(entry.body)
    return told


def _badness(entry: Entry) -> int:
    if entry.key.kind is Kind.POD:
        return badness(decode_pod(entry.body).status)
    return node_badness(decode_node(entry.body)) if entry.key.kind is Kind.NODE else 0


def _row(entry: Entry) -> dict[str, Any]:
    key = entry.key
    told: dict[str, Any] = {"name": key.name, "uid": key.uid}
    if key.kind is Kind.POD:
        pod = decode_pod(entry.body)
        ready = sum(each.ready for each in pod.containers)
        return {
            "namespace": key.namespace,
            **told,
            "status": pod.status,
            "ready": f"{ready}/{len(pod.containers)}",
            "restarts": pod.restarts,
            "node": pod.node,
        }
    return {**told, "status": json.loads(entry.body).get("status", "")}


def _shortened(told: dict[str, Any]) -> dict[str, Any]:
    """A version without what takes much and says little."""
    changes = [{name: _cut(value) for name, value in each.items()} for each in told["changes"][:_FIELDS]]
    more = len(told["changes"]) - len(changes)
    kept = {name: told[name] for name in ("seq", "time", "action")}
    return {**kept, "changes": changes, **({"more_changes": more} if more else {})}


def _cut(value: Any) -> Any:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return value if len(text) <= _LONGEST else text[:_LONGEST] + "…"
