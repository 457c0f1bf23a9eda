"""The key of what is redacted: one that is none makes no file, whatever it was to be."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from kstream.cli import main

INCIDENT = Path(__file__).parents[3] / "fixtures" / "incident.db"
KEY = "0123456789abcdef"


@pytest.mark.parametrize("command", [["redact"], ["page", "--redact"]])
@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (["--key", "short"], 2, "--key: a key of 5 bytes could be guessed; give 16 or more"),
        (["--key", ""], 2, "a key of 0 bytes"),
        (["--key", KEY, "--key-file", "x"], 2, "both say what the key is; give one of them"),
        (["--key-file", "none"], 3, "none: the key cannot be read (No such file or directory)"),
        (["--key-file", "/dev/null"], 2, "--key-file /dev/null: a key of 0 bytes"),
    ],
)
def test_a_key_that_is_none_makes_no_file(
    tmp_path: Path, command: list[str], options: list[str], code: int, says: str
) -> None:
    done = CliRunner().invoke(main, ["log", *command, str(INCIDENT), "-o", str(tmp_path / "out"), *options])
    assert (done.exit_code, os.listdir(tmp_path)) == (code, [])
    assert says in done.stderr
