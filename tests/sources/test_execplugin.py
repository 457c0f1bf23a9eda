"""What a credential plugin printed: an ExecCredential of the version that was asked for, or what is wrong with it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kstream.core.errors import ConfigError
from kstream.sources.execplugin import Issued, cluster_info, read_issued
from kstream.sources.kubeconfigfile import Cluster, Plugin

V1 = "client.authentication.k8s.io/v1"
PLUGIN = Plugin.model_validate({"command": "get-token", "apiVersion": V1})


def printed(version: str = V1, kind: str = "ExecCredential", **status: Any) -> bytes:
    return json.dumps({"apiVersion": version, "kind": kind, "status": status}).encode()


@pytest.mark.parametrize(
    ("output", "issued"),
    [
        (printed(token="t"), Issued("t", "", "", None)),
        (
            printed(token="t", clientCertificateData=None, expirationTimestamp=None),
            Issued("t", "", "", None),
        ),
        (printed(clientCertificateData="c", clientKeyData="k"), Issued("", "c", "k", None)),
        (printed(token="t", clientCertificateData="c", clientKeyData="k"), Issued("t", "c", "k", None)),
        (printed(token="t", expirationTimestamp="1970-01-01T00:01:00Z"), Issued("t", "", "", 60.0)),
        (printed(token="t", expirationTimestamp="1970-01-01T02:01:00+02:00"), Issued("t", "", "", 60.0)),
        (printed(token="t", another="field"), Issued("t", "", "", None)),
    ],
)
def test_what_it_gives_is_taken(output: bytes, issued: Issued) -> None:
    assert read_issued(PLUGIN, output) == issued


@pytest.mark.parametrize(
    "output",
    [
        b"",
        b"secret",
        b"\xff\xfe",
        b"null",
        b"[]",
        b'"secret"',
        b"{}",
        b"[" * 100_000,
        b"9" * 5_000,
        printed(kind="Secret", token="secret"),
        printed(token=7),
        printed(token=["secret"]),
        printed(token="half of a \ud800 character"),
        printed(clientCertificateData="\udfff", clientKeyData="k"),
        printed(token="t", expirationTimestamp=60),
        printed(token="t", expirationTimestamp="tomorrow"),
        printed(token="t", expirationTimestamp="2025-01-24T10:00:00"),
        json.dumps({"apiVersion": V1, "kind": "ExecCredential"}).encode(),
        json.dumps({"apiVersion": V1, "kind": "ExecCredential", "status": "secret"}).encode(),
        json.dumps({"apiVersion": [V1], "kind": "ExecCredential", "status": {"token": "t"}}).encode(),
    ],
)
def test_what_is_no_exec_credential_is_said_to_be_and_not_repeated(output: bytes) -> None:
    with pytest.raises(ConfigError) as refused:
        read_issued(PLUGIN, output)
    assert str(refused.value) == "Exec plugin get-token printed no ExecCredential: run it by hand to see what"


def test_another_version_than_the_kubeconfig_wants_is_named() -> None:
    with pytest.raises(ConfigError) as refused:
        read_issued(PLUGIN, printed(version="client.authentication.k8s.io/v1beta1", token="t"))
    assert str(refused.value) == (
        f"Exec plugin get-token speaks another version than {V1}, which the kubeconfig wants; make them agree"
    )


@pytest.mark.parametrize(
    "status", [{}, {"token": ""}, {"clientCertificateData": "c"}, {"token": "t", "clientKeyData": "k"}]
)
def test_neither_a_token_nor_a_whole_certificate_is_not_enough(status: dict[str, str]) -> None:
    with pytest.raises(ConfigError) as refused:
        read_issued(PLUGIN, printed(**status))
    assert str(refused.value) == ("Exec plugin get-token gave neither a token nor a certificate with its key")


def test_a_plugin_is_told_of_its_cluster_what_there_is_to_tell() -> None:
    config = {"audience": "a"}
    cluster = Cluster.model_validate(
        {
            "server": "https://u:p@10.0.0.1",
            "tls-server-name": "kube",
            "extensions": [
                {"name": "client.authentication.k8s.io/exec", "extension": config},
                {"name": "another", "extension": {"x": 1}},
            ],
        }
    )
    assert cluster_info(cluster, host="https://10.0.0.1", authority=b"PEM", proxy="") == {
        "server": "https://10.0.0.1",
        "tls-server-name": "kube",
        "certificate-authority-data": "UEVN",
        "config": config,
    }
    bare = Cluster.model_validate({"server": "https://10.0.0.1"})
    assert cluster_info(bare, host="https://10.0.0.1", authority=b"", proxy="http://proxy") == {
        "server": "https://10.0.0.1",
        "proxy-url": "http://proxy",
    }
