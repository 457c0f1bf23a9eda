"""What may be asked of a running simulation, and within which bounds."""

from __future__ import annotations

from typing import Any

import pytest

from kstream.core.errors import InvalidMessageError
from simulator.cluster import bounds
from simulator.orders import Order, parse_order, parse_speed
from simulator.pace import MAX


@pytest.mark.parametrize(
    ("request_", "order"),
    [
        ({"do": "status"}, Order("status")),
        ({"do": "pause"}, Order("pause")),
        ({"do": "play"}, Order("play")),
        ({"do": "speed", "speed": "max"}, Order("speed", speed=MAX)),
        ({"do": "speed", "speed": 2}, Order("speed", speed=2.0)),
        ({"do": "speed", "speed": "0.5"}, Order("speed", speed=0.5)),
        ({"do": "step"}, Order("step")),
        ({"do": "step", "by": None}, Order("step")),
        ({"do": "step", "by": "1m30s"}, Order("step", span=90_000)),
        ({"do": "step", "by": 1.5}, Order("step", span=1_500)),
        ({"do": "step", "by": "24h"}, Order("step", span=86_400_000)),
    ],
)
def test_an_order_is_understood(request_: dict[str, Any], order: Order) -> None:
    assert parse_order(request_) == order


def test_everything_else_is_an_action_which_is_kept_as_it_was_asked_for() -> None:
    request = {"do": "scale", "target": "shop/web", "replicas": 3}
    order = parse_order(request)
    assert (order.do, order.request) == ("act", request)
    assert order.action is not None
    assert order.action.do == "scale"


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        ({}, "do"),
        ({"do": "status", "more": 1}, "do"),
        ({"do": "speed"}, "do"),
        ({"do": "speed", "speed": 0}, "speed"),
        ({"do": "speed", "speed": "fast"}, "speed"),
        ({"do": "speed", "speed": []}, "speed"),
        ({"do": "speed", "speed": float("nan")}, "speed"),
        ({"do": "speed", "speed": 10**400}, "speed"),
        ({"do": "step", "by": []}, "by"),
        ({"do": "step", "by": "soon"}, "by"),
        ({"do": "step", "by": -1}, "by"),
        ({"do": "step", "by": "24h1s"}, "by"),
        ({"do": "step", "by": 10**400}, "by"),
        ({"do": "kill-node", "target": "node-1", "at": "5s"}, "at"),
        ({"do": "kill-node", "target": "node-1", "every": "5s"}, "at"),
    ],
)
def test_what_is_none_is_refused_by_the_name_of_its_field(request_: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidMessageError) as refused:
        parse_order(request_)
    assert refused.value.details.startswith(f"{field}: ")
    assert len(refused.value.details) < 500


@pytest.mark.parametrize("speed", [bounds.SLOWEST, bounds.FASTEST])
def test_the_bounds_of_speed_are_within(speed: float) -> None:
    assert parse_speed(speed) == speed
    for beyond in (bounds.SLOWEST * 0.99, bounds.FASTEST * 1.01):
        with pytest.raises(InvalidMessageError):
            parse_speed(beyond)


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({"do": "speed"}, "do: speed takes the speed and nothing else: speed=4, or speed=max"),
        ({"do": "speed", "target": 4}, "do: speed takes the speed and nothing else: speed=4, or speed=max"),
        ({"do": "status", "target": "foo"}, "do: status takes nothing else"),
        ({"do": "pause", "target": "now"}, "do: pause takes nothing else"),
        ({"do": "step", "target": "10s"}, "do: step takes a span or nothing: by=10s"),
        ({"do": ["speed"]}, "do: there is no "),
        ({"do": "frob"}, "do: there is no 'frob'; there are kill-node, "),
        ({"do": "kill-node", "node": "node-1"}, "node: there is no such key"),
        (
            {"do": "scale", "target": "shop/web", "replicas": "many"},
            "replicas: must be a whole number, not 'many'",
        ),
    ],
)
def test_what_an_action_takes_is_said_in_its_words(request_: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidMessageError) as refused:
        parse_order(request_)
    assert refused.value.details.startswith(said)
