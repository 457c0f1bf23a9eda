"""`as` and its kin: which headers they are, and what no header can hold."""

from __future__ import annotations

from typing import Any

import pytest

from kstream.core.errors import ConfigError
from kstream.sources.impersonation import impersonation
from kstream.sources.kubeconfigfile import User


def headers(**fields: Any) -> tuple[tuple[str, str], ...]:
    return impersonation(
        User.model_validate({name.replace("_", "-"): value for name, value in fields.items()}), "U"
    )


def test_a_user_a_uid_each_group_and_each_value_of_the_rest_is_a_header() -> None:
    assert headers(
        **{"as": "me"},
        as_uid="7",
        as_groups=["a", "b"],
        as_user_extra={"scopes": ["x", "y"], "none": [], "another": ["z"]},
    ) == (
        ("Impersonate-User", "me"),
        ("Impersonate-Uid", "7"),
        ("Impersonate-Group", "a"),
        ("Impersonate-Group", "b"),
        ("Impersonate-Extra-scopes", "x"),
        ("Impersonate-Extra-scopes", "y"),
        ("Impersonate-Extra-another", "z"),
    )


def test_without_as_nobody_is_somebody_else() -> None:
    assert headers(as_uid="7", as_groups=["a"], as_user_extra={"scopes": ["x"]}) == ()


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("acme.com/project", "acme.com%2Fproject"),
        ("a b", "a%20b"),
        ("50%", "50%25"),
        ("é", "%C3%A9"),
        ("a:b", "a%3Ab"),
        ("!#$&'*+-.^_`|~", "!#$&'*+-.^_`|~"),
        ("A\n", "A%0A"),
    ],
)
def test_what_no_name_of_a_header_can_have_is_escaped(key: str, name: str) -> None:
    assert headers(**{"as": "me"}, as_user_extra={key: ["v"]})[1] == (f"Impersonate-Extra-{name}", "v")


@pytest.mark.parametrize("value", ["a\nb", "\x00", "\x1f", "\x7f", "tab\t"])
@pytest.mark.parametrize("field", ["as", "as-uid", "as-groups", "as-user-extra"])
def test_a_control_character_is_in_no_header(field: str, value: str) -> None:
    given = {
        "as": "me",
        field: [value] if field == "as-groups" else {"k": [value]} if field[3:] == "user-extra" else value,
    }
    with pytest.raises(ConfigError) as refused:
        headers(**given)
    assert str(refused.value) == (
        "U: as, as-uid, as-groups or as-user-extra has control characters; correct it"
    )


def test_what_looks_foreign_is_a_value_all_the_same() -> None:
    assert headers(**{"as": "jürgen ~"}) == (("Impersonate-User", "jürgen ~"),)
