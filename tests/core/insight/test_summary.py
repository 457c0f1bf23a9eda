"""What is bad of a state, the worst first."""

from __future__ import annotations

from kstream.core.insight.summary import counts, troubles
from tests.core.insight.making import History


def test_nodes_come_before_pods_and_many_before_few() -> None:
    history = History()
    history.namespace("shop")
    history.node("n1", "NotReady")
    history.node("n2")
    history.node("n3", pressure="DiskPressure")
    for number in range(3):
        history.pod(f"a{number}", "CrashLoopBackOff", of="cart")
    history.pod("b", "Error", of="api")
    history.pod("c", "Pending", of="api")
    history.pod("d")
    state = history.state()
    told = [(each.badness.name, each.subject, each.status, each.number) for each in troubles(state)]
    assert told == [
        ("FAILING", "node n1", "NotReady", 1),
        ("FAILING", "Deployment shop/cart", "CrashLoopBackOff", 3),
        ("FAILING", "Deployment shop/api", "Error", 1),
        ("PRESSED", "node n3", "Ready, DiskPressure", 1),
        ("WAITING", "Deployment shop/api", "Pending", 1),
    ]
    assert troubles(state)[1].as_json() == {
        "badness": "failing",
        "subject": "Deployment shop/cart",
        "status": "CrashLoopBackOff",
        "number": 3,
        "example": "uid-shop-a0",
    }
    assert counts(state)["totalPods"] == 6
    assert counts(state)["totalNamespaces"] == 1
