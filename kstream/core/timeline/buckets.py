"""A span of the timeline in buckets: how much happened in each, of what, and how much was bad at its end."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Any, NamedTuple

from kstream.core.timeline.codes import MEANINGS
from kstream.core.timeline.events import Kind, Verb
from kstream.core.timeline.timepoint import timestamp


class Bucket(NamedTuple):
    """From one moment to the next (seconds since the Unix epoch), the beginning left out: a bucket has what a moment at
    its end shows and one at its beginning does not."""

    starts: float
    ends: float
    first: int | None  # seq of its first event; None where nothing happened
    last: int | None
    counts: dict[Kind, dict[Verb, int]]
    worse: int  # events with which an object got into a bad state
    better: int  # and out of one, or away
    bad: int  # objects that are in one at its end

    def as_json(self) -> dict[str, Any]:
        return {
            "from": timestamp(self.starts),
            "to": timestamp(self.ends),
            "first": self.first,
            "last": self.last,
            "counts": {
                f"{kind.value}s": {verb.value: count for verb, count in verbs.items()}
                for kind, verbs in self.counts.items()
            },
            "worse": self.worse,
            "better": self.better,
            "bad": self.bad,
        }


def edges(starts: float, ends: float, count: int) -> list[float]:
    """`count` + 1 moments, as far from each other."""
    return [starts + (ends - starts) * number / count for number in range(count)] + [ends]


def bucketed(
    seqs: Sequence[int], codes: bytes, *, times: Sequence[float], reached: Sequence[int], bad: int
) -> list[Bucket]:
    """Buckets between `times`; `reached`: the seq of the last event up to each of these.

    `seqs` ascend, `codes` say what each is; `bad`: how many objects were in a bad state at the first of the times.
    """
    made: list[Bucket] = []
    for number in range(len(times) - 1):
        start, end = bisect_right(seqs, reached[number]), bisect_right(seqs, reached[number + 1])
        counts: dict[Kind, dict[Verb, int]] = {}
        worse = better = 0
        part = codes[start:end]
        for code in sorted(set(part)):
            if code not in MEANINGS:  # of an event that is not as it was written
                continue
            kind, verb, more = MEANINGS[code]
            found = part.count(code)
            verbs = counts.setdefault(kind, {})
            verbs[verb] = verbs.get(verb, 0) + found
            worse += found * (more > 0)
            better += found * (more < 0)
        bad += worse - better
        first, last = (seqs[start], seqs[end - 1]) if end > start else (None, None)
        made.append(Bucket(times[number], times[number + 1], first, last, counts, worse, better, bad))
    return made


def change_of(codes: bytes) -> int:
    """By how many more objects are bad after these events than before them."""
    return sum(MEANINGS[code][2] * codes.count(code) for code in set(codes) if code in MEANINGS)


def within(seqs: Sequence[int], after: int, upto: int) -> slice:
    """Where those with after < seq <= upto are."""
    return slice(bisect_left(seqs, after + 1), bisect_right(seqs, upto))
