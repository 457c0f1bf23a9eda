"""What kstream raises: the exit code of a command is the class of its error."""

from __future__ import annotations

import re

import pytest

from kstream.core import errors
from kstream.core.errors import InvalidMessageError, KstreamError, LogError


def raised() -> dict[str, type[KstreamError]]:
    """Every error that the module defines, by name."""
    return {
        name: found
        for name, found in vars(errors).items()
        if isinstance(found, type) and issubclass(found, KstreamError)
    }


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("KstreamError", 1),
        ("ConfigError", 3),
        ("UnreachableError", 4),
        ("ForbiddenError", 5),
        ("LogError", 6),
        ("LogFormatError", 6),
        ("LogBusyError", 6),
        ("LogMismatchError", 6),
        ("LogFullError", 6),
        ("LogTrimmedError", 6),
        ("BindError", 7),
        ("DivergedError", 8),
        ("InvalidMessageError", 1),
        ("MalformedError", 1),
    ],
)
def test_each_error_has_its_exit_code(name: str, code: int) -> None:
    assert raised()[name].exit_code == code


def test_the_tree_in_the_docstring_names_every_error() -> None:
    named = re.findall(r"^[│├└─ ]*(\w+Error)\b", errors.__doc__ or "", re.MULTILINE)
    assert sorted(named) == sorted(raised())


def test_every_error_of_a_log_is_one_that_a_log_cannot_be_used() -> None:
    of_logs = {name for name, found in raised().items() if issubclass(found, LogError)}
    assert of_logs == {name for name in raised() if name.startswith("Log")}


def test_an_invalid_message_names_the_field_beside_what_is_said() -> None:
    error = InvalidMessageError("A field is wrong", "at: no such moment")
    assert (str(error), error.details) == ("A field is wrong", "at: no such moment")
    assert InvalidMessageError("A field is wrong").details == ""
