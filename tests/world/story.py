"""What happens, and when: a list of steps made of a seed, so that it can be printed, cut and played again."""

from __future__ import annotations

import random
from typing import Final, NamedTuple

from tests.world.cluster import NAMESPACES

CLIENTS: Final = 4  # the even ones are ours, the odd ones know only the contract
BEGINS: Final = (
    15.0  # seconds: by then a watch has had a bookmark, so silence is told from quiet (LISTWATCH 9)
)
LASTS: Final = 120.0  # seconds in which things happen

_RESOURCES: Final = ("pods", "nodes", "namespaces")
_SELECTORS: Final = ("app=web", "app=web", "app!=web", "app in (web,db)", "!app", "")


class Step(NamedTuple):
    """At `at` seconds `what` happens, for `seconds` if it lasts, to `whom`."""

    at: float
    what: str
    whom: str = ""
    seconds: float = 0.0

    def __str__(self) -> str:
        whom = f" {self.whom}" if self.whom else ""
        lasting = f" for {self.seconds:.1f} s" if self.seconds else ""
        return f"{self.at:7.2f} s  {self.what}{whom}{lasting}"


_FAULTS: Final = (
    *("down", "cut", "401", "429", "500", "black hole", "torn line", "compact", "no WatchList", "restart"),
    *("kill", "full disk", "slow disk"),
)
_CLIENTS: Final = ("drop", "drop", "stall", "subscribe", "subscribe", "ping", "nonsense", "late")

# What the product did wrong when it was first played (docs/findings.md): a switch each; known.py says which are mended.
SWITCHES: Final = {
    "put back": ("copy", "copy", "put back"),
    "lost tail": ("lost tail",),
    "denied": ("403 for long",),
    "warming": ("403 at a restart",),
    "restored": ("etcd copy", "etcd copy", "etcd restored"),
    "narrow": ("403 of all namespaces",),
    "file": (),
}


# How the server is set up: steps too, so that a story that needs none of them is told without.
SET_UP: Final = {
    "limit": ("1000", "1000", "120"),  # messages a minute
    "window": ("20000", "20000", "30"),  # events that are kept in memory
    "keep": ("", "", "20"),  # seconds of the log
    "deflate": ("", "15"),  # bits of the window of every second client
    "told after": ("", "200"),  # milliseconds from a commit until the hub hears of it
}
BY_SWITCH: Final = frozenset({"file", "workers"})
"""Set up by the switch `file`: the log is the product's own in a file, which another process serves, too."""


def story(seed: int, switches: frozenset[str]) -> list[Step]:
    """The steps of a seed, in order of time."""
    dice = random.Random(f"story {seed}")
    steps = [
        Step(dice.uniform(0.0, LASTS), "write", str(dice.choice((1, 1, 1, 3, 40))))
        for _ in range(dice.randint(10, 40))
    ]
    steps += [_fault(dice, dice.choice(_FAULTS)) for _ in range(dice.randint(0, 6))]
    for _ in range(dice.randint(2, 10)):
        what, whom = dice.choice(_CLIENTS), str(dice.randrange(CLIENTS))
        if what == "subscribe":
            names = dice.sample(NAMESPACES, dice.randint(0, 2))
            whom = f"{whom} {','.join(names)}"
        steps.append(
            Step(dice.uniform(0.0, LASTS), what, whom, dice.uniform(0.5, 30.0) if what == "stall" else 0.0)
        )
    for switch in sorted(switches):
        at = sorted(dice.uniform(BEGINS, LASTS) for _ in SWITCHES[switch])
        for moment, what in zip(at, SWITCHES[switch], strict=True):
            steps.append(_fault(dice, what)._replace(at=moment))
    steps += _of_late(random.Random(f"of late {seed}"))
    steps += _selecting(random.Random(f"select {seed}"))
    steps += _rewinding(random.Random(f"rewind {seed}"))
    if "file" in switches:
        steps += _in_a_file(random.Random(f"file {seed}"))
    return sorted(steps + _setting_clocks(random.Random(f"clock {seed}")))


def _rewinding(dice: random.Random) -> list[Step]:
    """Clients that go to other moments, and come back."""
    steps = []
    for _ in range(dice.choice((0, 0, 1, 3))):
        moves = dice.choices(
            ("pause", "step", "play", "seek@-10s", "seek@seq:3", "seek@+5s"), k=dice.randint(1, 4)
        )
        whom = f"{dice.randrange(0, CLIENTS, 2)} {' '.join(moves)}"
        steps.append(Step(dice.uniform(5.0, LASTS), "rewind", whom, dice.choice((0.01, 1.0, 8.0))))
    return steps


def _in_a_file(dice: random.Random) -> list[Step]:
    steps = [Step(0.0, "file", "1")]
    if dice.random() < 0.7:
        steps.append(Step(0.0, "workers", "1"))
        steps += [Step(dice.uniform(BEGINS, LASTS), "worker killed") for _ in range(dice.choice((0, 1, 2)))]
    return steps


def _setting_clocks(dice: random.Random) -> list[Step]:
    """The wall clock is set, forward or back, by so many seconds."""
    return [
        Step(dice.uniform(0.0, LASTS), "clock set", str(dice.choice((-3600, -30, -2, 2, 30, 3600))))
        for _ in range(dice.choice((0, 0, 0, 1, 2)))
    ]


def _selecting(dice: random.Random) -> list[Step]:
    """Clients that ask for kinds, and for pods by their labels, which change."""
    steps = []
    for _ in range(dice.choice((0, 1, 2, 5))):
        names = ",".join(dice.sample(NAMESPACES, dice.choice((0, 0, 2))))
        kinds = ",".join(dice.sample(_RESOURCES, dice.choice((0, 0, 1, 2))))
        asked = f"{dice.randrange(CLIENTS)} {names};{kinds};{dice.choice(_SELECTORS)}"
        steps.append(Step(dice.uniform(0.0, LASTS), "select", asked))
    return steps


def _of_late(dice: random.Random) -> list[Step]:
    """With dice of their own, so that a seed that was played before these were there tells what it told."""
    steps = [Step(0.0, what, said) for what, each in SET_UP.items() if (said := dice.choice(each))]
    steps += [Step(dice.uniform(0.0, LASTS), "ping", str(dice.randrange(CLIENTS))) for _ in range(10)]
    if dice.random() < 0.3:
        steps.append(Step(dice.uniform(0.0, LASTS), "herd"))
    if dice.random() < 0.3:
        steps.append(Step(dice.uniform(0.0, LASTS), "flood", str(dice.choice((1, 3))), 10.0))
    for _ in range(dice.choice((0, 0, 1, 3))):
        steps.append(Step(dice.uniform(0.0, LASTS), "tenant", str(dice.randrange(2))))
    if dice.random() < 0.3:
        # More than is read at once, while the log is slow: it waits in the socket.
        at = dice.uniform(BEGINS, LASTS - 40.0)
        steps += [Step(at, "slow disk", "", 30.0), Step(at + 1.0, "burst", "300")]
        steps += [Step(at + dice.uniform(2.0, 30.0), "ping", str(number % CLIENTS)) for number in range(8)]
    return steps


def _fault(dice: random.Random, what: str) -> Step:
    at = dice.uniform(BEGINS, LASTS)
    whom, seconds = "", dice.choice((0.3, 1.0, 5.0, 20.0, 90.0))
    match what:
        case "401" | "429" | "500":
            whom = dice.choice(("", *_RESOURCES))
        case "403 for long":
            whom, seconds = dice.choice(_RESOURCES), 200.0
        case "403 of all namespaces":
            seconds = dice.choice((20.0, 180.0))
        case "403 at a restart":
            seconds = dice.uniform(0.2, 1.3)
        case "black hole":
            seconds = dice.choice((1.0, 20.0, 250.0))
        case "lost tail":
            whom, seconds = str(dice.choice((1, 2, 5))), 0.0
        case "cut" | "torn line" | "compact" | "copy" | "put back" | "etcd copy" | "kill":
            seconds = 0.0
        case "etcd restored":
            seconds = 15.0
        case _:
            pass
    return Step(at, what, whom, seconds)
