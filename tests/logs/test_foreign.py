"""Lines of other programs' files."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from kstream.core.errors import ConfigError
from kstream.core.imports.foreign import Line
from kstream.logs import foreign


def lines_of(path: Path) -> Iterator[Line]:
    return foreign.lines_of(str(path), lambda: path.open("rb"))


@pytest.mark.parametrize("zipped", [False, True])
def test_lines_have_numbers_and_the_last_one_says_whether_it_is_whole(tmp_path: Path, zipped: bool) -> None:
    path, content = tmp_path / "f", b"a\n\nb"
    path.write_bytes(gzip.compress(content) if zipped else content)
    assert [(each.number, each.raw, each.whole) for each in lines_of(path)] == [
        (1, b"a", True),
        (2, b"", True),
        (3, b"b", False),
    ]


def test_of_a_gzipped_file_that_is_cut_off_the_end_is_told_to_be_missing(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(gzip.compress(b"a\n" * 9)[:-4])
    *_, last = lines_of(path)
    assert not last.whole


@pytest.mark.parametrize("zipped", [False, True])
def test_a_mark_of_utf_8_is_no_part_of_the_first_line_and_utf_16_is_told(
    tmp_path: Path, zipped: bool
) -> None:
    path = tmp_path / "f"

    def lines(content: bytes) -> list[bytes]:
        path.write_bytes(gzip.compress(content) if zipped else content)
        return [each.raw for each in lines_of(path)]

    assert lines(b"\xef\xbb\xbf{\n\xef\xbb\xbf}") == [b"{", b"\xef\xbb\xbf}"]
    for wide in ("utf-16", "utf-16-be"):
        with pytest.raises(ConfigError, match=r"it is UTF-16.*iconv -f UTF-16 -t UTF-8"):
            lines(("\ufeff" * (wide != "utf-16") + "{\n}").encode(wide))


def test_an_empty_file_has_no_lines(tmp_path: Path) -> None:
    (tmp_path / "f").touch()
    assert list(lines_of(tmp_path / "f")) == []


def test_what_cannot_be_read_is_told_with_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="nowhere: it cannot be read"):
        list(lines_of(tmp_path / "nowhere"))
    path = tmp_path / "f"
    for broken in (gzip.compress(b"")[:10] + b"\xff" * 50, b"\x1f\x8b" + b"no gzip at all" * 5):
        path.write_bytes(broken)
        with pytest.raises(ConfigError, match=r"f: it cannot be read|f, after line 0: it is damaged"):
            list(lines_of(path))
    monkeypatch.setattr(foreign, "MAX_LINE", 10)
    path.write_bytes(b"short\n" + b"x" * 11)
    with pytest.raises(ConfigError, match="f, line 2: it has more than 10 bytes"):
        list(lines_of(path))
