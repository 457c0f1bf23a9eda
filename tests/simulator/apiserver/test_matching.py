"""Which rules of a fault script act, on which request and when."""

from __future__ import annotations

from typing import Any

from simulator.apiserver.faults import FaultScript, parse_script
from simulator.apiserver.matching import FaultMatcher
from simulator.apiserver.requests import Seen


def _script(*rules: str) -> FaultScript:
    return parse_script("faults:\n" + "\n".join(f"- {rule}" for rule in rules))


def _seen(verb: str = "list", resource: str = "pods", **values: Any) -> Seen:
    fields: dict[str, Any] = {
        "number": 1,
        "time": 0.0,
        "method": "GET",
        "path": f"/api/v1/{resource}",
        "query": {},
        "headers": {},
        "user": "u",
        "namespace": "",
        "name": "",
    }
    return Seen(verb=verb, resource=resource, **fields | values)


def _acts(matcher: FaultMatcher, now: float = 0.0, page: int = 1, **values: Any) -> bool:
    return bool(matcher.on_request(_seen(**values), page=page, now=now))


def test_a_rule_acts_on_the_requests_that_match_from_the_nth_on_so_many_times() -> None:
    matcher = FaultMatcher(
        _script("{match: {verb: list, resource: pods}, when: {request: 2}, times: 2, do: drop}")
    )
    told = [_acts(matcher), _acts(matcher, resource="nodes"), _acts(matcher, verb="watch")]
    told += [_acts(matcher), _acts(matcher), _acts(matcher)]
    assert told == [False, False, False, True, True, False]


def test_a_rule_acts_after_a_time_and_for_a_while() -> None:
    matcher = FaultMatcher(_script("{match: {verb: list}, when: {after: 10}, lasting: 5, do: forbidden}"))
    assert [_acts(matcher, now) for now in (0, 9.9, 12, 16.9, 17, 99)] == [
        False,
        False,
        True,
        True,
        False,
        False,
    ]


def test_a_rule_may_be_about_a_page_a_namespace_a_user_or_a_path() -> None:
    rules = (
        "{page: 2}",
        '{namespace: ""}',
        "{namespace: shop}",
        "{user: viewer}",
        "{path: /version}",
        "{name: x}",
        "{query: {watch: '1'}}",
    )

    def acting(**values: Any) -> list[int]:
        matchers = [FaultMatcher(_script(f"{{match: {rule}, do: drop}}")) for rule in rules]
        return [number for number, matcher in enumerate(matchers) if _acts(matcher, **values)]

    assert acting(page=2) == [0, 1]
    assert acting(namespace="shop") == [2]
    assert acting(user="viewer", namespace="ads") == [3]
    assert acting(path="/version", namespace="ads") == [4]
    assert acting(name="x", namespace="ads") == [5]
    assert acting(query={"watch": "1", "limit": "5"}, namespace="ads") == [6]


def test_a_rule_that_acts_always_never_ends_and_one_without_a_number_acts_once() -> None:
    always = FaultMatcher(_script("{match: {verb: list}, times: always, do: drop}"))
    once = FaultMatcher(_script("{match: {verb: list}, do: drop}"))
    assert [_acts(always) for _ in range(5)] == [True] * 5
    assert [_acts(once) for _ in range(3)] == [True, False, False]


def test_a_request_that_has_its_end_keeps_later_rules_for_the_next_one() -> None:
    matcher = FaultMatcher(
        _script(
            "{match: {verb: list}, do: {delay: 1}}",
            "{match: {verb: list}, do: drop}",
            "{match: {verb: list}, do: unauthorized}",
        )
    )
    acting = [[rule.do.kind for rule in matcher.on_request(_seen(), page=1, now=0.0)] for _ in range(3)]
    assert acting == [["delay", "drop"], ["unauthorized"], []]
    assert matcher.unused() == []


def test_rules_of_the_server_act_once_after_their_writes_and_their_time() -> None:
    matcher = FaultMatcher(
        _script(
            "{when: {event: 3}, do: compact}",
            "{when: {after: 20}, do: drop}",
            "{when: {after: 10, event: 5}, do: restart}",
        )
    )

    def due(writes: int, now: float) -> list[str]:
        return [rule.do.kind for rule in matcher.on_server(writes=writes, now=now)]

    assert (due(2, 0.0), matcher.next_time()) == ([], 10.0)
    assert due(3, 0.0) == ["compact"]
    assert due(9, 9.9) == []
    assert (due(4, 10.0), matcher.next_time()) == ([], 10.0)
    assert (due(5, 10.0), matcher.next_time()) == (["restart"], 20.0)
    assert [rule.do.kind for rule in matcher.unused()] == ["drop"]
    assert (due(5, 20.0), matcher.next_time()) == (["drop"], None)
    assert due(99, 99.0) == []


def test_a_rule_of_the_server_is_about_no_request() -> None:
    assert not _acts(FaultMatcher(_script("{when: {after: 0}, do: drop}")))
