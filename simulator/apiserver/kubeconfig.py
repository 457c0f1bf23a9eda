"""The kubeconfig of a fake API server: one context for each token. Pure."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any


def kubeconfig(*, name: str, url: str, users: Sequence[str], authority: str | None) -> dict[str, Any]:
    """The content of the file; `name` is that of the cluster.

    The first user's context is current; without users there is one context, anonymous.
    """
    cluster: dict[str, Any] = {"server": url}
    if authority is not None:
        cluster["certificate-authority-data"] = base64.b64encode(authority.encode()).decode()
    contexts = [{"name": user, "context": {"cluster": name, "user": user}} for user in users]
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": user, "user": {"token": user}} for user in users] or [{"name": name, "user": {}}],
        "contexts": contexts or [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": users[0] if users else name,
    }
