"""The command with the client in it: started, asked a line at a time, and ended with all that it has started.

A line of JSON goes to its stdin, and one comes back from its stdout; what it prints on stderr is shown where it fails.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import Mapping, Sequence
from typing import Any, Final

from kstream.core.errors import KstreamError, UsageError
from kstream.core.visible import shortened, visible
from kstream.ports import Clock

LONGEST: Final = 4 << 20  # bytes of an answer
_SAID: Final = 4096  # bytes of the end of its stderr
_GRACE: Final = 1.0  # seconds that it has to end by itself
KNOWN: Final = (
    "start",
    "advance",
    "subscribe",
    "resume",
    "retry-after",
)  # what a harness may say that it can


class HarnessError(KstreamError):
    """The command ended, hangs, or answers what is no answer: the case that was played fails with it."""


class Harness:
    """`patience`: seconds for an answer. Raises UsageError from `begin` for a command that cannot be started."""

    def __init__(self, command: Sequence[str], *, clock: Clock, patience: float) -> None:
        self._command = tuple(command)
        self._clock = clock
        self._patience = patience
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._stderr = bytearray()
        self.can: frozenset[str] = frozenset()
        self.fold_keys: tuple[str, ...] = ()  # of the last fold

    @property
    def stderr(self) -> str:
        """The end of what it has printed there, safe to show."""
        lines = self._stderr.decode(errors="replace").splitlines()
        return "\n".join(visible(line) for line in lines)

    async def begin(self, url: str) -> None:
        """Its client connects to `url` from now on and is as new: by `start` where it can, else in another process."""
        if self._process is not None and "start" in self.can:
            await self.ask("start", url=url)
            return
        await self.end()
        await self._launch(url)
        # A runtime may take its time to be there; from then on it has no more than for any answer.
        answer = await self.ask("can", patience=max(self._patience, 10.0))
        told = answer.get("can", [])
        if not isinstance(told, list) or not all(isinstance(each, str) for each in told):
            raise HarnessError(
                f'It answers {{"ask": "can"}} with {_short(answer)}: "can" has to be a list of texts'
            )
        if unknown := sorted(set(told) - set(KNOWN)):
            raise HarnessError(f"It says that it can {', '.join(unknown)}: there are {', '.join(KNOWN)}")
        self.can = frozenset(told)

    async def fold(self) -> Mapping[str, Any]:
        """What its client holds. Raises as `ask` does."""
        answer = await self.ask("fold")
        self.fold_keys = tuple(answer)
        return answer

    async def ask(self, what: str, *, patience: float | None = None, **more: Any) -> Mapping[str, Any]:
        """Its answer to a line, within `patience` seconds. Raises HarnessError for none, and for what is no object."""
        process = self._process
        assert process is not None, "it was begun"
        assert process.stdin is not None, "it is piped"
        assert process.stdout is not None, "it is piped"
        line = json.dumps({"ask": what, **more})
        within = self._patience if patience is None else patience
        try:
            async with asyncio.timeout(within):
                process.stdin.write(line.encode() + b"\n")
                await process.stdin.drain()
                answer = await process.stdout.readline()
        except TimeoutError:
            raise HarnessError(
                f"It does not answer {line} within {within:g} s: does it read its stdin?"
            ) from None
        except ValueError:
            raise HarnessError(
                f"Its answer to {line} is longer than {LONGEST} bytes, or has no end"
            ) from None
        except ConnectionError:
            answer = b""
        if not answer.endswith(b"\n"):
            raise HarnessError(f"It ended when it was asked {line}{await self._status()}")
        return read_answer(answer, line)

    async def end(self) -> None:
        """It is told by the end of its stdin; who does not go is killed, and whatever is left of its session."""
        process, self._process = self._process, None
        if process is not None:
            if process.stdin is not None:
                process.stdin.close()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_GRACE):
                    await process.wait()
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait((self._reading,))
            self._reading = None

    async def kill(self) -> None:
        """At once: nothing is expected of it any more."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        await self.end()

    async def _launch(self, url: str) -> None:
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                env={**os.environ, "KSTREAM_URL": url},
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                limit=LONGEST,
                start_new_session=True,  # so that what it starts, a browser perhaps, ends with it
            )
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or str(error)
            raise UsageError(
                f"{self._command[0]!r} cannot be started: {why}. Write `kstream certify -- COMMAND`"
            ) from None
        self._stderr.clear()
        assert self._process.stderr is not None, "it is piped"
        self._reading = asyncio.create_task(self._drain(self._process.stderr))

    async def _drain(self, stream: asyncio.StreamReader) -> None:
        while chunk := await stream.read(_SAID):
            self._stderr += chunk
            del self._stderr[:-_SAID]

    async def _status(self) -> str:
        assert self._process is not None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GRACE):
                return f": exit code {await self._process.wait()}"
        return ": its stdout is closed"


def read_answer(answer: bytes, line: str) -> Mapping[str, Any]:
    """What a harness has printed, when it was asked `line`. Raises HarnessError for what is no JSON object."""
    try:
        value = json.loads(answer)
    except (ValueError, RecursionError):
        said = _short(answer.decode(errors="replace").rstrip())
        raise HarnessError(
            f"It answers {line} with what is no JSON: {said}. Its log belongs on stderr"
        ) from None
    if not isinstance(value, dict):
        raise HarnessError(
            f"It answers {line} with {_short(value)}: an answer is a JSON object, {{}} where there is none"
        )
    return value


def _short(value: Any) -> str:
    return visible(shortened(str(value), 200))
