"""A reader at a terminal: the commands of a block are run one after another, in a folder of its own, against no cluster
but a played one. Ports, `/tmp` and the address of the server are replaced; all else runs as it is printed.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tests.docs.blocks import ROOT, Block
from tests.docs.shell import Command, commands, is_not_run, program

# Of kstream, what goes on until Ctrl-C while others ask it, with what it says when it is ready.
_SERVES: Final = {
    "serve": r"ws://",
    "replay": r"ws://",
    "simulate": r"ws://",
    "fake-apiserver": r"on https?://",
    "mcp": r"http://",
}
# What has done enough when it has said this.
_PRINTS: Final = {"tail": r".", "record": r"in sync"}
_ENDS_AT: Final = frozenset({"--list", "--help", "--duration"})  # with these it ends by itself
_ASKS_A_SERVER: Final = frozenset({"tail", "sim"})
_ADDRESS = re.compile(r"\b(localhost|127\.0\.0\.1):3001\b")

# What a reader has before the block, and where it is here.
GIVEN: Final = {"recording.db": "fixtures/incident.db"}

# A size that a test can wait for: the same command otherwise.
_SMALLER: Final = {"churn-at-scale": {"KSTREAM_NODES": "20", "KSTREAM_PODS": "200"}}


class Session:
    """Runs commands. At its end what still runs gets Ctrl-C, which must be no error."""

    def __init__(self, folder: Path, kubeconfig: Path) -> None:
        self.missing: list[str] = []  # programs that are not installed
        self._folder = folder
        self._kubeconfig = kubeconfig
        self._server = ""  # host:port of the last one that serves the stream
        self._behind: list[tuple[Command, subprocess.Popen[str]]] = []
        self._before: tuple[Command, subprocess.Popen[str]] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        running = [*self._behind, *([self._before] if self._before is not None else [])]
        try:
            for command, process in reversed(running):
                if error is None:
                    _stop(command, process)
        finally:
            for _, process in running:
                process.kill()
                process.wait()
                if process.stdout is not None:
                    process.stdout.close()

    def run_block(self, block: Block) -> str:
        """Run all of it; returns what the last command printed."""
        said = ""
        for command in commands(block):
            said = self.run(command)
        return said

    def run(self, command: Command) -> str:
        """Run it, or start it when it goes on until Ctrl-C; returns what it printed until then."""
        name = program(command.words)
        if is_not_run(command.words):
            return ""
        if shutil.which(name, path=search_path()) is None:
            self.missing.append(name)
            return ""
        if not self._server and _asks(command.words):
            self._start(_simulation(command))
        self._lay_out(command)
        if _ready(command.words) is not None:
            return self._start(command)
        if (enough := _enough(command.words)) is not None:
            process, said = self._begin(command, enough)
            _stop(command, process)
            return said
        done = subprocess.run(
            ["bash", "-c", self._adapted(command.text)],
            cwd=self._folder,
            env=self._environment(command),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command.place}: {command.text}\n{done.stdout}"
        return done.stdout

    def _start(self, command: Command) -> str:
        if not command.background and self._before is not None:
            _stop(*self._before)  # one terminal: Ctrl-C, and then the next one
            self._before = None
        ready = _ready(command.words)
        assert ready is not None
        process, said = self._begin(command, ready)
        if command.background:
            self._behind.append((command, process))
        else:
            self._before = (command, process)
        address = re.search(r"ws://([\w.]+:\d+)/ws", said)
        if address is not None:
            self._server = address[1]
        return said

    def _begin(self, command: Command, ready: str) -> tuple[subprocess.Popen[str], str]:
        assert len(command.programs) == 1, (
            f"{command.place}: it goes on until Ctrl-C, and what follows never comes"
        )
        process = subprocess.Popen(
            ["bash", "-c", f"exec {self._adapted(command.text)}"],
            cwd=self._folder,
            env=self._environment(command),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if re.search(ready, line):
                return process, said
        process.wait()
        process.stdout.close()
        raise AssertionError(f"{command.place}: {command.text} ended with {process.returncode}\n{said}")

    def _lay_out(self, command: Command) -> None:
        """Put a copy of each file that is named to where the reader has it."""
        if "record" in command.words:
            return  # it makes its file
        for word in (word for words in command.programs for word in words[1:]):
            source, copy = ROOT / GIVEN.get(word, word), self._folder / word
            if not Path(word).is_absolute() and source.is_file() and not copy.exists():
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, copy)

    def _adapted(self, text: str) -> str:
        text = text.replace("/tmp/", f"{self._folder}/").replace(".venv/bin/", "")
        text = re.sub(r"--port[ =]\d+", "--port 0", text)
        text = re.sub(r"^curl ", "curl --silent --show-error --fail-with-body ", text)
        return _ADDRESS.sub(self._server, text) if self._server else text

    def _environment(self, command: Command) -> dict[str, str]:
        smaller = next((less for name, less in _SMALLER.items() if name in command.words), {})
        return {
            "PATH": search_path(),
            "PYTHONPATH": str(ROOT),
            "HOME": str(self._folder),
            "KUBECONFIG": str(self._kubeconfig),
            "KSTREAM_PORT": "0",
            "KSTREAM_URL": f"http://{self._server or '127.0.0.1:1'}",
            **smaller,
        }


def search_path() -> str:
    """A PATH on which `kstream` is the one of this Python."""
    return f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


def _ready(words: Sequence[str]) -> str | None:
    """What a command says that then goes on until Ctrl-C; None for one that ends."""
    if program(words) != "kstream" or _ENDS_AT & set(words):
        return None
    return _SERVES.get(words[1])


def _enough(words: Sequence[str]) -> str | None:
    """What a command has said when Ctrl-C may come, of those that print without an end."""
    if program(words) == "kubectl":
        return r"." if {"-w", "--watch"} & set(words) else None
    return _PRINTS.get(words[1]) if program(words) == "kstream" and not _ENDS_AT & set(words) else None


def _asks(words: Sequence[str]) -> bool:
    return program(words) == "curl" or (program(words) == "kstream" and words[1] in _ASKS_A_SERVER)


def _simulation(command: Command) -> Command:
    """What the reader has started before a block that begins with a question."""
    text = "kstream simulate --at 10s"
    return replace(command, text=text, programs=(tuple(text.split()),), background=True)


def _stop(command: Command, process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate()
    if program(command.words) == "kstream":
        assert process.returncode == 0, (
            f"{command.place}: {command.text} ended with {process.returncode}\n{said}"
        )
