"""`python -m tests.mutants PATH...`: which changes of the code does no test notice?"""

from __future__ import annotations

import json
import multiprocessing
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.queues import SimpleQueue
from pathlib import Path
from typing import Final

import click

from tests.mutants.covering import Covering
from tests.mutants.judged import FILE, Judgement, as_entry, named, read_judgements
from tests.mutants.mutation import Identity, Mutant, Text, counted, mutants_of
from tests.mutants.rooms import ROOT, files_in, room_of
from tests.mutants.trial import (
    Verdict,
    control,
    copy_project,
    judged_by_node,
    judged_by_python,
    measure,
    warm,
)

_ENOUGH: Final = 95  # per cent killed, in each room
_ALL: Final = ("kstream/core", "kstream/delivery", "kstream/logs", "kstream/web")


@click.command()
@click.argument("paths", metavar="[PATH]...", nargs=-1)
@click.option(
    "--sample", type=click.IntRange(1), metavar="N", help="Only so many of each file, drawn with the seed."
)
@click.option("--seed", default=0, show_default=True)
@click.option("--jobs", default=2, show_default=True, type=click.IntRange(1, 64), help="Processes at a time.")
@click.option(
    "--again",
    type=click.Path(path_type=Path, exists=True),
    help="Only those of this file, as --out wrote it.",
)
@click.option(
    "--out", type=click.Path(path_type=Path), help="Survivors that nobody judged, in the form of judged.toml."
)
def main(
    paths: tuple[str, ...], sample: int | None, seed: int, jobs: int, again: Path | None, out: Path | None
) -> None:
    """Change the code in one place after another and run the tests of its room. What survives is shown, unless
    tests/mutants/judged.toml says why it may. Exit code 1: something survived that nobody judged, or a room has less
    than 95 per cent killed."""
    try:
        files = files_in(paths or _ALL)
        mutants = [mutant for file in files for mutant in _drawn(_mutants(file), sample, f"{seed}:{file}")]
        if again is not None:
            wanted = named(again.read_text())
            mutants = [mutant for mutant in mutants if mutant.identity in wanted]
        judged = read_judgements(FILE.read_text())
    except (LookupError, ValueError) as error:
        raise click.UsageError(str(error)) from error
    if not mutants:
        raise click.UsageError("nothing to change in there")
    rooms = {room_of(mutant.path) for mutant in mutants}
    for room in sorted(rooms):
        count = sum(room_of(mutant.path) == room for mutant in mutants)
        click.echo(f"{count} mutants of {room.path}, judged by {', '.join(room.tests)}", err=True)
    # What is told to stop leaves nothing behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with tempfile.TemporaryDirectory(prefix="kstream-mutants-", ignore_cleanup_errors=True) as folder:
        surprising = {i for i, mutant in enumerate(mutants) if mutant.identity not in judged}
        verdicts = dict(_shown(_tried(mutants, Path(folder), jobs), len(mutants), surprising))
    unjudged = [mutants[i] for i in sorted(surprising) if verdicts[i] is not Verdict.KILLED]
    for mutant in unjudged:
        click.echo(str(mutant))
    if out is not None:
        out.write_text("\n".join(dict.fromkeys(map(as_entry, unjudged))))
    enough = _told(mutants, verdicts, judged)
    sys.exit(0 if enough and not unjudged else 1)


def _mutants(file: str) -> list[Mutant]:
    source = (ROOT / file).read_bytes()
    if file.endswith(".py"):
        return mutants_of(file, source)
    if not (ROOT / "tests/js/node_modules").is_dir():
        raise LookupError(f"{file}: Node reads it with what `make browser` installs, which is not there")
    if shutil.which("node") is None:
        raise LookupError(f"{file}: there is no Node to read it with; install Node 20")
    command = ["node", str(Path(__file__).with_name("javascript.mjs")), str(ROOT / file)]
    text, characters = Text(file, source), source.decode()
    found = []
    for line in subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines():
        change = json.loads(line)
        start, end = (len(characters[: change[at]].encode()) for at in ("start", "end"))
        found.append(text.mutant(change["where"], start, end, change["replacement"]))
    return counted(found)


def _drawn(mutants: list[Mutant], sample: int | None, seed: str) -> list[Mutant]:
    if sample is None or sample >= len(mutants):
        return mutants
    return sorted(random.Random(seed).sample(mutants, sample), key=lambda mutant: mutant.start)


def _tried(mutants: Sequence[Mutant], folder: Path, jobs: int) -> Iterator[tuple[int, Verdict]]:
    """Room by room: (number of the mutant, what became of it), in the order in which they are done."""
    by_tests: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for number, mutant in enumerate(mutants):
        by_tests[room_of(mutant.path).tests].append(number)
    trees = [copy_project(folder / f"tree-{job}") for job in range(jobs)]
    warm()
    fork = multiprocessing.get_context("fork")
    for tests, numbers in by_tests.items():
        in_node = mutants[numbers[0]].path.endswith(".js")
        if not in_node:
            click.echo(
                f"First, which lines each test of {', '.join(tests)} runs, and how long it takes", err=True
            )
        covering = None if in_node else measure(tests, folder / f"measured-{numbers[0]}", jobs)
        if covering is not None:
            control(trees[0], covering)
        waiting, done = fork.SimpleQueue(), fork.SimpleQueue()

        def judge(mutant: Mutant, tree: Path, covering: Covering | None = covering) -> Verdict:
            return (
                judged_by_node(mutant, tree) if covering is None else judged_by_python(mutant, tree, covering)
            )

        workers = [fork.Process(target=_work, args=(mutants, judge, tree, waiting, done)) for tree in trees]
        for worker in workers:
            worker.start()
        for job in (*numbers, *(None for _ in trees)):
            waiting.put(job)
        for _ in numbers:
            yield done.get()
        for worker in workers:
            worker.join()


def _work(
    mutants: Sequence[Mutant],
    judge: Callable[[Mutant, Path], Verdict],
    tree: Path,
    waiting: SimpleQueue[int | None],
    done: SimpleQueue[tuple[int, Verdict]],
) -> None:
    while (number := waiting.get()) is not None:
        done.put((number, judge(mutants[number], tree)))


def _shown(
    verdicts: Iterator[tuple[int, Verdict]], total: int, surprising: set[int]
) -> Iterator[tuple[int, Verdict]]:
    """With a line of progress; it counts as survived what nobody has judged."""
    survived = 0
    for done, (number, verdict) in enumerate(verdicts, 1):
        survived += verdict is not Verdict.KILLED and number in surprising
        if sys.stderr.isatty() or done % 50 == 0 or done == total:
            end = "\r" if sys.stderr.isatty() and done < total else "\n"
            print(f"{done} of {total} mutants, {survived} survived", end=end, file=sys.stderr, flush=True)  # noqa: T201
        yield number, verdict


def _told(mutants: Sequence[Mutant], verdicts: dict[int, Verdict], judged: dict[Identity, Judgement]) -> bool:
    """A line for each file and each room; is enough killed in each room?"""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for number, verdict in verdicts.items():
        mutant = mutants[number]
        judgement = judged.get(mutant.identity) if verdict is not Verdict.KILLED else None
        outcome = "same" if judgement is Judgement.SAME else verdict.value
        for name in dict.fromkeys((mutant.path, room_of(mutant.path).path)):
            counts[name][outcome] += 1
    enough = True
    rooms = {room_of(mutant.path).path for mutant in mutants}
    for name in sorted(counts, key=lambda name: (name in rooms, name)):
        count = counts[name]
        real = count.total() - count["same"]
        share = 100 * count["killed"] / real if real else 100.0
        rest = ", ".join(
            f"{count[outcome]} {outcome}" for outcome in ("survived", "unseen", "same") if count[outcome]
        )
        click.echo(
            f"{share:5.1f} %  {count['killed']} of {real} killed  {name}" + (f"  ({rest})" if rest else "")
        )
        enough = enough and (name not in rooms or share >= _ENOUGH)
    return enough


if __name__ == "__main__":
    main()
