"""Whose requests are answered: by the name that they ask for, and by the page that they come from."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from kstream.core.delivery.origins import allowed_hosts, allowed_origins
from kstream.web.admission import Admission
from tests.web.serving import serving


def rules(
    bound: str = "127.0.0.1", *, origins: tuple[str, ...] = (), hosts: tuple[str, ...] = ()
) -> Admission:
    return Admission(bound=bound, origins=allowed_origins(origins), hosts=allowed_hosts(hosts))


@pytest.mark.parametrize(
    ("header", "allowed"),
    [
        ("localhost", True),
        ("LocalHost:3001", True),
        ("page.localhost:80", True),
        ("notlocalhost", False),
        ("localhost.evil.example", False),
        ("127.0.0.1:3001", True),
        ("127.9.9.9", True),
        ("[::1]:99", True),
        ("10.1.2.3", False),
        ("bound.example", True),
        ("bound.example:1", True),
        ("named.test:3001", True),
        ("other.test", False),
        ("", False),
        ("localhost:0", False),
        ("localhost:1", True),
        ("localhost:99999", False),
        ("localhost:port", False),
        ("http://localhost", False),
        ("[::1", False),
        (":3001", False),
        ("evil@localhost", False),
        ("localhost/x", False),
        ("localhost://x", False),
        ("local\thost", False),
        ("[::1]l", False),
        ("[::1%x]", False),
        ("localhost%2e", False),
    ],
)
def test_a_host_is_answered_if_no_foreign_page_can_make_a_name_point_to_it(
    header: str, allowed: bool
) -> None:
    assert rules("bound.example", hosts=("named.test",)).host_allowed(header) is allowed


@pytest.mark.parametrize(("bound", "allowed"), [("0.0.0.0", True), ("::", True), ("10.1.2.3", False)])
def test_a_server_on_all_addresses_answers_to_every_address_and_to_no_other_name(
    bound: str, allowed: bool
) -> None:
    assert rules(bound).host_allowed("10.9.9.9:3001") is allowed
    assert rules(bound).host_allowed("[2001:db8::1]") is allowed
    assert not rules(bound).host_allowed("evil.example")


@pytest.mark.parametrize(
    ("origin", "host", "allowed"),
    [
        ("http://localhost:3001", "localhost:3001", True),
        ("http://localhost:3001", "localhost:3002", False),
        ("http://localhost:3001", "127.0.0.1:3001", False),
        ("http://localhost", "localhost:80", True),
        ("http://localhost:80", "localhost", True),
        ("http://localhost", "localhost:81", False),
        ("http://localhost/", "localhost", True),
        ("http://localhost/x", "localhost", False),
        ("http://evil@localhost", "localhost", False),
        ("http://localhost", "evil@localhost", False),
        ("http://[::1]:3001", "[::1]:3001", True),
        ("http://[::1%x]", "[::1%x]", False),
        ("http://localhost", "localhost:443", False),
        ("https://localhost", "localhost:443", True),
        ("https://localhost:443", "localhost", True),
        ("https://localhost", "localhost:444", False),
        ("https://localhost", "localhost:80", False),
        ("ftp://localhost", "localhost", True),
        ("null", "localhost", False),
        ("", "localhost", False),
        ("http://localhost:0", "localhost:0", False),
        ("http://localhost:99999", "localhost:99999", False),
        ("http://localhost", "localhost:99999", False),
        ("http://[::1", "localhost", False),
        ("http://allowed.box", "localhost", True),
        ("HTTP://Allowed.Box/", "localhost", True),
        ("http://allowed.box:8080", "localhost", False),
    ],
)
def test_a_page_may_connect_from_where_it_was_served_and_from_what_was_allowed(
    origin: str, host: str, allowed: bool
) -> None:
    assert rules(origins=("http://allowed.box",)).origin_allowed(origin, host) is allowed


def test_a_star_before_a_name_allows_what_is_below_it_and_not_the_name() -> None:
    several = rules(hosts=("*.shop.test",), origins=("https://*.shop.test", "http://*.dev.test:8080"))
    assert several.host_allowed("a.shop.test:3001")
    assert several.host_allowed("A.b.Shop.test")
    assert not several.host_allowed("shop.test")
    assert not several.host_allowed("evilshop.test")
    assert several.origin_allowed("https://pr-7.shop.test", "localhost")
    assert several.origin_allowed("http://pr-7.dev.test:8080", "localhost")
    for page in (
        "http://pr-7.shop.test",
        "https://shop.test",
        "https://pr-7.shop.test:444",
        "http://a.dev.test",
    ):
        assert not several.origin_allowed(page, "localhost")


def test_a_star_allows_every_name_that_is_one() -> None:
    assert rules(hosts=("*",)).host_allowed("any.example:3001")
    assert not rules(hosts=("*",)).host_allowed("any..example")


def test_an_address_is_the_same_however_it_is_written() -> None:
    assert rules(hosts=("2001:DB8:0::1",)).host_allowed("[2001:db8::1]:3001")
    assert rules("Bound.Example").host_allowed("bound.example")


def test_a_page_that_is_a_file_may_connect_where_that_was_said() -> None:
    assert rules(origins=("null",)).origin_allowed("null", "localhost")
    assert not rules(origins=("https://shop.test",)).origin_allowed("null", "localhost")


def test_a_star_allows_every_page() -> None:
    assert rules(origins=("*",)).origin_allowed("http://any.example", "localhost")
    assert rules(origins=("*",)).origin_allowed("null", "localhost")
    assert rules(origins=("*",)).origin_allowed("what no browser sends", "localhost")


async def asked(
    method: str, headers: dict[str, str], **settings: Any
) -> tuple[int, dict[str, str], dict[str, str]]:
    """Status, headers, and the error where there is one."""
    async with (
        serving(**settings) as server,
        aiohttp.ClientSession() as http,
        http.request(method, server.http("/livez"), headers=headers) as response,
    ):
        body = (await response.json())["error"] if response.status >= 400 else {}
        return response.status, dict(response.headers), body


async def test_a_foreign_host_is_told_which_option_would_let_it_in() -> None:
    status, _, error = await asked(
        "GET", {"Host": "evil.example" + "x" * 300, "Origin": "http://evil.example"}
    )
    assert (status, error["code"]) == (421, "HOST_NOT_ALLOWED")
    assert error["details"] == (
        f"Host: 'evil.example{'x' * 188}'; start it with --allow-host NAME to add one"
    )


async def test_a_foreign_page_is_told_which_option_would_let_it_in_and_may_not_read_that() -> None:
    status, headers, error = await asked("GET", {"Origin": "http://evil.example" + "x" * 300})
    assert (status, error["code"]) == (403, "ORIGIN_NOT_ALLOWED")
    assert "'http://evil.example" + "x" * 181 + "'" in error["details"]
    assert "--allow-origin" in error["details"]
    assert "Access-Control-Allow-Origin" not in headers


async def test_an_allowed_page_may_read_the_answer_and_ask_first_what_it_may() -> None:
    page = "http://allowed.box"
    status, headers, _ = await asked("GET", {"Origin": page}, allow_origin=(page + "/",))
    assert (status, headers["Access-Control-Allow-Origin"], headers["Vary"]) == (200, page, "Origin")
    assert "Access-Control-Allow-Methods" not in headers
    status, headers, _ = await asked("OPTIONS", {"Origin": page}, allow_origin=(page.upper(),))
    assert status == 204
    assert (headers["Access-Control-Allow-Origin"], headers["Vary"]) == (page, "Origin")
    assert headers["Access-Control-Allow-Methods"] == "GET, HEAD, OPTIONS"
    assert headers["Access-Control-Allow-Headers"] == "*"
    assert headers["Access-Control-Max-Age"] == "600"


async def test_what_is_no_page_of_another_origin_gets_no_word_of_origins() -> None:
    status, headers, _ = await asked("GET", {})
    assert status == 200
    assert "Access-Control-Allow-Origin" not in headers
    assert "Vary" not in headers
    status, headers, _ = await asked("GET", {"Host": "evil.example", "Origin": "http://evil.example"})
    assert status == 421
    assert "Access-Control-Allow-Origin" not in headers


async def test_a_name_that_was_allowed_is_one_however_it_is_written() -> None:
    status, _, _ = await asked("GET", {"Host": "kstream.test"}, allow_host=("KStream.Test",))
    assert status == 200
