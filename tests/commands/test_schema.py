"""`kstream schema` as a person runs it."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from kstream.cli import main
from kstream.core.errors import UsageError
from kstream.schemas.document import FORMS, document


@pytest.mark.parametrize("form", FORMS)
def test_a_schema_is_printed(form: str) -> None:
    assert CliRunner().invoke(main, ["schema", form]).stdout == document(form, closed=False)


def test_a_schema_is_written_to_a_file(tmp_path: Path) -> None:
    told = CliRunner().invoke(main, ["schema", "messages", "--closed", "-o", str(tmp_path / "m.json")])
    assert (told.exit_code, told.output) == (0, "")
    assert (tmp_path / "m.json").read_text(encoding="utf-8") == document("messages", closed=True)


def test_a_file_that_cannot_be_written_is_told_with_what_to_do(tmp_path: Path) -> None:
    told = CliRunner().invoke(main, ["schema", "openapi", "--out", str(tmp_path / "no" / "m.json")])
    assert told.exit_code == UsageError.exit_code
    assert "cannot be written: No such file or directory. Name another file" in told.stderr
