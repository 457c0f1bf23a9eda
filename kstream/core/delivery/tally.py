"""What was done, counted: plain integers that are added to where the work is done, and read when someone asks."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
SIZES = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 5000.0)


class Distribution:
    """How often a value fell under each bound; what a histogram needs, for the price of a bisection."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def add(self, value: float, times: int = 1) -> None:
        self.counts[bisect_left(self.bounds, value)] += times
        self.total += value * times


@dataclass(slots=True)
class Tally:
    """Since the start, over all clients of a hub."""

    messages: int = 0  # sent, of any type
    events: int = 0  # sent as messages of their own
    batches: int = 0
    batched: int = 0  # events that a batch stood for, before those of one object were joined
    waits: int = 0  # how often events had to wait for the bucket
    received: int = 0  # messages of clients
    refused: int = 0  # messages of clients past their limit
    invalid: int = 0  # messages of clients that did not follow the protocol
    snapshots: int = 0  # given to clients
    fell_off: int = 0  # clients that fell off the window and needed a new state
    messages_bytes: int = 0  # of payloads encoded, each once, however many clients share it
    frames_bytes: int = 0  # of the frames that they became, deflated where that was negotiated
    sent_bytes: int = 0  # handed to sockets, over all clients
    batch_sizes: Distribution = field(default_factory=lambda: Distribution(SIZES))
    flushes: Distribution = field(default_factory=lambda: Distribution(SECONDS))
    loop_lag: Distribution = field(default_factory=lambda: Distribution(SECONDS))
    source_lag: float = 0.0  # seconds from a change to its publication, of the last one


@dataclass(slots=True)
class Recording:
    """Since the start, of the process that writes the log."""

    events: int = 0  # changes of the source that were recorded
    suppressed: int = 0  # changes of the source that changed nothing a client sees (PROTOCOL 12)
    commits: Distribution = field(default_factory=lambda: Distribution(SECONDS))

    def progress(self, events: int, suppressed: int) -> None:
        self.events, self.suppressed = events, suppressed

    def as_json(self) -> list[Any]:
        """For another process."""
        return [self.events, self.suppressed, self.commits.counts, self.commits.total]

    def learn(self, said: Sequence[Any]) -> None:
        """What the process that records said by `as_json`."""
        self.events, self.suppressed, self.commits.counts, self.commits.total = said
