"""`kstream certify -- COMMAND`: does a client keep the contract? Ours, or anybody's."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import click

from kstream.clock import SystemClock
from kstream.commands import statusline
from kstream.config import Finite, env_option
from kstream.core.errors import UsageError
from simulator.certify import report, sequences
from simulator.certify.cases import CASES, Case
from simulator.certify.harness import HarnessError
from simulator.certify.running import Outcome, Runner, Verdict
from simulator.certify.steps import MOST_BYTES, Script, read_script

_SEED: Final = "seed:"
_MOST_SEEDS: Final = 10_000
_RULE: Final = "PROTOCOL 1-23"


@click.command()
@click.argument("command", nargs=-1, type=click.UNPROCESSED, metavar="-- COMMAND")
@env_option(
    "--list",
    "listed",
    is_flag=True,
    help="Print the fixed cases, each with the rule that it proves, and stop.",
)
@click.option(
    "--case",
    "wanted",
    multiple=True,
    metavar="ID",
    help="Only this case: resume/missed, resume (all of them), or seed:24. Repeatable.",
)
@click.option(
    "--script",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Only the script in this file, as a failed run has printed it.",
)
@env_option("--seed", type=click.IntRange(0, 2**31), default=1, help="The first of the random sequences.")
@env_option(
    "--sequences",
    "count",
    type=click.IntRange(0, _MOST_SEEDS),
    default=10,
    help="How many random sequences, of one seed each.",
)
@env_option(
    "--patience",
    type=Finite(0.05, 600),
    metavar="SECONDS",
    default=1.0,
    help="For whatever needs no waiting.",
)
@env_option(
    "--slow", is_flag=True, help="Also what takes long where the harness cannot advance the client's time."
)
@env_option("--fail-fast", is_flag=True, help="End with the first case that fails.")
@env_option(
    "-o", "--output", type=click.Choice(["text", "json"]), default="text", help="For people or programs."
)
def certify(
    command: tuple[str, ...],
    *,
    listed: bool,
    wanted: tuple[str, ...],
    script: Path | None,
    seed: int,
    count: int,
    patience: float,
    slow: bool,
    fail_fast: bool,
    output: str,
) -> None:
    """Drive the client in COMMAND with a server that does what a real one may: does it keep the contract?

    COMMAND gets KSTREAM_URL in its environment, connects its client there, and answers a line of JSON on stdin with
    one on stdout: docs/certifying.md. Exit code 0 where the client passed all that was played, 1 where it did not.
    """
    if listed:
        for case in CASES:
            click.echo(f"{case.id:24} {case.rule:36} {case.about}")
        return
    if not command:
        raise UsageError("Say which client: kstream certify -- COMMAND, with what starts its harness")
    chosen = chosen_cases(wanted, script, seed, count)
    with suppress(asyncio.CancelledError):
        sys.exit(asyncio.run(_certify(command, chosen, patience, slow, fail_fast, as_json=output == "json")))
    sys.exit(130)


def chosen_cases(wanted: Sequence[str], script: Path | None, seed: int, count: int) -> list[Case]:
    """Those that the options name. Raises UsageError for one that there is not, and as read_script does."""
    if script is not None:
        with script.open(encoding="utf-8", errors="replace") as file:
            return [_given(str(script), read_script(file.read(MOST_BYTES + 1)))]
    if not wanted:
        return [*CASES, *(_random(each) for each in range(seed, seed + count))]
    found: list[Case] = []
    for name in wanted:
        number = name.removeprefix(_SEED)
        if name.startswith(_SEED) and number.isascii() and number.isdigit() and len(number) < 12:
            found.append(_random(int(number)))
            continue
        named = [case for case in CASES if case.id == name or case.id.startswith(f"{name}/")]
        if not named:
            raise UsageError(
                f"--case {name!r}: there is none; kstream certify --list has them, and seed:N is a random one"
            )
        found += named
    return found


def _random(seed: int) -> Case:
    about, remedy = "Anything in any order", "See the rule of the step that failed, and docs/protocol.md"
    return Case(f"{_SEED}{seed}", about, _RULE, remedy, sequences.script(seed))


def _given(name: str, script: Script) -> Case:
    return Case(name, "The script of the file", _RULE, "See the step that failed", script)


async def _certify(
    command: Sequence[str],
    chosen: Sequence[Case],
    patience: float,
    slow: bool,
    fail_fast: bool,
    *,
    as_json: bool,
) -> int:
    task = asyncio.current_task()
    assert task is not None, "it runs"
    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # What COMMAND has started ends with us, whoever ends us.
        asyncio.get_running_loop().add_signal_handler(sign, task.cancel)
    verdicts: list[Verdict] = []
    async with Runner(command, clock=SystemClock(), patience=patience, slow=slow) as runner:
        try:
            can = sorted(await runner.meet())
        except HarnessError:
            for each in runner.stderr.splitlines():
                click.echo(f"COMMAND: {each}", err=True)
            raise
        try:
            async for verdict in _verdicts(runner, chosen):
                verdicts.append(verdict)
                if not as_json:
                    _print(verdict, command)
                if fail_fast and verdict.outcome is Outcome.FAILED:
                    break
        except asyncio.CancelledError:
            _show("")
            if not as_json:
                click.echo(f"Stopped after {len(verdicts)} of {len(chosen)}: {report.summary(verdicts, ())}")
            raise
        fold = runner.fold_keys
    click.echo(report.as_json(verdicts, command, can, fold) if as_json else report.summary(verdicts, fold))
    return int(any(verdict.outcome is Outcome.FAILED for verdict in verdicts))


async def _verdicts(runner: Runner, chosen: Sequence[Case]) -> AsyncIterator[Verdict]:
    for number, case in enumerate(chosen, 1):
        _show(f"{number} of {len(chosen)}: {case.id}")
        verdict = await runner.run(case)
        if verdict.outcome is Outcome.FAILED and case.id.startswith(_SEED):
            _show(f"{number} of {len(chosen)}: {case.id} has failed; looking for a shorter script")
            verdict = await runner.shorten(verdict)
        _show("")
        yield verdict


def _print(verdict: Verdict, command: Sequence[str]) -> None:
    click.echo(report.line(verdict))
    if verdict.outcome is Outcome.FAILED:
        for each in report.particulars(verdict, command):
            click.echo(each)


def _show(text: str) -> None:
    if sys.stderr.isatty():
        statusline.show(text)
