"""An event in one byte: of which kind of object, what happened, and whether the object was and is in a bad state.

The index of a log (docs/log-format.md) has one for each event, so that a timeline is counted without reading any.
"""

from __future__ import annotations

from typing import Final

from kstream.core.timeline.events import Kind, Verb

_KINDS: Final = {Kind.POD: 0, Kind.NODE: 1, Kind.NAMESPACE: 2}
ADDED: Final = 4
DELETED: Final = 8
VERB: Final = ADDED | DELETED  # neither: MODIFIED
_VERBS: Final = {Verb.MODIFIED: 0, Verb.ADDED: ADDED, Verb.DELETED: DELETED}
WAS_BAD: Final = 16  # before the event
BAD: Final = 32  # after it
UNREADABLE: Final = 3  # an event that is not as it was written: of no kind

CODES: Final = {
    (kind.value, verb.value): kind_code | verb_code
    for kind, kind_code in _KINDS.items()
    for verb, verb_code in _VERBS.items()
}
"""Kind and verb as the log writes them → the code of an event of an object that was and is well."""


def is_added(code: int) -> bool:
    """Of an event that added its object."""
    return code & ADDED != 0


MEANINGS: Final = {
    kind_code | verb_code | was | now: (kind, verb, bool(now) - bool(was))
    for kind, kind_code in _KINDS.items()
    for verb, verb_code in _VERBS.items()
    for was in (0, WAS_BAD)
    for now in (0, BAD)
}
"""Code → kind, verb, and by how many more objects are bad (-1, 0 or 1)."""
