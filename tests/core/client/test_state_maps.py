"""The client's fold where a map is told (PROTOCOL 33); the rest of it is in golden messages and in test_mapfold.py."""

from __future__ import annotations

from kstream.core.client.state import ClientState

CONNECTED = {"type": "connection", "status": "connected"}


def test_what_comes_of_a_map_without_its_state_is_held_and_looked_at_no_longer_than_a_socket() -> None:
    state = ClientState(detail="map")
    state.apply(CONNECTED)
    state.apply({"type": "map_pods", "data": None})  # of a state that is not known
    pod = {"name": "a", "namespace": "n", "containers": []}
    state.apply({"type": "pod_event", "action": "ADDED", "number": 3, "data": pod})
    assert list(state.pods) == ["#3"]
    assert state.map is not None
    assert state.map.looked == {3: pod}
    state.disconnected()
    state.apply(CONNECTED)
    assert state.map.looked == {}
