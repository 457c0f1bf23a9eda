"""What may happen to objects, drawn by hypothesis: each is added, changed, deleted, and made again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hypothesis import strategies as st

from kstream.core.timeline.events import ObjectKey, Verb


def happenings(
    draw: st.DrawFn, keys: Sequence[ObjectKey], *, least: int = 0, most: int
) -> Iterator[tuple[int, ObjectKey, Verb]]:
    """From `least` to `most` of them, numbered from 1."""
    alive: set[ObjectKey] = set()
    for number in range(1, draw(st.integers(least, most)) + 1):
        key = draw(st.sampled_from(keys))
        changed = [Verb.MODIFIED, Verb.MODIFIED, Verb.DELETED]
        verb = draw(st.sampled_from(changed)) if key in alive else Verb.ADDED
        (alive.discard if verb is Verb.DELETED else alive.add)(key)
        yield number, key, verb
