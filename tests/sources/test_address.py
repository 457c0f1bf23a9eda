"""`server` of a kubeconfig: what it means, and that a password in it is nowhere repeated."""

from __future__ import annotations

import base64

import pytest

from kstream.core.errors import ConfigError
from kstream.sources.address import Address, read_server


@pytest.mark.parametrize(
    ("server", "host", "secure"),
    [
        ("https://10.0.0.1:6443", "https://10.0.0.1:6443", True),
        ("https://10.0.0.1:6443/", "https://10.0.0.1:6443", True),
        ("https://Kube.Example/Prefix//", "https://kube.example/Prefix", True),
        ("HTTPS://kube.example", "https://kube.example", True),
        ("https://kube.example/a?b=c#d", "https://kube.example/a", True),
        ("https://[2001:DB8::1]:6443", "https://[2001:db8::1]:6443", True),
        ("http://localhost:8080", "http://localhost:8080", False),
        ("localhost:8080", "http://localhost:8080", False),
        ("localhost", "http://localhost", False),
        ("10.0.0.1:6443/", "http://10.0.0.1:6443", False),
    ],
)
def test_an_address_is_a_url_or_a_host_and_port_over_http(server: str, host: str, secure: bool) -> None:
    assert read_server(server, "C") == Address(host, secure, "", "")


@pytest.mark.parametrize(
    ("login", "name", "password"),
    [
        ("me:secret", "me", "secret"),
        ("me", "me", ""),
        ("me:a:b", "me", "a:b"),
        ("m%40e:s%3Ac", "m@e", "s:c"),
        (":", "", ""),
        ("a@b:c", "a@b", "c"),
    ],
)
def test_who_is_in_an_address_is_in_every_request_and_not_in_the_host(
    login: str, name: str, password: str
) -> None:
    address = read_server(f"https://{login}@kube.example:6443/p", "C")
    basic = "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()
    assert address == Address("https://kube.example:6443/p", True, basic, password)


@pytest.mark.parametrize(
    "server",
    [
        "",
        "https://",
        "https:///path",
        "//kube.example",
        "localhost:8080/path",
        "https://kube.example:port",
        "https://kube.example:99999",
        "https://[::1",
        "https://a b",
        "https://kube.example/\n",
        "https://kube\x7f.example",
        "https://me:secret@",
    ],
)
def test_what_is_no_address_is_said_to_be_and_not_repeated(server: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read_server(server, "Cluster 'c'")
    assert str(refused.value) == "Cluster 'c': server is no address; write https:// and its host and port"


@pytest.mark.parametrize("server", ["ftp://me:secret@kube.example", "wss://kube.example", "unix://a/b"])
def test_another_scheme_is_refused_without_what_is_in_it(server: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read_server(server, "Cluster 'c'")
    assert str(refused.value) == "Cluster 'c': server is neither https:// nor http://; correct it"
