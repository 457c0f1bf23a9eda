"""The kubeconfig of a fake API server: one context for each token. Pure."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

NAME = "kstream-fake"


def kubeconfig(*, url: str, users: Sequence[str], authority: str | None) -> dict[str, Any]:
    """The content of the file. The first user is current; without users there is one context, anonymous."""
    cluster: dict[str, Any] = {"server": url}
    if authority is not None:
        cluster["certificate-authority-data"] = base64.b64encode(authority.encode()).decode()
    contexts = [{"name": user, "context": {"cluster": NAME, "user": user}} for user in users]
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": NAME, "cluster": cluster}],
        "users": [{"name": user, "user": {"token": user}} for user in users] or [{"name": NAME, "user": {}}],
        "contexts": contexts or [{"name": NAME, "context": {"cluster": NAME, "user": NAME}}],
        "current-context": users[0] if users else NAME,
    }
