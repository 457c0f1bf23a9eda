"""Shell blocks: bash takes them, and our programs take their options."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.docs.blocks import Block, of
from tests.docs.session import Session
from tests.docs.shapes import differences, values
from tests.docs.shell import Command, answered, check, commands

SHELL = of("sh")


@pytest.mark.parametrize("block", SHELL, ids=str)
def test_bash_takes_the_block(block: Block) -> None:
    done = subprocess.run(["bash", "-n"], input=block.text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{block}: {done.stderr}"


@pytest.mark.parametrize("block", SHELL, ids=str)
def test_the_commands_of_a_block_exist_and_take_their_options(block: Block) -> None:
    for command in commands(block):
        check(command)


@pytest.mark.parametrize("block", SHELL, ids=str)
def test_the_commands_of_a_block_run_one_after_another(
    block: Block, tmp_path: Path, kubeconfig: Path
) -> None:
    shown = next((other for other in of("json") if answered(other) == block), None)
    with Session(tmp_path, kubeconfig) as session:
        said = session.run_block(block)
    if shown is not None and not session.missing:
        assert [list(differences(*pair)) for pair in zip(values(shown.text), values(said), strict=True)] == [
            []
        ]
    if session.missing:
        pytest.skip(f"not installed here, and all else has run: {', '.join(sorted(set(session.missing)))}")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("kstream serv", "there is no command 'serv'"),
        ("kstream", "a command is missing"),
        ("kstream sim", "a command is missing"),
        ("kstream simulate --scenarios tour", "No such option"),
        (".venv/bin/kstream serve --port 70000", "is not in the range"),
        ("kstream replay", "Missing argument 'LOG'"),
        ("FORCE_COLOR=1 kstream tail -o yaml | head -3; uptime", "is not one of"),
        ("make tests", "there is no target 'tests'"),
        ('make bench ARGS="fanin --quick"', "no such group: fanin"),
        ("make loadtest ARGS=--shape=round", "invalid choice: 'round'"),
        ("python -m tests.nowhere", "No module named"),
        ("python -m tests.world --seed 1", "No such option"),
        ("pip install 'kstream[all]'", "there are ['bench', 'load', 'mcp', 'socks', 'tui']"),
        ("frobnicate --all", "nobody says what is done with 'frobnicate'"),
    ],
)
def test_a_command_that_would_not_work_is_found(line: str, said: str) -> None:
    (command,) = commands(Block("p.md", 1, "sh", line))
    with pytest.raises(AssertionError) as raised:
        check(command)
    assert said in str(raised.value)


@pytest.mark.parametrize(
    "line", ["pip install -e '.[load,bench]'", "datasette recording.db", "kstream tail | datasette"]
)
def test_a_command_that_would_work_passes(line: str) -> None:
    for command in commands(Block("p.md", 1, "sh", line)):
        check(command)


def test_commands_are_read_as_bash_reads_them() -> None:
    text = """\
# a comment alone
A=1 kstream serve \\
  --log 'a b.db' >out.txt &   # and one behind
kstream sim do x fault='{kind: crash,
  after: 3s}' && kubectl get pods | head -1
"""
    assert list(commands(Block("p.md", 10, "sh", text))) == [
        Command(
            "p.md:11",
            "A=1 kstream serve \n  --log 'a b.db' >out.txt",
            (("kstream", "serve", "--log", "a b.db"),),
            background=True,
        ),
        Command(
            "p.md:13",
            "kstream sim do x fault='{kind: crash,\n  after: 3s}' && kubectl get pods | head -1",
            (
                ("kstream", "sim", "do", "x", "fault={kind: crash,\n  after: 3s}"),
                ("kubectl", "get", "pods"),
                ("head", "-1"),
            ),
            background=False,
        ),
    ]


def test_a_quote_that_does_not_end_is_an_error() -> None:
    with pytest.raises(ValueError, match="No closing quotation"):
        list(commands(Block("p.md", 1, "sh", "kstream sim do 'x\n")))
