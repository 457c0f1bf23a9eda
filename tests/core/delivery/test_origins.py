"""Names and origins: what is allowed can be met, and what never could be is refused with what to write."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kstream.core.delivery.origins import Allowed, allowed_hosts, allowed_origins, host_form, origin_form
from kstream.core.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("Dash.Shop.Test", "dash.shop.test"),
        ("my_host", "my_host"),
        ("10.0.0.1", "10.0.0.1"),
        ("::1", "::1"),
        ("[::1]", "::1"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("*.shop.test", "*.shop.test"),
        ("a" * 63 + ".b", "a" * 63 + ".b"),
        (".".join(["a" * 62] * 4) + ".b", ".".join(["a" * 62] * 4) + ".b"),
        (".".join(["a" * 62] * 4) + ".bb", ""),
        ("a" * 64, ""),
        ("", ""),
        ("-a", ""),
        ("a-", ""),
        ("a..b", ""),
        (".shop.test", ""),
        ("a.*.test", ""),
        ("shop.test:443", ""),
        ("http://shop.test", ""),
        ("é.test", ""),
        ("a b", ""),
        ("[shop", ""),
        ("[::1", ""),
        ("fe80::1%eth0", ""),
        ("::1%a b", ""),
        ("shop]", ""),
    ],
)
def test_a_name_has_one_form(text: str, form: str) -> None:
    assert host_form(text) == form


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("http://localhost:5173", "http://localhost:5173"),
        ("HTTP://LocalHost:5173/", "http://localhost:5173"),
        ("http://shop.test:80", "http://shop.test"),
        ("https://shop.test:443", "https://shop.test"),
        ("https://shop.test:80", "https://shop.test:80"),
        ("wss://shop.test:443", "wss://shop.test"),
        ("ws://shop.test:80", "ws://shop.test"),
        ("chrome-extension://abcdef", "chrome-extension://abcdef"),
        ("capacitor://localhost:1", "capacitor://localhost:1"),
        ("http://[::1]:3000", "http://[::1]:3000"),
        ("https://*.shop.test", "https://*.shop.test"),
        ("http://shop.test:65535", "http://shop.test:65535"),
        ("http://shop.test:1", "http://shop.test:1"),
        ("http://shop.test:0", ""),
        ("http://shop.test:65536", ""),
        ("http://shop.test:", ""),
        ("http://shop.test:port", ""),
        ("http://u:p@shop.test", ""),
        ("http://shop.test/page", ""),
        ("http://shop.test?a", ""),
        ("http://", ""),
        ("shop.test", ""),
        ("null", ""),
        ("", ""),
    ],
)
def test_an_origin_has_one_form(text: str, form: str) -> None:
    assert origin_form(text) == form


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("https://dash.shop.test", "write the name alone: dash.shop.test"),
        ("https://dash.shop.test:8443/", "write the name alone: dash.shop.test"),
        ("http://[::1]", "write the name alone, such as dash.shop.test"),
        ("dash.shop.test:443", "write it without the port: dash.shop.test"),
        ("[::1]:443", "write it without the port: ::1"),
        (".Shop.test", "write *.shop.test for every name below it"),
        ("café.test", "write it as browsers send it, in ASCII (xn--…)"),
        ("", "write a name such as dash.shop.test, *.shop.test for every name below it, or * for any name"),
        ("a.*.test", "write a name such as"),
        ("!shop.test", "write a name such as"),
        (".-", "write a name such as"),
        (".s", "write *.s for every name below it"),
    ],
)
def test_a_name_that_no_header_can_have_is_refused_with_what_to_write(text: str, remedy: str) -> None:
    with pytest.raises(ConfigError) as refused:
        allowed_hosts(["localhost", text])
    assert str(refused.value).startswith(f"--allow-host {text!r} can be no Host header: {remedy}")


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("localhost:5173", "write scheme, host and port, such as http://localhost:5173"),
        ("http://shop.test:99999", "write scheme, host and port"),
        ("https://*", "write scheme, host and port"),
        ("http://u:p@shop.test", "write it without user and password"),
        ("wss://shop.test", "pages have http or https: write https://shop.test"),
        ("ws://shop.test:8080", "pages have http or https: write http://shop.test:8080"),
        ("file:///home/page.html", "write null, which is what browsers send for a page that is a file"),
        ("file://page", "write null"),
        ("http://café.test", "write it as browsers send it, in ASCII (xn--…)"),
    ],
)
def test_an_origin_that_no_page_can_have_is_refused_with_what_to_write(text: str, remedy: str) -> None:
    with pytest.raises(ConfigError) as refused:
        allowed_origins([text])
    assert str(refused.value).startswith(f"--allow-origin {text!r} is not an origin: {remedy}")


def test_a_word_without_end_is_shown_to_its_two_hundredth_character() -> None:
    for allowed in (allowed_hosts, allowed_origins):
        with pytest.raises(ConfigError, match=re.escape(f" '{'.' * 200}' ")):
            allowed(["." * 300])


def test_there_is_an_end_to_how_much_can_be_allowed() -> None:
    names = [f"n{number}.test" for number in range(1000)]
    assert len(allowed_hosts(names).forms) == 1000
    with pytest.raises(ConfigError, match=r"--allow-host: 1001 are too many; give at most 1000, or \*\.NAME"):
        allowed_hosts([*names, "one.more"])
    with pytest.raises(ConfigError, match="--allow-origin: 1001 are too many"):
        allowed_origins([f"http://{name}" for name in [*names, "one.more"]])


def test_stars_and_files_may_be_allowed() -> None:
    assert allowed_hosts(["*"]) == Allowed(frozenset({"*"}))
    assert allowed_origins(["*", "null"]) == Allowed(frozenset({"*", "null"}))
    assert "null" in allowed_origins(["null"])
    assert "" not in allowed_origins(["*"])
    assert None not in allowed_origins(["*"])
    assert "any.name" in allowed_hosts(["*"])


NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,8}[a-z0-9](\.[a-z][a-z0-9]{0,5}){0,3}", fullmatch=True)


@given(NAMES, NAMES, st.integers(1, 65535))
def test_what_is_below_a_name_is_met_by_its_star_and_nothing_else_is(
    above: str, below: str, port: int
) -> None:
    hosts, origins = allowed_hosts([f"*.{above}"]), allowed_origins([f"http://*.{above}:{port}"])
    assert host_form(f"{below}.{above}") in hosts
    assert host_form(above) not in hosts
    assert host_form(f"{below}{above}") not in hosts
    assert origin_form(f"http://{below}.{above}:{port}") in origins
    assert origin_form(f"https://{below}.{above}:{port}") not in origins
    assert origin_form(f"http://{below}.{above}:{port % 65535 + 1}") not in origins
