"""Names as Kubernetes allows them (RFC 1123): what can never be a name is refused before anything waits for it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from kstream.core.errors import UsageError

MAX_NAMESPACES: Final = 1000  # that one filter, or one process, may name
LABEL_RULE: Final = "1 to 63 of a-z, 0-9 and '-', and not begin or end with '-'"
_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", re.ASCII)


def is_label(name: str) -> bool:
    """A DNS label, as the name of every namespace is one."""
    return _LABEL.fullmatch(name) is not None


def namespace_names(values: Iterable[str], *, option: str = "--namespace") -> tuple[str, ...]:
    """What `-n` was given, once each and in that order: names, or several joined by commas.

    Raises UsageError for what can be no namespace's name, and for more than MAX_NAMESPACES.
    """
    names = dict.fromkeys(name.strip() for value in values for name in value.split(","))
    for name in names:
        if not is_label(name):
            hint = "; leave the option out for all namespaces" if name in ("", "*") else ""
            raise UsageError(
                f"{option}: {name[:80]!r} is no namespace's name: it must be {LABEL_RULE}, as in {option} shop{hint}"
            )
    if len(names) > MAX_NAMESPACES:
        raise UsageError(
            f"{option}: {len(names)} namespaces; name at most {MAX_NAMESPACES}, or leave the option out for all"
        )
    return tuple(names)
