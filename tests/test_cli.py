from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from kstream.cli import main
from kstream.config import Finite
from kstream.core import errors
from kstream.logs.sqlite import SqliteLog
from simulator.commands import simulate


def kstream(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command as a user types it."""
    return subprocess.run(
        [sys.executable, "-c", "from kstream.cli import main; main()", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_help_lists_every_command_and_the_exit_codes() -> None:
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    for command in (
        "serve",
        "replay",
        "simulate",
        "record",
        "trim",
        "tail",
        "top",
        "check",
        "sim",
        "fake-apiserver",
    ):
        assert f"\n  {command} " in result.output
    for error in (
        errors.ConfigError,
        errors.UnreachableError,
        errors.ForbiddenError,
        errors.LogError,
        errors.BindError,
    ):
        assert f"{error.exit_code} " in result.output


def test_an_unknown_option_is_wrong_usage() -> None:
    assert CliRunner().invoke(main, ["simulate", "--no-such-option"]).exit_code == 2


@pytest.mark.parametrize(
    "command", [["record", "{log}", "--duration", "1"], ["serve", "--port", "0", "--log", "{log}"]]
)
def test_no_cluster_goes_on_with_the_log_of_a_simulation(command: list[str], tmp_path: Path) -> None:
    log = tmp_path / "log.db"

    async def simulated() -> None:
        made = await SqliteLog.open(log, meta={"simulation": '"tour"'})
        await made.close()

    asyncio.run(simulated())
    result = kstream(*(word.format(log=log) for word in command))
    assert (result.returncode, result.stdout) == (6, "")
    assert f"Error: {log}: the event log holds a simulation, not the history of a cluster" in result.stderr


def test_a_recording_of_nothing_is_not_played(tmp_path: Path) -> None:
    log = tmp_path / "log.db"

    async def nothing() -> None:
        made = await SqliteLog.open(log)
        await made.close()

    asyncio.run(nothing())
    result = kstream("replay", "--port", "0", str(log))
    assert (result.returncode, result.stdout) == (6, "")
    assert "there is nothing to play" in result.stderr


@pytest.mark.parametrize("command", ["simulate", "serve"])
def test_an_address_in_use_says_what_to_do(command: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        result = kstream(command, "--port", str(taken.getsockname()[1]))
    assert (result.returncode, result.stdout) == (7, "")
    assert "choose another --port" in result.stderr


def test_an_origin_that_is_none_is_wrong_usage() -> None:
    result = kstream("simulate", "--port", "0", "--allow-origin", "localhost")
    assert result.returncode == 2
    assert "http://localhost:5173" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["simulate", "--allow-host", "https://dash.shop.test"], 2, "write the name alone: dash.shop.test"),
        (["simulate", "--allow-host", "dash.shop.test:443"], 2, "write it without the port: dash.shop.test"),
        (["simulate", "--allow-origin", "http://u:p@shop.test"], 2, "write it without user and password"),
        (["simulate", "--host", ""], 2, "0.0.0.0 or :: for all its addresses"),
        (["simulate", "--host", "http://localhost"], 2, "is no address to listen on"),
        (["check", "--host", ""], 2, "0.0.0.0 or :: for all its addresses"),
        (["check", "-n", "Bad_NS"], 2, "--namespace: 'Bad_NS' is no namespace's name"),
        (["serve", "-n", "*"], 2, "leave the option out for all namespaces"),
        (["serve", "-n", ""], 2, "leave the option out for all namespaces"),
        (["record", "never.db", "-n", "a,B"], 2, "--namespace: 'B' is no namespace's name"),
        (["tail", "-n", "Bad_NS"], 2, "--namespace: 'Bad_NS' is no namespace's name"),
        (["tail", "--at", "5m"], 2, "--at: '5m': give 2026-01-24T10:00:00Z, -5m, +90s or seq:N"),
        (["tail", "--at", "-5m", "--speed", "fast"], 2, "--speed: 'fast': give a number above 0"),
        (["serve", "--workers", "1000000"], 2, "range 1<=x<=256"),
        (["serve", "--max-clients", "10000000"], 2, "range 1<=x<=1000000"),
        (["simulate", "--fault", "drop:after=inf"], 2, "--fault 'drop:after=inf': after"),
        (["simulate", "--fault", "delay:seconds=nan"], 2, "--fault 'delay:seconds=nan': seconds"),
    ],
)
def test_what_could_never_be_met_is_refused_with_what_to_write(
    arguments: list[str], code: int, said: str
) -> None:
    result = CliRunner().invoke(main, arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert said in " ".join(result.stderr.split())


@pytest.mark.parametrize("number", ["nan", "inf", "-inf", "1e400"])
@pytest.mark.parametrize(
    "arguments",
    [
        ["simulate", "--metrics-interval"],
        ["simulate", "--churn"],
        ["replay", "never.db", "--max-gap"],
        ["record", "never.db", "--duration"],
        ["fake-apiserver", "--churn"],
        ["fake-apiserver", "--compact-after"],
        ["fake-apiserver", "--bookmark-interval"],
        ["fake-apiserver", "--speed"],
    ],
    ids=" ".join,
)
def test_a_number_without_end_and_what_is_none_are_wrong_usage(arguments: list[str], number: str) -> None:
    result = CliRunner().invoke(main, [*arguments, number])
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"Invalid value for '{arguments[-1]}'" in result.stderr


def test_every_number_among_the_options_has_a_range_and_keeps_out_what_is_no_number() -> None:
    """A new option, too: no comparison keeps nan out, and what has no upper bound is used up."""
    context = click.Context(main)
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        assert command is not None
        for option in command.params:
            kind = option.type
            assert kind not in (click.INT, click.FLOAT), f"{name}: {option.name}"
            assert not isinstance(kind, click.FloatRange) or isinstance(kind, Finite), (
                f"{name}: {option.name}"
            )
            if isinstance(kind, click.IntRange | click.FloatRange):
                assert kind.min is not None, f"{name}: {option.name}"
                assert kind.max is not None, f"{name}: {option.name}"


def test_replay_of_what_is_no_log_is_a_log_error_and_leaves_the_file_alone(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("not a log")
    result = kstream("replay", str(file), "--port", "0")
    assert result.returncode == 6
    assert "notes.txt" in result.stderr
    assert file.read_text() == "not a log"


def test_tail_of_a_server_that_is_not_there_is_unreachable() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    result = kstream("tail", f"ws://127.0.0.1:{port}/ws")
    assert result.returncode == 4
    assert str(port) in result.stderr


def test_tail_refuses_a_url_that_is_none() -> None:
    assert kstream("tail", "ftp://nowhere").returncode == 2


@pytest.mark.parametrize("value", ["tcp://10.0.0.1:80", "udp://[fd00::1]:53", "sctp://kstream:9"])
def test_what_kubernetes_sets_for_a_service_named_kstream_is_no_option(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (
        "PORT",
        "SERVICE_HOST",
        "SERVICE_PORT",
        "PORT_80_TCP",
        "PORT_80_TCP_PROTO",
        "PORT_80_TCP_ADDR",
    ):
        monkeypatch.setenv(f"KSTREAM_{name}", value)
    (port,) = [option for option in simulate.params if option.name == "port"]
    context = click.Context(simulate)
    assert port.process_value(context, port.consume_value(context, {})[0]) == 3001
    assert CliRunner().invoke(simulate, ["--list"]).exit_code == 0


def test_a_port_that_is_none_and_was_set_by_a_person_is_wrong_usage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KSTREAM_PORT", "many")
    result = CliRunner().invoke(simulate, ["--list"])
    assert result.exit_code == 2
    assert "Invalid value for '--port'" in result.output


def test_a_stdout_that_takes_nothing_is_no_reason_not_to_serve() -> None:
    with open("/dev/full", "w") as full:
        process = subprocess.Popen(
            [sys.executable, "-c", "from kstream.cli import main; main()", "simulate", "--port", "0"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert process.stderr is not None
    while "in sync" not in (line := process.stderr.readline()):
        assert line
    process.terminate()
    _, rest = process.communicate()
    assert (process.returncode, "Traceback" in rest) == (0, False)


_INCIDENT = Path(__file__).parents[1] / "fixtures" / "incident.db"


@pytest.mark.parametrize(
    "command",
    [
        *(["log", name, str(_INCIDENT)] for name in ("info", "events", "state", "diff", "verify")),
        ["log", "history", str(_INCIDENT), "node/node-2"],
        ["simulate", "--list"],
        ["fake-apiserver"],
        ["check", "--port", "0"],
        ["--version"],
        ["log", "--help"],
    ],
    ids=" ".join,
)
def test_output_that_cannot_be_written_is_an_error_line(command: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-c", "from kstream.cli import main; main()", *command],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    # A check that found something keeps the code of that.
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1].startswith(
        "Error: stdout cannot be written (No space left on device)"
    )
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize(
    ("command", "code"), [("serve", 0), ("simulate", 0), ("tail", 0), ("fake-apiserver", 0), ("check", None)]
)
def test_a_signal_that_comes_while_a_command_is_loaded_ends_it_in_order(
    command: str, code: int | None, number: signal.Signals
) -> None:
    program = f"""
import os, kstream.cli
def killed(*_, **__):
    os.kill(os.getpid(), {int(number)})
    while True: pass
kstream.cli.import_module = kstream.cli.entry_points = killed
kstream.cli.main()
"""
    ended = subprocess.run(
        [sys.executable, "-c", program, command], capture_output=True, text=True, check=False
    )
    if code is None:  # it has not done what it was asked for
        code = 130 if number is signal.SIGINT else -number
    assert ended.returncode == code
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "variable"),
    [(["--log-format", "json", "--scenario", "nope"], ""), (["--scenario", "nope"], "json")],
)
def test_an_error_before_the_log_begins_has_the_form_of_the_log(
    arguments: list[str], variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if variable:
        monkeypatch.setenv("KSTREAM_LOG_FORMAT", variable)
    result = CliRunner().invoke(main, ["simulate", *arguments])
    told = json.loads(result.stderr)
    assert (told["level"], told["event"], told["exit_code"]) == ("error", "failed", result.exit_code)
    assert told["message"].startswith("There is no scenario 'nope'")
