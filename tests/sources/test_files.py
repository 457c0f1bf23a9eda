"""Files that are read whole or not at all, and what only looks like one."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from kstream.core.errors import ConfigError
from kstream.sources.files import read_whole
from kstream.sources.kubeconfigfile import read_kubeconfig


@pytest.mark.parametrize("size", [0, 1, 65536, 65537, 200_000])
def test_a_file_is_read_whole_and_of_a_longer_one_a_byte_more_than_it_may_have(
    size: int, tmp_path: Path
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * size)
    assert read_whole(path, most=size) == read_whole(path, most=size + 5) == b"x" * size
    if size:
        assert read_whole(path, most=size - 1) == b"x" * size
    if size > 1:
        assert read_whole(path, most=size // 2) == b"x" * (size // 2 + 1)


def test_a_pipe_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(b"y" * 300_000,))
    writer.start()
    assert read_whole(path, most=1 << 20) == b"y" * 300_000
    writer.join()


def test_a_pipe_into_which_nobody_writes_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with pytest.raises(OSError, match=r"nobody wrote all of it within 0\.02 s"):
        read_whole(path, most=100, within=0.02)
    kept_open = os.open(path, os.O_RDWR)
    os.write(kept_open, b"half of")
    with pytest.raises(OSError, match="nobody wrote all of it"):
        read_whole(path, most=100, within=0.02)
    os.close(kept_open)


def test_what_has_no_end_is_read_no_further_than_it_may_be() -> None:
    assert read_whole(Path("/dev/zero"), most=1000) == bytes(1001)


def test_what_is_no_file_is_an_error_with_its_cause(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        read_kubeconfig(tmp_path)
    assert read_kubeconfig(tmp_path / "none") is None
    with pytest.raises(ValueError, match="null"):
        read_whole(Path("a\0b"), most=1)


def test_a_directory_and_what_cannot_be_read_leave_no_descriptor_open(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(10):
        with pytest.raises(IsADirectoryError):
            read_whole(tmp_path, most=10)
        with pytest.raises(FileNotFoundError):
            read_whole(tmp_path / "none", most=10)
    assert len(os.listdir("/proc/self/fd")) == before
