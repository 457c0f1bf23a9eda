"""A filter as a caller gave it: to be compared, and said in a URL and in a subscribe."""

from __future__ import annotations

from typing import Any

import pytest

from kstream.core.client.wanted import Wanted


def test_nothing_wanted_is_nothing_said_but_the_namespaces_of_a_subscribe() -> None:
    nothing = Wanted.of((), (), " ", "whole")
    assert nothing.query() == {}
    assert nothing.fields() == {"namespaces": ()}


def test_all_that_is_wanted_is_said_and_the_order_of_names_says_nothing() -> None:
    wanted = Wanted.of(["b", "a"], ["pods"], "app=web", "map")
    assert wanted.query() == {"namespaces": "b,a", "kinds": "pods", "labels": "app=web", "detail": "map"}
    assert wanted.fields() == {
        "namespaces": ("b", "a"),
        "kinds": ("pods",),
        "labels": "app=web",
        "detail": "map",
    }
    assert wanted.asked == Wanted.of(["a", "b"], ["pods"], "app=web", "map").asked
    assert wanted.asked != Wanted.of(["a", "b"], ["pods"], "app=web", "").asked


@pytest.mark.parametrize("given", [("shop", (), ""), (7, (), ""), ((), [7], ""), ((), (), 7)])
def test_what_is_no_list_of_texts_is_refused(given: tuple[Any, Any, Any]) -> None:
    with pytest.raises(TypeError):
        Wanted.of(*given, "")
