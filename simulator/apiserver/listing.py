"""Lists: which version is asked for, the pages of one snapshot, and the tokens that lead from one to the next. Pure."""

from __future__ import annotations

import base64
import binascii
import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from simulator.apiserver import statuses
from simulator.apiserver.requests import Ask
from simulator.apiserver.selectors import Selector
from simulator.apiserver.store import CompactedError, Entry, FutureError, Snapshot, Store

# No longer than 64 bits need; what is longer counts as no number.
_UNSIGNED: Final = re.compile(r"[0-9]{1,19}")
_SIGNED: Final = re.compile(r"[+-]?[0-9]{1,18}")
_MATCHES: Final = ("Exact", "NotOlderThan")


class Page(NamedTuple):
    version: int  # of the snapshot, the same on every page
    entries: Sequence[Entry]
    next: str  # the token of the next page; "" on the last one
    remaining: int | None  # how many objects follow; not told where a selector would have to be tried on each


class Token(NamedTuple):
    """Where a list goes on: at which version (-1: whatever is newest), from which key."""

    version: int
    start: str  # relative to the namespace of the request


def page(store: Store, ask: Ask, selector: Selector) -> Page:
    """The page that `ask` asks for. Raises StatusError."""
    limit = number(ask.query, "limit")
    continued = ask.query.get("continue", "")
    version = check_version(ask.query)
    if continued:
        if version not in (None, 0):
            raise statuses.bad_request("specifying resource version is not allowed when using continue")
        token = read_token(continued)
        try:
            snapshot = store.snapshot(ask.resource.kind, None if token.version < 0 else token.version)
        except CompactedError:
            raise statuses.continue_too_old(make_token(Token(-1, token.start))) from None
        except FutureError:
            raise statuses.too_large(version=token.version, current=store.version) from None
        return _cut(snapshot, ask, selector, limit=limit, start=token.start)
    if version == 0:
        limit = 0  # "any version will do" is answered from memory, and never in pages
    exact = ask.query.get("resourceVersionMatch") == "Exact" or (
        bool(limit) and bool(version) and "resourceVersionMatch" not in ask.query
    )
    try:
        if version is not None and version > store.version:
            raise FutureError(version)
        snapshot = store.snapshot(ask.resource.kind, version if exact else None)
    except CompactedError:
        raise statuses.list_too_old() from None
    except FutureError:
        raise statuses.too_large(version=version or 0, current=store.version) from None
    return _cut(snapshot, ask, selector, limit=limit, start="")


def page_number(store: Store, ask: Ask) -> int:
    """Which page of a list without selectors `ask` is for, from 1; 2 for a later one that cannot be told."""
    continued = ask.query.get("continue", "")
    if not continued:
        return 1
    try:
        token, limit = read_token(continued), number(ask.query, "limit")
        snapshot = store.snapshot(ask.resource.kind, None if token.version < 0 else token.version)
    except (statuses.StatusError, CompactedError, FutureError):
        return 2
    first, _ = snapshot.span(ask.namespace)
    at = bisect_left(snapshot.keys, ask.namespace + token.start)
    return (at - first) // limit + 1 if limit else 2


def check_version(query: Mapping[str, str]) -> int | None:
    """The version that list or watch options name; None when there is none. Raises StatusError."""
    text = query.get("resourceVersion", "")
    match = query.get("resourceVersionMatch", "")
    field = "resourceVersionMatch"
    if match and not (text or query.get("sendInitialEvents")):
        raise statuses.invalid_options(
            field=field,
            message="Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided",
        )
    if match and query.get("continue"):
        raise statuses.invalid_options(
            field=field, message="Forbidden: resourceVersionMatch is forbidden when continue is provided"
        )
    if match and match not in _MATCHES:
        raise statuses.invalid_options(
            field=field, message=f'Unsupported value: "{match}": supported values: "Exact", "NotOlderThan"'
        )
    if match == "Exact" and text == "0":
        raise statuses.invalid_options(
            field=field,
            message='Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
        )
    if not text:
        return None
    if not _UNSIGNED.fullmatch(text):
        raise statuses.invalid_version(text)
    return int(text)


def make_token(token: Token) -> str:
    return encoded(msgspec.json.encode({"v": "meta.k8s.io/v1", "rv": token.version, "start": token.start}))


def encoded(content: bytes) -> str:
    """As tokens are: base64 for URLs, without its padding."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def read_token(text: str) -> Token:
    """Raises StatusError for what no server has made."""
    prefix = "invalid continue token: continue key is not valid: "
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        content = msgspec.json.decode(raw)
    except (ValueError, RecursionError):
        first = _first(text)
        why = (
            f"invalid character '{first}' looking for beginning of value" if first else "illegal base64 data"
        )
        raise statuses.bad_request(prefix + why) from None
    if not isinstance(content, dict) or content.get("v") != "meta.k8s.io/v1":
        raise statuses.bad_request(
            f'{prefix}server does not recognize this encoded version "{_field(content, "v")}"'
        )
    version, start = content.get("rv"), content.get("start")
    if type(version) is not int or not isinstance(start, str) or not start or not version:
        raise statuses.bad_request(
            f"{prefix}incorrect encoded start resourceVersion (version meta.k8s.io/v1)"
        )
    return Token(version, start)


def _first(text: str) -> str:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("latin-1")[:1]
    except (binascii.Error, ValueError):
        return ""


def _field(content: object, name: str) -> str:
    return str(content.get(name, "")) if isinstance(content, dict) else ""


def _cut(snapshot: Snapshot, ask: Ask, selector: Selector, *, limit: int, start: str) -> Page:
    namespace = ask.namespace or selector.namespace
    first, last = snapshot.span(namespace)
    if start:
        # A token names the first key that may come next; within a namespace it starts with "/".
        first = max(first, bisect_left(snapshot.keys, namespace + start if namespace else start))
    if selector.everything:
        end = min(last, first + limit) if limit else last
        entries = snapshot.entries[first:end]
        remaining = last - end if limit and end < last and not selector.given else None
    else:
        chosen: list[Entry] = []
        end = first
        while end < last and not (limit and len(chosen) == limit):
            entry = snapshot.entries[end]
            if selector.takes(entry):
                chosen.append(entry)
            end += 1
        entries, remaining = chosen, None
    following = ""
    if end < last:
        after = snapshot.keys[end - 1] + "\x00"
        following = make_token(Token(snapshot.version, after[len(namespace) :]))
    return Page(snapshot.version, entries, following, remaining)


def number(query: Mapping[str, str], name: str) -> int:
    """What a query has as a number, as Go reads it; 0 for none and for less. Raises StatusError (400)."""
    text = query.get(name, "")
    if not text:
        return 0
    if not _SIGNED.fullmatch(text):
        raise statuses.bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax')
    return max(0, int(text))
