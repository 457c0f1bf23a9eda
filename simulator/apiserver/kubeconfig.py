"""The kubeconfig of a fake API server: one context for each token. Pure."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from simulator.apiserver.tls import Certificate, ClientCertificate


def kubeconfig(
    *, name: str, url: str, users: Sequence[str], certificate: Certificate | None
) -> dict[str, Any]:
    """The content of the file; `name` is that of the cluster.

    The first user's context is current; without users there is one context, anonymous. A user has its
    certificate, if one was made for it, else its token.
    """
    cluster: dict[str, Any] = {"server": url}
    if certificate is not None:
        cluster["certificate-authority-data"] = _data(certificate.authority)
    else:
        # It means nothing where there is no TLS, but the JavaScript client does without TLS only if it is told so.
        cluster["insecure-skip-tls-verify"] = True
    contexts = [{"name": user, "context": {"cluster": name, "user": user}} for user in users]
    clients = certificate.clients if certificate is not None else {}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": user, "user": _credentials(user, clients.get(user))} for user in users]
        # Any token will do: kubectl asks a person for a name and a password when it has none for a server with TLS.
        or [{"name": name, "user": {"token": "anyone"} if certificate is not None else {}}],
        "contexts": contexts or [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": users[0] if users else name,
    }


def _credentials(user: str, client: ClientCertificate | None) -> dict[str, str]:
    if client is None:
        return {"token": user}
    return {"client-certificate-data": _data(client.certificate), "client-key-data": _data(client.key)}


def _data(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
