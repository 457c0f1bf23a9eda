"""What one action may ask for: bounded, or refused in words before anything is done."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kstream.core.errors import InvalidMessageError
from simulator.story.actions import parse_action


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('{"do": "scale", "target": "shop/web", "replicas": 10001}', "replicas"),
        ('{"do": "scale", "target": "shop/web", "replicas": -1}', "replicas"),
        ('{"do": "scale", "target": "shop/\\ud800", "replicas": 3}', "half of a character"),
        ('{"do": "roll-out", "target": "shop/web", "image": "\\udfff"}', "half of a character"),
        ('{"do": "add-nodes", "count": 10001}', "count"),
        ('{"do": "set-churn", "rate": 10001}', "rate"),
        ('{"do": "set-churn", "rate": 1e400}', "none or infinite"),
        ('{"do": "set-churn", "rate": NaN}', "none or infinite"),
    ],
)
def test_what_is_beyond_all_bounds_is_refused_with_the_field(body: str, said: str) -> None:
    with pytest.raises(InvalidMessageError) as refused:
        parse_action(json.loads(body))
    assert said in refused.value.details


@pytest.mark.parametrize(
    "body",
    [
        {"do": "scale", "target": "shop/web", "replicas": 10_000},
        {"do": "scale", "target": "shop/web", "replicas": 0},
        {"do": "add-nodes", "count": 10_000},
        {"do": "set-churn", "rate": 10_000},
        {"do": "set-churn", "rate": 0},
    ],
)
def test_what_is_at_its_bound_is_taken(body: dict[str, Any]) -> None:
    assert parse_action(body).do == body["do"]
