"""What the scripted server says is what a real one may, and is shown short."""

from __future__ import annotations

import json

from simulator.certify import wire
from simulator.certify.history import History

ALL: frozenset[str] = frozenset()


def test_a_state_is_shown_by_the_names_in_it_and_nothing_is_long() -> None:
    history = History()
    view = history.view(ALL)
    whole = wire.initial_state(view, view["pods"].values(), 3, 3)
    assert json.loads(wire.shown(whole)) == {
        "type": "initial_state",
        "seq": 3,
        "data": {"nodes": ["node-1 (node-1-3)"], "pods": [], "namespaces": ["a (a-4)", "b (b-5)"]},
    }
    assert wire.shown(wire.large(whole)) == wire.shown(whole)
    assert wire.shown(wire.cleared("log", 3)).startswith('{"type": "cleared", "fault": "log"')
    assert len(wire.shown({**wire.unknown_type(3), "text": "x" * 9000})) < 400


def test_the_largest_message_is_no_larger_than_one_may_be() -> None:
    history = History()
    for number in range(20):
        history.add("pod", f"pod-{number}", "a")
    view = history.view(ALL)
    message = wire.large(wire.initial_state(view, view["pods"].values(), 3, 3))
    assert 0.99 * wire.LARGEST < len(json.dumps(message)) <= wire.LARGEST
