"""A reflector of pods, fed by hand."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping

from kstream.core.timeline.events import Kind
from kstream.core.watching.contact import Contact
from kstream.core.watching.inventory import Inventory
from kstream.core.watching.reflection import (
    Failure,
    Get,
    Moment,
    Note,
    Output,
    Stream,
)
from kstream.core.watching.reflector import Reflector
from tests.scripted import line, pod

PODS = Stream(Kind.POD)


class Driven:
    """A reflector of pods with a clock, and what came out of it so far."""

    def __init__(self, *, watch_list: bool = False, stream: Stream = PODS) -> None:
        self.inventory = Inventory(stream.kind)
        self.contact = Contact()
        self.reflector = Reflector(
            stream, self.inventory, contact=self.contact, rng=random.Random(7), watch_list=watch_list
        )
        self.now = 1000.0
        self.events: list[str] = []  # "ADDED a"
        self.notes: list[Note] = []
        self.version: str | None = None  # as the log has it
        self.closed = False

    @property
    def moment(self) -> Moment:
        return Moment(self.now, self.now)

    def take(self, output: Output) -> None:
        self.events += [f"{event.verb} {event.key.name}" for event in output.events]
        self.notes += output.notes
        self.closed = output.close
        if output.version is not None:
            self.version = output.version

    def ask(self) -> Get:
        step = self.reflector.next_request(self.moment)
        assert isinstance(step, Get), step
        return step

    def waits(self) -> float:
        """Pass the wait that it asks for; 0.0 if it asks for none."""
        step = self.reflector.next_request(self.moment)
        if isinstance(step, Get):
            return 0.0
        self.now += step.seconds
        return step.seconds

    def respond(self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> None:
        self.take(self.reflector.receive_response(status, headers or {}, self.moment))
        if body:
            self.take(self.reflector.receive_data(body, self.moment))
        self.take(self.reflector.receive_end(self.moment))

    def refuse(self, code: int, reason: str, *, headers: Mapping[str, str] | None = None) -> None:
        self.respond(code, json.dumps({"kind": "Status", "code": code, "reason": reason}).encode(), headers)

    def page(self, *names: str, version: str = "100", more: str = "", versions: str = "1") -> None:
        items = [pod(name, versions) for name in names]
        metadata = {"resourceVersion": version, **({"continue": more} if more else {})}
        self.respond(200, json.dumps({"metadata": metadata, "items": items}).encode())

    def open(self) -> None:
        self.take(self.reflector.receive_response(200, {}, self.moment))
        self.reflector.completeness.caught_up(self.moment)

    def send(self, *data: bytes) -> None:
        for each in data:
            self.take(self.reflector.receive_data(each, self.moment))
            self.reflector.completeness.caught_up(self.moment)

    def end(self) -> None:
        self.take(self.reflector.receive_end(self.moment))

    def fail(self, failure: Failure) -> None:
        self.take(self.reflector.receive_failure(failure, failure.value, self.moment))

    def watching(self, *names: str, version: str = "100") -> Driven:
        """Listed, and a watch is open."""
        self.ask()
        self.page(*names, version=version)
        self.ask()
        self.open()
        self.events.clear()
        self.notes.clear()
        return self

    def said(self, kind: type) -> bool:
        return any(isinstance(note, kind) for note in self.notes)


def names(count: int, start: int = 0) -> list[str]:
    return [f"p{i}" for i in range(start, start + count)]


def initial_end(version: str, value: str = "true") -> bytes:
    metadata = {"resourceVersion": version, "annotations": {"k8s.io/initial-events-end": value}}
    return line("BOOKMARK", {"kind": "Pod", "metadata": metadata})


def watch_list() -> Driven:
    driven = Driven(watch_list=True)
    driven.inventory.load([])
    get = driven.ask()
    assert get.query["sendInitialEvents"] == "true"
    assert get.query["resourceVersionMatch"] == "NotOlderThan"
    assert get.query["allowWatchBookmarks"] == "true"
    assert "resourceVersion" not in get.query
    return driven
