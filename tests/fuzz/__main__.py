"""`python -m tests.fuzz TARGET --seconds N --seed S`: a long run of one target, or of all."""

from __future__ import annotations

import sys
from collections.abc import Callable
from time import monotonic

import click

from tests.fuzz.engine import corpus, hunt, save
from tests.fuzz.table import TARGETS


@click.command()
@click.argument("names", metavar="[TARGET]...", nargs=-1, type=click.Choice(sorted(TARGETS)))
@click.option(
    "--seconds",
    default=30.0,
    show_default=True,
    type=click.FloatRange(0, min_open=True),
    help="For each target.",
)
@click.option("--seed", default=0, show_default=True)
def main(names: tuple[str, ...], seconds: float, seed: int) -> None:
    """Feed mutated inputs to parsers; what they do not stand is made small and kept in tests/fuzz/corpus."""
    found = 0
    names = names or tuple(sorted(TARGETS))
    click.echo(f"{len(names)} targets, {seconds:g} s each: {len(names) * seconds / 60:.1f} minutes", err=True)
    for name in names:
        target = TARGETS[name]
        done, findings = hunt(target, corpus(target), seed=seed, more=_until(monotonic() + seconds))
        click.echo(f"{name}: {done} executions, {len(findings)} findings (seed {seed})")
        for finding in findings:
            found += 1
            click.echo(f"  {finding.place}: {finding.error!r:.200}")
            click.echo(f"  {save(target, finding)}: {finding.data!r:.200}")
    sys.exit(1 if found else 0)


def _until(end: float) -> Callable[[int], bool]:
    return lambda _: monotonic() < end


if __name__ == "__main__":
    main()
