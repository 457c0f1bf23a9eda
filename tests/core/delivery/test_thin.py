"""What a map tells of a pod, and of one that is looked at (PROTOCOL 33)."""

from __future__ import annotations

import json

from kstream.core.delivery import thin
from kstream.core.timeline.events import Event, Verb, WatchEvent
from tests.making import START, body_of, change, pod_key
from tests.said import said

BODY = json.dumps(
    {
        "name": "web-1",
        "uid": "u",
        "namespace": "shop",
        "nodeName": "n1",
        "phase": "Running",
        "status": "Error",
        "containers": [{"ready": True, "restartCount": 2}, {"ready": False, "restartCount": 3}],
        "owner": {"kind": "Deployment", "name": "web"},
    }
).encode()


def test_an_event_has_what_a_map_shows_and_no_uid() -> None:
    told = WatchEvent(Verb.MODIFIED, pod_key("web-1", "shop"), "1", START, BODY)
    message = said(json.loads(thin.event(Event(5, told), Verb.ADDED, 9)))
    assert message == {
        "type": "map_event",
        "action": "ADDED",
        "seq": 5,
        "data": {
            "number": 9,
            "namespace": "shop",
            "name": "web-1",
            "nodeName": "n1",
            "phase": "Running",
            "status": "Error",
            "ready": 1,
            "containers": 2,
            "restarts": 5,
            "owner": {"kind": "Deployment", "name": "web"},
        },
        "timestamp": "2025-01-24T10:00:00.000Z",
    }
    assert json.loads(thin.event(Event(5, told), Verb.MODIFIED, 9))["action"] == "MODIFIED"


def test_one_that_is_gone_has_its_number_only() -> None:
    message = said(json.loads(thin.event(Event(5, change(Verb.DELETED, pod_key("a"))), Verb.DELETED, 9)))
    assert (message["action"], message["data"]) == ("DELETED", {"number": 9})


def test_looked_has_the_whole_of_pods_the_numbers_of_none_and_the_id_of_the_look() -> None:
    body = body_of(pod_key("a"))
    message = said(json.loads(thin.looked([(3, body)], [4], seq=8, answers="mine", time=START)))
    assert (message["id"], message["seq"], message["gone"]) == ("mine", 8, [4])
    assert message["pods"] == [{"number": 3, "data": json.loads(body)}]
    assert "id" not in json.loads(thin.looked([], [], seq=8, answers=None, time=START))
