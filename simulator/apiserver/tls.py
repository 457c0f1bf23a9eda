"""A made certificate: an authority of our own and a server certificate for this machine, new at every start."""

from __future__ import annotations

import ipaddress
import ssl
import subprocess
import tempfile
from pathlib import Path
from typing import Final, NamedTuple

from kstream.core.errors import ConfigError

_DAYS: Final = "365"


class Certificate(NamedTuple):
    """What a server needs, and the authority that its clients have to trust."""

    context: ssl.SSLContext
    authority: str  # PEM


def make_certificate(host: str) -> Certificate:
    """A certificate for `host`, localhost and 127.0.0.1. Raises ConfigError if openssl is not there."""
    with tempfile.TemporaryDirectory(prefix="kstream-tls-") as folder:
        here = Path(folder)
        names = {"DNS:localhost", "IP:127.0.0.1", "IP:::1", _subject_name(host)}
        (here / "extensions").write_text(
            f"subjectAltName={','.join(sorted(names))}\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n"
        )
        key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
        _openssl(
            here,
            *("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.crt", "-days", _DAYS),
            *("-subj", "/CN=kstream-fake-ca", "-addext", "keyUsage=critical,keyCertSign,cRLSign"),
        )
        _openssl(here, "req", *key, "-keyout", "tls.key", "-out", "tls.csr", "-subj", "/CN=kube-apiserver")
        _openssl(
            here,
            *("x509", "-req", "-in", "tls.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial"),
            *("-out", "tls.crt", "-days", _DAYS, "-extfile", "extensions"),
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(here / "tls.crt", here / "tls.key")
        return Certificate(context, (here / "ca.crt").read_text())


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
