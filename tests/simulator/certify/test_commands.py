"""`kstream certify` as it is typed: what it says, how it ends, and that nothing is left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from kstream.core.errors import UsageError
from simulator.certify.cases import CASES
from simulator.certify.commands import certify, chosen_cases
from simulator.certify.harness import HarnessError
from tests.simulator.certify.test_harness import await_end

PROGRAM = (sys.executable, "-c", "from kstream.cli import main; main()", "certify")
PYTHON = ("--", sys.executable, "-m", "simulator.certify.harnesses.python_client")


def test_the_cases_are_listed_with_their_rules() -> None:
    listed = CliRunner().invoke(certify, ["--list"]).output.splitlines()
    assert len(listed) == len(CASES)
    assert listed[0].split(maxsplit=1)[0] == CASES[0].id


def test_cases_are_chosen_by_name_group_seed_and_script(tmp_path: Path) -> None:
    assert [case.id for case in chosen_cases(["resume/missed", "seed:7"], None, 0, 0)] == [
        "resume/missed",
        "seed:7",
    ]
    assert len(chosen_cases(["heartbeat"], None, 0, 0)) == 3
    assert [case.id for case in chosen_cases([], None, 5, 2)][-2:] == ["seed:5", "seed:6"]
    script = tmp_path / "script.json"
    script.write_text('[{"do": "drop"}, {"do": "back"}]')
    [case] = chosen_cases([], script, 0, 0)
    assert [step.do for step in case.script] == ["drop", "back"]
    for wrong in ("resume/mist", "seed:", "seed:x", "seed:-1"):
        with pytest.raises(UsageError, match=f"--case '{wrong}': there is none"):
            chosen_cases([wrong], None, 0, 0)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "Say which client: kstream certify -- COMMAND"),
        (("--", "no-such-program-here"), "'no-such-program-here' cannot be started: No such file"),
        (("--case", "x", "--", "cat"), "--case 'x': there is none"),
    ],
)
def test_wrong_usage_is_told(arguments: tuple[str, ...], said: str) -> None:
    done = CliRunner().invoke(certify, arguments)
    assert isinstance(done.exception, UsageError)
    assert said in str(done.exception)
    assert done.stdout == ""


def test_a_client_that_passes_is_0_and_programs_get_json() -> None:
    done = CliRunner().invoke(certify, ("-o", "json", "--patience", "20", "--case", "state/whole", *PYTHON))
    told = json.loads(done.stdout)
    assert (done.exit_code, told["passed"], told["failed"]) == (0, 1, 0)
    assert [case["id"] for case in told["cases"]] == ["state/whole"]


def test_one_that_holds_nothing_is_1_and_the_run_ends_there_with_fail_fast() -> None:
    # An echo is an answer to anything, and connects to nobody.
    done = CliRunner().invoke(certify, ("--patience", "0.05", "--fail-fast", "--case", "state", "--", "cat"))
    assert done.exit_code == 1
    assert "failed   state/whole" in done.stdout
    assert "It has not connected to KSTREAM_URL (when it connected)" in done.stdout
    assert done.stdout.endswith("0 passed, 1 failed\n")


def test_a_command_that_ends_at_once_is_told_with_its_stderr() -> None:
    done = CliRunner().invoke(certify, ("--", sys.executable, "-S", "-c", "oops"))
    assert isinstance(done.exception, HarnessError)
    assert "COMMAND: NameError: name 'oops' is not defined" in done.stderr


def test_ctrl_c_ends_it_and_what_it_has_started(tmp_path: Path) -> None:
    told, asked = tmp_path / "pid", tmp_path / "asked"
    os.mkfifo(asked)
    program = f"""
import os, sys
open({str(told)!r}, "w").write(str(os.getpid()))
sys.stdin.readline()
open({str(asked)!r}, "w").close()
sys.stdin.read()
"""
    with subprocess.Popen(
        (*PROGRAM, "--case", "state", "--", sys.executable, "-S", "-c", program),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        asked.read_text()  # it waits until somebody has written
        process.send_signal(signal.SIGINT)
        assert (*process.communicate(), process.returncode) == ("", "", 130)
    await_end(told)
