"""The proxies of a kubeconfig and of the environment, as Go's net/http reads them."""

from __future__ import annotations

import pytest
from yarl import URL

from kstream.core.errors import ConfigError
from kstream.sources.proxies import environment_proxy, own_proxy

NETWORK = URL("https://10.1.2.3:6443")
NAME = URL("https://api.shop.test")


def proxy(server: URL | str, **environment: str) -> str | None:
    found = environment_proxy(URL(server), environment)
    return None if found is None else str(found)


def test_https_and_http_have_their_own_and_upper_case_comes_first() -> None:
    environment = {"HTTPS_PROXY": "http://a:1", "https_proxy": "http://b:2", "http_proxy": "http://c:3"}
    assert proxy(NAME, **environment) == "http://a:1"
    assert proxy("http://api.shop.test", **environment) == "http://c:3"
    assert proxy(NAME, HTTPS_PROXY="", https_proxy="http://b:2") == "http://b:2"
    assert proxy(NAME, HTTP_PROXY="http://a:1", ALL_PROXY="http://b:2") is None


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("proxy.test:3128", "http://proxy.test:3128"),
        ("proxy.test", "http://proxy.test"),
        ("HTTP://u:p@Proxy.test:1/x?y#z", "http://u:p@proxy.test:1"),
        ("https://proxy.test", "https://proxy.test"),
        ("socks5://proxy.test", "socks5://proxy.test"),
        ("socks5h://proxy.test:1", "socks5://proxy.test:1"),
        ("[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_a_proxy_without_a_scheme_is_an_http_proxy(value: str, found: str) -> None:
    assert proxy(NAME, HTTPS_PROXY=value) == found


@pytest.mark.parametrize(
    "value",
    [
        "ftp://u:hunter2@h",
        "http://u:hunter2@[",
        "http://hunter2 b",
        "http://u:hunter2@h:99999",
        "http://",
        "é:x",
    ],
)
def test_what_is_no_proxy_is_refused_and_not_repeated(value: str) -> None:
    with pytest.raises(ConfigError, match="HTTPS_PROXY is no proxy that kstream can use") as raised:
        proxy(NAME, HTTPS_PROXY=value)
    assert "hunter2" not in str(raised.value)
    assert proxy("https://127.0.0.1", HTTPS_PROXY=value) is None


@pytest.mark.parametrize(
    "server",
    [
        "https://localhost:1",
        "https://LOCALHOST",
        "https://127.0.0.1",
        "https://127.9.9.9:1",
        "https://[::1]:6443",
    ],
)
def test_loopback_is_never_asked_through_one(server: str) -> None:
    assert proxy(server, HTTPS_PROXY="http://a:1") is None


@pytest.mark.parametrize(
    ("no_proxy", "server"),
    [
        ("*", NAME),
        ("x, *", NETWORK),
        ("10.0.0.0/8", NETWORK),
        (" 192.168.0.0/16 ,10.1.2.0/24", NETWORK),
        ("10.1.2.3", NETWORK),
        ("10.1.2.3:6443", NETWORK),
        ("fd00::/8", URL("https://[fd00::1]:6443")),
        ("fd00::1", URL("https://[fd00::1]:6443")),
        ("[fd00::1]:6443", URL("https://[fd00::1]:6443")),
        ("::ffff:10.1.2.3", NETWORK),
        ("shop.test", NAME),
        (".shop.test", NAME),
        ("*.shop.test", NAME),
        ("SHOP.TEST:443", NAME),
        ("api.shop.test", NAME),
    ],
)
def test_no_proxy_has_names_addresses_networks_and_ports(no_proxy: str, server: URL) -> None:
    assert proxy(server, HTTPS_PROXY="http://a:1", NO_PROXY=no_proxy) is None
    assert proxy(server, HTTPS_PROXY="http://a:1", no_proxy=no_proxy) is None


@pytest.mark.parametrize(
    ("no_proxy", "server"),
    [
        ("", NAME),
        (",,", NAME),
        ("11.0.0.0/8", NETWORK),
        ("10.1.2.0/99", NETWORK),
        ("10.1.2.3:443", NETWORK),
        ("10.1.2", NETWORK),
        ("10.0.0.0/8", NAME),
        ("fd00::/8", NETWORK),
        ("hop.test", NAME),
        ("shop.test:6443", NAME),
        (".api.shop.test", NAME),
        (":443", NAME),
        ("*api.shop.test", URL("https://1api.shop.test")),
    ],
)
def test_what_no_proxy_does_not_have_goes_through_one(no_proxy: str, server: URL) -> None:
    assert proxy(server, HTTPS_PROXY="http://a:1", NO_PROXY=no_proxy) == "http://a:1"


def test_that_of_the_kubeconfig_is_taken_as_it_is() -> None:
    assert own_proxy("", "it") is None
    assert own_proxy("http://u:p@h:1", "it") == URL("http://u:p@h:1")
    for wrong in ("h:1", "socks5h://h:1", "http://", "http://u:hunter2@["):
        with pytest.raises(ConfigError, match=r"^it: proxy-url is no address of a proxy") as raised:
            own_proxy(wrong, "it")
        assert "hunter2" not in str(raised.value)
