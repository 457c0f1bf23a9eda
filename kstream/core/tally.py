"""What was done, counted: plain integers that are added to where the work is done, and read when someone asks."""

from __future__ import annotations

from dataclasses import dataclass


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
