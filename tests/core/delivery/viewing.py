"""Events for a backlog, and what is read of a view."""

from __future__ import annotations

from kstream.core.timeline.events import Event, Verb
from tests.frames_reader import FrameReader
from tests.making import change, numbered, pod_key


def actions(data: bytes) -> list[tuple[str, str]]:
    """(action, name) of the events in a joined run of frames or in one batch."""
    found = []
    for message in FrameReader().messages(data):
        events = message["data"] if message["type"] == "batch" else [message]
        found += [(event["action"], event["data"]["name"]) for event in events]
    return found


def of_pods(count: int, *, note: str = "", after: int = 0, namespace: str = "default") -> list[Event]:
    return numbered(
        [change(Verb.ADDED, pod_key(f"p{after + n}", namespace), note=note) for n in range(count)], after
    )
