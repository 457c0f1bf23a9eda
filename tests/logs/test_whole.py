"""A new log is there when it is whole, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from kstream.core.errors import LogError, UsageError
from kstream.logs.sqlite import SqliteLog
from kstream.logs.whole import new_log
from tests.logs.facts import history


def inside(folder: Path) -> list[str]:
    return [each.name for each in folder.iterdir()]


async def test_it_is_there_when_it_is_left_and_not_before(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    async with new_log(path, meta={"imported": '"x"'}) as log:
        await log.append(list(history(10)))
        assert not path.exists()
    assert inside(tmp_path) == ["a.db"]
    read = await SqliteLog.open_read_only(path)
    assert (read.head, read.meta["imported"]) == (10, '"x"')
    await read.close()


async def test_what_fails_leaves_nothing(tmp_path: Path) -> None:
    async def fail() -> None:
        async with new_log(tmp_path / "a.db", meta={}) as log:
            await log.append(list(history(10)))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    assert inside(tmp_path) == []


async def test_nothing_that_is_there_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with pytest.raises(UsageError, match="it is there already"):
        async with new_log(path, meta={}):
            path.write_text("someone else's")
    assert path.read_text() == "someone else's"
    with pytest.raises(UsageError, match="it is there already"):
        async with new_log(path, meta={}):
            pass


@pytest.mark.parametrize("meanwhile", [False, True])
async def test_a_file_system_without_second_names_is_renamed_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, meanwhile: bool
) -> None:
    def refused(_from: Path, _to: Path) -> None:
        raise PermissionError

    monkeypatch.setattr("os.link", refused)
    path = tmp_path / "a.db"
    if meanwhile:
        with pytest.raises(UsageError, match="it is there already"):
            async with new_log(path, meta={}):
                path.touch()
    else:
        async with new_log(path, meta={}):
            pass
        assert path.is_file()


async def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(LogError, match="it cannot be made"):
        async with new_log(tmp_path / "nowhere" / "a.db", meta={}):
            pass
