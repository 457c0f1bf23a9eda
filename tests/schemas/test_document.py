"""The schemas as files: what is checked in and served is what the code makes."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs.make_schemas import AFTER, TYPES, files
from kstream.core.errors import UsageError
from kstream.schemas.document import FORMS, document


@pytest.mark.parametrize("path", list(files()), ids=lambda path: path.name)
def test_what_is_served_is_what_the_code_says(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == files()[path], "run make generated"


def test_the_types_of_the_client_follow_those_of_the_messages() -> None:
    assert TYPES.read_text(encoding="utf-8").count(AFTER) == 1
    assert document("typescript", closed=False) in TYPES.read_text(encoding="utf-8")


@pytest.mark.parametrize("form", FORMS)
def test_a_document_ends_its_last_line(form: str) -> None:
    text = document(form, closed=False)
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


def test_typescript_cannot_be_closed() -> None:
    with pytest.raises(UsageError, match="leave it out for typescript"):
        document("typescript", closed=True)
    assert '"additionalProperties": false' in document("messages", closed=True)
