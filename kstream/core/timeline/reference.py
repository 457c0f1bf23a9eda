"""Which object people mean: by its uid, or by its kind and name, `pod/shop/web-1`, as they write them."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from kstream.core.errors import UsageError
from kstream.core.timeline.events import Kind

FORMS: Final = "a uid, pod/NAMESPACE/NAME, node/NAME or namespace/NAME"
_KINDS: Final = {
    **dict.fromkeys(("pod", "pods", "po"), Kind.POD),
    **dict.fromkeys(("node", "nodes", "no"), Kind.NODE),
    **dict.fromkeys(("namespace", "namespaces", "ns"), Kind.NAMESPACE),
}
_LONGEST: Final = 400  # characters: a namespace has 63, a name 253
# Findings and tables have a space there: what is told can be asked for.
_AFTER_KIND: Final = re.compile(r"[/ ]")


class Named(NamedTuple):
    """A name, which may have been that of several objects, one after the other."""

    kind: Kind
    namespace: str  # "" for nodes and namespaces
    name: str


def kind_of(word: str) -> Kind | None:
    """A kind as kubectl takes it: plural, or short. None for another."""
    return _KINDS.get(word.lower())


def parse(text: str) -> Named | str:
    """The name; the text itself where it is a uid. Kinds may be plural or short, as in kubectl. Raises UsageError."""
    shown = f"{text[:80]!r}"
    if len(text) > _LONGEST:
        raise UsageError(f"{shown}…: that is longer than any name; give {FORMS}")
    word, *rest = _AFTER_KIND.split(text.strip(), maxsplit=1)
    if not rest:
        if not word:
            raise UsageError(f"{shown}: that names no object; give {FORMS}")
        return word
    kind = kind_of(word)
    namespace, _, name = rest[0].rpartition("/")
    if kind is None or not name:
        raise UsageError(f"{shown}: give {FORMS}")
    if bool(namespace) != (kind is Kind.POD) or "/" in namespace:
        raise UsageError(
            f"{shown}: a pod has a namespace, pod/NAMESPACE/NAME; a node and a namespace have none"
        )
    return Named(kind, namespace, name)
