"""What a session does with a command that does not do what a page says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.blocks import Block
from tests.docs.session import Session


def run(folder: Path, kubeconfig: Path, text: str) -> str:
    with Session(folder, kubeconfig) as session:
        return session.run_block(Block("p.md", 1, "sh", text))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kstream replay no-such-file.db", "ended with 6"),
        ("kstream sim do kill-node node-99", "There is no node node-99"),
        ("curl http://localhost:3001/nowhere", "There is nothing at that address"),
        ("python -m tests.nowhere", "No module named tests.nowhere"),
        ("kstream simulate | head -1", "what follows never comes"),
    ],
)
def test_a_command_that_fails_fails_its_block(text: str, said: str, tmp_path: Path, kubeconfig: Path) -> None:
    with pytest.raises(AssertionError, match=said):
        run(tmp_path, kubeconfig, text)


def test_what_a_command_leaves_the_next_one_finds(tmp_path: Path, kubeconfig: Path) -> None:
    written = "kstream simulate --speed max --duration 5s --log /tmp/run.db\n"
    read = "kstream replay /tmp/run.db --port 3001 &\nkstream tail\n"
    assert "connected" in run(tmp_path, kubeconfig, written + read)
    assert (tmp_path / "run.db").exists()
    assert not Path("/tmp/run.db").exists()


def test_a_server_that_ctrl_c_does_not_end_well_fails_its_block(tmp_path: Path, kubeconfig: Path) -> None:
    (tmp_path / "kstream").write_text("#!/bin/sh\necho ws://127.0.0.1:1/ws\nexec sleep infinity\n")
    (tmp_path / "kstream").chmod(0o755)
    with pytest.raises(AssertionError, match="ended with -2"):
        run(tmp_path, kubeconfig, "./kstream serve\n")
