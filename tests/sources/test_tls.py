"""Whom a connection trusts and what it shows, tried on a socket in memory: no network, no file of ours."""

from __future__ import annotations

import ssl
from typing import Any

import pytest

from kstream.core.errors import ConfigError
from kstream.sources.tls import make_context
from simulator.apiserver.tls import Certificate, make_certificate

GARBAGE = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


@pytest.fixture(scope="module")
def mutual() -> Certificate:
    return make_certificate("127.0.0.1", users=["me", "you"])


def context(
    *,
    authority: str | bytes = b"",
    server_name: str = "",
    insecure: bool = False,
    certificate: str = "",
    key: str = "",
) -> ssl.SSLContext:
    return make_context(
        authority=authority.encode() if isinstance(authority, str) else authority,
        server_name=server_name,
        insecure=insecure,
        certificate=certificate.encode(),
        key=key.encode(),
        where="W",
    )


def shaken(server: ssl.SSLContext, client: ssl.SSLContext, host: str = "127.0.0.1") -> Any:
    """What the server learns of the client. Raises what either side raises."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(to_client, to_server, server_hostname=host)
    theirs = server.wrap_bio(to_server, to_client, server_side=True)
    waiting = [ours, theirs]
    for _ in range(10):
        for side in tuple(waiting):
            try:
                side.do_handshake()
                waiting.remove(side)
            except ssl.SSLWantReadError:
                continue
        if not waiting:
            break
    assert not waiting
    return theirs.getpeercert()


def test_the_authority_that_is_given_is_trusted_and_no_other(
    certificate: Certificate, mutual: Certificate
) -> None:
    shaken(certificate.context, context(authority=certificate.authority))
    with pytest.raises(ssl.SSLCertVerificationError):
        shaken(certificate.context, context(authority=mutual.authority))
    with pytest.raises(ssl.SSLCertVerificationError):
        shaken(certificate.context, context())


def test_one_good_authority_among_bad_ones_is_enough(certificate: Certificate) -> None:
    shaken(certificate.context, context(authority=GARBAGE + certificate.authority.encode() + b"\xff"))


@pytest.mark.parametrize("authority", [b"none", GARBAGE, b"\xff", b"-----BEGIN CERTIFICATE-----"])
def test_an_authority_without_a_certificate_is_refused(authority: bytes) -> None:
    with pytest.raises(ConfigError) as refused:
        context(authority=authority)
    assert str(refused.value) == "W: the certificate-authority holds no certificate in PEM; correct it"


def test_a_host_has_to_be_in_the_certificate_unless_another_name_is_given(certificate: Certificate) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        shaken(certificate.context, context(authority=certificate.authority), "10.0.0.1")
    shaken(certificate.context, context(authority=certificate.authority, server_name="localhost"), "10.0.0.1")
    with pytest.raises(ssl.SSLCertVerificationError):
        shaken(certificate.context, context(authority=certificate.authority, server_name="kube"), "127.0.0.1")


def test_insecure_trusts_anybody_and_goes_with_no_authority(certificate: Certificate) -> None:
    shaken(certificate.context, context(insecure=True), "10.0.0.1")
    with pytest.raises(ConfigError) as refused:
        context(insecure=True, authority=certificate.authority)
    assert str(refused.value) == (
        "W: it has an authority and insecure-skip-tls-verify; remove the one that is not right"
    )


def test_a_certificate_is_shown_with_its_key(mutual: Certificate) -> None:
    assert not shaken(mutual.context, context(authority=mutual.authority))
    pair = mutual.clients["me"]
    shown = shaken(
        mutual.context, context(authority=mutual.authority, certificate=pair.certificate, key=pair.key)
    )
    assert shown is not None
    assert (("commonName", "me"),) in shown["subject"]


def test_a_pair_that_cannot_be_used_is_refused_with_its_cause_and_nothing_of_the_key(
    mutual: Certificate,
) -> None:
    me, you = mutual.clients["me"], mutual.clients["you"]
    said = {}
    for name, certificate, key in (
        ("other", me.certificate, you.key),
        ("junk", "certificate", "secret"),
        ("no key", me.certificate, ""),
    ):
        with pytest.raises(ConfigError) as refused:
            context(authority=mutual.authority, certificate=certificate, key=key)
        said[name] = str(refused.value)
    start, end = "W: client-certificate and client-key cannot be used: ", "; correct them"
    assert said["other"] == f"{start}they do not belong together{end}"
    assert all(each.startswith(start) and each.endswith(end) for each in said.values())
    assert not any("secret" in each for each in said.values())


def test_nothing_older_than_tls_1_2_is_spoken(certificate: Certificate) -> None:
    assert context(authority=certificate.authority).minimum_version is ssl.TLSVersion.TLSv1_2
