"""Scripts of a seed: whatever may happen, in any order; and a script that fails, made as short as it gets. Pure.

The same seed is the same script, whatever client it is played to: what a client cannot do is passed over.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from simulator.certify import steps
from simulator.certify.steps import Script, Step

LENGTH: Final = 40  # steps
_NAMES: Final = ("web", "api", "db")
_SPACES: Final = ("a", "b", "c")
_HOW: Final = ("each", "each", "batch", "parts", "first part", "fragments")


def script(seed: int) -> Script:
    """It ends with a client that is there, a server that has its cluster, and a last change."""
    dice = random.Random(seed)
    begin: list[Step] = [
        steps.Add(name=name, namespace=dice.choice(_SPACES[:2])) for name in _NAMES[: dice.randrange(4)]
    ]
    if dice.random() < 0.3:
        begin.append(steps.Subscribe(namespaces=(dice.choice(_SPACES),)))
    middle = [_step(dice) for _ in range(LENGTH)]
    end: tuple[Step, ...] = (
        steps.Source(found=True),
        steps.Back(),
        steps.State(),
        steps.Add(name="last"),
        steps.Send(),
    )
    return (*begin, steps.State(), *middle, *end)


def _step(dice: random.Random) -> Step:
    name, space = dice.choice(_NAMES), dice.choice(_SPACES[:2])
    often: tuple[Callable[[], Step], ...] = (
        lambda: steps.Add(name=name, namespace=space),
        lambda: steps.Modify(name=name, namespace=space),
        lambda: steps.Modify(kind="node", name="node-1"),
        lambda: steps.Delete(name=name, namespace=space),
        lambda: steps.Delete(name=name, namespace=space),
        lambda: steps.Send(how=dice.choice(_HOW)),
        lambda: steps.Send(how=dice.choice(_HOW)),
        lambda: steps.State(parts=dice.randrange(4), behind=dice.randrange(4), torn=dice.random() < 0.3),
        lambda: steps.Drop(code=dice.choice((1006, 1006, 1001, 1011, 1013))),
        steps.Back,
        steps.Back,
    )
    seldom: tuple[Callable[[], Step], ...] = (
        lambda: steps.Add(kind="namespace", name=dice.choice(_SPACES)),
        lambda: steps.Delete(kind="namespace", name=dice.choice(_SPACES)),
        lambda: steps.Restart(how=dice.choice(("term", "lost", "epoch"))),
        steps.Hold,
        lambda: steps.Refuse(times=dice.randrange(1, 3), status=dice.choice((403, 503))),
        lambda: steps.Source(found=dice.random() < 0.5),
        steps.Term,
        lambda: steps.Fault(name=dice.choice(("log", "cluster")), over=dice.random() < 0.5),
        steps.Moment,
        steps.Metrics,
        lambda: steps.Strange(
            what=dice.choice(("type", "batched", "fields", "action", "again", "gone", "modified"))
        ),
        lambda: steps.Subscribe(namespaces=tuple(each for each in _SPACES if dice.random() < 0.4)),
        steps.Beat,
        lambda: steps.Silence(late=dice.random() < 0.5),
    )
    return dice.choice(often if dice.random() < 0.65 else seldom)()


async def shortened(
    whole: Sequence[Step], fails: Callable[[Sequence[Step]], Awaitable[bool]], *, tries: int
) -> Script:
    """A part of it that fails too; `fails` plays one, `tries` times at most. Ever smaller pieces are taken away."""
    left, size = list(whole), max(len(whole) // 2, 1)
    while tries and size:
        begin = 0
        while tries and begin < len(left):
            fewer = left[:begin] + left[begin + size :]
            tries -= 1
            if await fails(fewer):
                left = fewer
            else:
                begin += size
        size //= 2
    return tuple(left)
