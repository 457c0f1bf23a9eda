"""The TLS of a connection: whom we trust, and what we show of ourselves, as Go's crypto/tls takes them."""

from __future__ import annotations

import re
import ssl
import tempfile
from pathlib import Path
from typing import Any, Final

from kstream.core.errors import ConfigError

_CERTIFICATE: Final = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


def make_context(
    *, authority: bytes, server_name: str, insecure: bool, certificate: bytes, key: bytes, where: str
) -> ssl.SSLContext:
    """All in PEM, b"" for none: without an authority, those of this machine are trusted. Raises ConfigError.

    `server_name` is what the certificate has to be for, when it is not the host.
    """
    context = _Named(ssl.PROTOCOL_TLS_CLIENT)
    context.name = server_name
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.hostname_checks_common_name = False  # Go has left that
    if insecure:
        if authority:
            raise ConfigError(
                f"{where}: it has an authority and insecure-skip-tls-verify; remove the one that is not right"
            )
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif authority:
        _trust(context, authority, where)
    else:
        context.load_default_certs()
    # As kubectl, which accepts a CA without key identifiers; Python 3.13 would not.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if certificate:
        _show(context, certificate, key, where)
    return context


class _Named(ssl.SSLContext):
    """Asks for one name whatever the host is: a connection through a SOCKS proxy cannot be told another way."""

    name = ""

    def wrap_bio(
        self,
        incoming: Any,
        outgoing: Any,
        server_side: bool = False,
        server_hostname: Any = None,
        session: Any = None,
    ) -> ssl.SSLObject:
        return super().wrap_bio(incoming, outgoing, server_side, self.name or server_hostname, session)


def _trust(context: ssl.SSLContext, authority: bytes, where: str) -> None:
    found = 0
    for block in _CERTIFICATE.findall(authority):
        try:
            context.load_verify_locations(cadata=block.decode())
        except (ssl.SSLError, ValueError):
            continue  # as Go does: the others may be good
        found += 1
    if not found:
        raise ConfigError(f"{where}: the certificate-authority holds no certificate in PEM; correct it")


def _show(context: ssl.SSLContext, certificate: bytes, key: bytes, where: str) -> None:
    """OpenSSL reads both from files only: for this moment there is one, for us alone."""
    with tempfile.TemporaryDirectory(prefix="kstream-") as folder:
        file = Path(folder) / "pair.pem"
        file.touch(mode=0o600)
        file.write_bytes(certificate + b"\n" + key)
        try:
            context.load_cert_chain(file, password=_no_password)
        except (ssl.SSLError, ValueError) as error:
            reason = getattr(error, "reason", None) or "no PEM"
            cause = (
                "they do not belong together"
                if reason == "KEY_VALUES_MISMATCH"
                else str(reason).replace("_", " ")
            )
            raise ConfigError(
                f"{where}: client-certificate and client-key cannot be used: {cause.lower()}; correct them"
            ) from None


def _no_password() -> str:
    """For a key that is encrypted; OpenSSL would ask the terminal."""
    return ""
