"""Made certificates: an authority of our own, one for this machine and one for each user, new at every start."""

from __future__ import annotations

import ipaddress
import ssl
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from kstream.core.errors import ConfigError

_DAYS: Final = "365"
_KEY: Final = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


class ClientCertificate(NamedTuple):
    certificate: str  # PEM
    key: str  # PEM


class Certificate(NamedTuple):
    """What a server needs, the authority that its clients have to trust, and what they may show of themselves."""

    context: ssl.SSLContext
    authority: str  # PEM
    clients: Mapping[str, ClientCertificate]  # by user


def make_certificate(host: str, *, users: Sequence[str] = ()) -> Certificate:
    """For `host`, localhost and 127.0.0.1, and one for each user. Raises ConfigError if openssl is not there, or no
    folder in which it could write."""
    try:
        made = tempfile.TemporaryDirectory(prefix="kstream-tls-")
    except OSError as error:
        raise ConfigError(
            f"There is no folder for a certificate ({error.strerror}): name one that can be written in TMPDIR, or serve"
            " with --no-tls"
        ) from error
    with made as folder:
        here = Path(folder)
        _openssl(
            here,
            *("req", "-x509", *_KEY, "-keyout", "ca.key", "-out", "ca.crt", "-days", _DAYS),
            *("-subj", "/CN=kstream-fake-ca", "-addext", "keyUsage=critical,keyCertSign,cRLSign"),
        )
        names = {"DNS:localhost", "IP:127.0.0.1", "IP:::1", _subject_name(host)}
        _sign(here, "server", "kube-apiserver", f"subjectAltName={','.join(sorted(names))}", use="serverAuth")
        clients = {}
        for number, user in enumerate(users):
            name = f"client-{number}"
            _sign(here, name, user, use="clientAuth")
            clients[user] = ClientCertificate(
                (here / f"{name}.crt").read_text(), (here / f"{name}.key").read_text()
            )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(here / "server.crt", here / "server.key")
        authority = (here / "ca.crt").read_text()
        if users:
            context.verify_mode = ssl.CERT_OPTIONAL
            context.load_verify_locations(cadata=authority)
        return Certificate(context, authority, clients)


def certified_user(certificate: Mapping[str, Any] | None) -> str:
    """The common name in what `SSLObject.getpeercert` says of a client; "" if it showed no certificate."""
    subject = (certificate or {}).get("subject", ())
    return next((value for part in subject for key, value in part if key == "commonName"), "")


def _sign(folder: Path, name: str, subject: str, *extensions: str, use: str) -> None:
    (folder / f"{name}.ext").write_text(
        "\n".join((*extensions, f"extendedKeyUsage={use}", "basicConstraints=CA:FALSE", ""))
    )
    request = ("-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={subject}")
    _openssl(folder, "req", *_KEY, *request)
    _openssl(
        folder,
        *("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial"),
        *("-out", f"{name}.crt", "-days", _DAYS, "-extfile", f"{name}.ext"),
    )


def _subject_name(host: str) -> str:
    try:
        return f"IP:{ipaddress.ip_address(host)}"
    except ValueError:
        return f"DNS:{host}"


def _openssl(folder: Path, *arguments: str) -> None:
    try:
        subprocess.run(
            ("openssl", *arguments), cwd=folder, check=True, capture_output=True, text=True, timeout=60
        )
    except FileNotFoundError:
        raise ConfigError(
            "cannot make a certificate: there is no openssl on the PATH; install it, or serve with --no-tls"
        ) from None
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        said = str(getattr(error, "stderr", "") or error).strip()
        raise ConfigError(
            f"cannot make a certificate: openssl failed: {said}; or serve with --no-tls"
        ) from error
