"""`python -m tests.world SEED [--switch NAME] [--trace]` plays one seed; `--seconds 600` plays new ones for so long."""

from __future__ import annotations

import random
import sys
from time import monotonic

import click

from tests.world.kept import keep
from tests.world.search import report, search
from tests.world.stage import play
from tests.world.story import SWITCHES, story

_EVERY = 20  # seeds after which a line of progress is written where there is no terminal


@click.command()
@click.argument("seed", type=click.IntRange(0), required=False)
@click.option(
    "--seconds",
    default=60.0,
    show_default=True,
    type=click.FloatRange(0, min_open=True),
    help="How long to play new seeds; the one that is being played then is played to its end.",
)
@click.option("--switch", multiple=True, type=click.Choice(sorted(SWITCHES)), help="What may befall it, too.")
@click.option("--trace", is_flag=True, help="Tell what happens.")
@click.option(
    "--keep", "kept", is_flag=True, help="Keep the story of SEED as a test, whatever becomes of the dice."
)
def main(seed: int | None, seconds: float, switch: tuple[str, ...], trace: bool, kept: bool) -> None:
    """Play the whole system: SEED, or new seeds. Exit code 1: something was found."""
    switches = frozenset(switch)
    if seed is not None:
        if kept:
            click.echo(keep(seed, switches))
        sys.exit(_one(seed, switches, trace=trace))
    if trace or kept:
        raise click.UsageError("--trace and --keep are about one SEED")
    sys.exit(_new(switches, seconds))


def _one(seed: int, switches: frozenset[str], *, trace: bool) -> int:
    steps = story(seed, switches)
    found = play(seed, steps, trace=click.echo) if trace else play(seed, steps)
    click.echo(report(seed, switches, found) if found else f"seed {seed}: nothing found")
    return 1 if found else 0


def _new(switches: frozenset[str], seconds: float) -> int:
    first = random.SystemRandom().randrange(1_000_000_000)
    began, findings, played = monotonic(), 0, 0
    terminal = sys.stderr.isatty()
    click.echo(f"Seeds from {first} on, for {seconds:g} s", err=True)
    while monotonic() - began < seconds:
        hit = search([first + played], switches)
        played += 1
        if hit is not None:
            findings += 1
            click.echo(report(*hit))
        if terminal or played % _EVERY == 0:
            click.echo(
                f"{played} seeds, {findings} findings" + ("\r" if terminal else "\n"), err=True, nl=False
            )
    click.echo(f"{played} seeds from {first} on, {findings} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    main()
