"""Runs cases one after another, each with a server of its own, and says of each what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from types import TracebackType
from typing import Final, Self

from kstream.ports import Clock
from simulator.certify import sequences
from simulator.certify.cases import SLOW, Case
from simulator.certify.failure import FailedError
from simulator.certify.harness import Harness, HarnessError
from simulator.certify.referee import Referee
from simulator.certify.server import StreamServer, stream_server
from simulator.certify.steps import Script, Step

_TRIES: Final = 60  # scripts that are played to make one shorter
_HURRY: Final = 0.3  # of the patience, for each of them


class Outcome(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Verdict:
    """Of one case. What is empty does not apply."""

    case: Case
    outcome: Outcome
    seconds: float = 0.0
    why: str = ""  # it was skipped; or what the client does that it must not
    about: str = ""  # see FailedError; "harness" where the command itself failed
    where: str = ""  # the step
    lines: tuple[str, ...] = ()  # the fold against what is expected, object by object
    sent: tuple[str, ...] = ()  # what the server said last, oldest first
    stderr: str = ""  # of the command, its end
    script: Script = ()  # the shortest one that fails, of a random one
    passed_over: tuple[int, ...] = ()  # the steps that make no sense where they stand, where it passed


class Runner:
    """`patience`: seconds for what needs no waiting; `slow`: what takes long as well, if a harness cannot advance."""

    def __init__(self, command: Sequence[str], *, clock: Clock, patience: float, slow: bool) -> None:
        self._clock = clock
        self._patience = patience
        self._slow = slow
        self._harness = Harness(command, clock=clock, patience=_answer(patience))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await (self._harness.end() if error is None else self._harness.kill())

    @property
    def stderr(self) -> str:
        """The end of what the command has printed there."""
        return self._harness.stderr

    @property
    def fold_keys(self) -> tuple[str, ...]:
        """What the client's folds have."""
        return self._harness.fold_keys

    async def meet(self) -> frozenset[str]:
        """What the harness says that it can. Raises HarnessError; UsageError for a command that cannot be started."""
        async with stream_server() as server:
            await self._harness.begin(server.url)
        return self._harness.can

    def skipped(self, case: Case) -> str:
        """Why it is not played; "" where it is."""
        can = self._harness.can
        if missing := sorted(case.needs - can):
            return f"its harness cannot {', '.join(missing)}"
        if not self._slow and "advance" not in can and case.waits > SLOW:
            return f"it takes {case.waits:.0f} s: --slow plays it, or a harness that can advance"
        return ""

    async def run(self, case: Case) -> Verdict:
        """After `meet`."""
        if why := self.skipped(case):
            return Verdict(case, Outcome.SKIPPED, why=why)
        return await self._play(case, self._patience)

    async def shorten(self, verdict: Verdict) -> Verdict:
        """The same with the shortest script that was found to fail so, and what came of that."""
        worst = verdict

        async def fails(script: Sequence[Step]) -> bool:
            nonlocal worst
            case = replace(verdict.case, script=tuple(script))
            # In a hurry a client may only be slow: what it does wrong it does again when it is given its time.
            for patience in (self._patience * _HURRY, self._patience):
                found = await self._play(case, patience)
                if found.outcome is Outcome.PASSED or found.about != verdict.about:
                    return False
            worst = found
            return True

        script = await sequences.shortened(verdict.case.script, fails, tries=_TRIES)
        return replace(worst, case=verdict.case, script=script, seconds=verdict.seconds)

    async def _play(self, case: Case, patience: float) -> Verdict:
        began = self._clock.monotonic()
        async with stream_server() as server:
            referee = Referee(self._harness, server, clock=self._clock, patience=patience)
            try:
                await referee.play(case.script)
            except (FailedError, HarnessError) as error:
                return await self._failed(case, error, server, self._clock.monotonic() - began)
            took = self._clock.monotonic() - began
            return Verdict(case, Outcome.PASSED, took, passed_over=tuple(referee.skipped))

    async def _failed(
        self, case: Case, error: FailedError | HarnessError, server: StreamServer, took: float
    ) -> Verdict:
        about, lines = (error.about, error.lines) if isinstance(error, FailedError) else ("harness", ())
        where = next(iter(getattr(error, "__notes__", ())), "")
        if isinstance(error, HarnessError):
            await self._harness.kill()  # it may hang: the next case begins with another one
        stderr = self._harness.stderr
        return Verdict(
            case, Outcome.FAILED, took, str(error), about, where, lines, tuple(server.remembered), stderr
        )


def _answer(patience: float) -> float:
    """Seconds for an answer: as long as for anything, and enough for a machine that has much to do."""
    return max(5 * patience, 5.0)
