"""Names that an object can have, and those that none ever will."""

from __future__ import annotations

import re

import pytest

from kstream.core.errors import ConfigError
from kstream.core.naming import MAX_NAMESPACES, is_label, namespace_names


@pytest.mark.parametrize("name", ["a", "0", "kube-system", "a--b", "a" * 63, "1" + "-" * 61 + "1"])
def test_a_dns_label_is_a_name(name: str) -> None:
    assert is_label(name)
    assert namespace_names([name]) == (name,)


@pytest.mark.parametrize(
    "name",
    ["", "-a", "a-", "Bad", "Bad_NS", "a.b", "*", "a" * 64, "a b", "a\n", "é", "\u0661", "a/b", "\x00"],
)
def test_anything_else_is_refused_with_what_is_allowed(name: str) -> None:
    assert not is_label(name)
    if name.strip() != name:
        return
    with pytest.raises(
        ConfigError, match=re.escape(f"-n: {name!r:.80} is no namespace's name: it must be 1 to 63")
    ):
        namespace_names(["shop", name], option="-n")


def test_names_may_be_joined_by_commas_and_count_once() -> None:
    assert namespace_names(["shop, ads", "kube-system", "ads"]) == ("shop", "ads", "kube-system")
    assert namespace_names([]) == ()


@pytest.mark.parametrize("value", ["", "*", "a,", ",a", "a,,b"])
def test_whoever_wants_all_of_them_is_told_how(value: str) -> None:
    with pytest.raises(ConfigError, match="leave the option out for all namespaces"):
        namespace_names([value])


def test_a_name_that_is_wrong_otherwise_is_not_advised_to_be_left_out() -> None:
    with pytest.raises(ConfigError) as refused:
        namespace_names(["Shop"])
    assert str(refused.value) == (
        "--namespace: 'Shop' is no namespace's name: it must be 1 to 63 of a-z, 0-9 and '-', and not begin or end"
        " with '-', as in --namespace shop"
    )


def test_a_name_without_end_is_shown_to_its_eightieth_character() -> None:
    with pytest.raises(ConfigError, match=f"--namespace: '{'x' * 80}' is no"):
        namespace_names(["x" * 100])


def test_there_is_an_end_to_how_many_can_be_named() -> None:
    names = [f"ns{number}" for number in range(MAX_NAMESPACES)]
    assert MAX_NAMESPACES == 1000
    assert len(namespace_names(names)) == 1000
    with pytest.raises(ConfigError, match="1001 namespaces; name at most 1000"):
        namespace_names([*names, "one-more"])
