"""`as` and its kin of a kubeconfig → the headers with which the API server takes us for somebody else."""

from __future__ import annotations

import string
from collections.abc import Iterator
from typing import Final

from kstream.core.errors import ConfigError
from kstream.sources.kubeconfigfile import User

_LEGAL: Final = frozenset((string.ascii_letters + string.digits + "!#$&'*+-.^_`|~").encode())


def impersonation(user: User, where: str) -> tuple[tuple[str, str], ...]:
    """Name and value, in order; empty for a user without `as`. Raises ConfigError for what no header can hold.

    See https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation.
    """
    headers = tuple(_headers(user)) if user.impersonate else ()
    if any(letter < " " or letter == "\x7f" for _, value in headers for letter in value):
        raise ConfigError(
            f"{where}: as, as-uid, as-groups or as-user-extra has control characters; correct it"
        )
    return headers


def _headers(user: User) -> Iterator[tuple[str, str]]:
    yield "Impersonate-User", user.impersonate
    if user.as_uid:
        yield "Impersonate-Uid", user.as_uid
    for group in user.as_groups:
        yield "Impersonate-Group", group
    for key, values in user.as_user_extra.items():
        for value in values:
            yield f"Impersonate-Extra-{_escaped(key)}", value


def _escaped(key: str) -> str:
    return "".join(chr(byte) if byte in _LEGAL else f"%{byte:02X}" for byte in key.encode())
