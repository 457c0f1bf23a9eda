"""Those pods of a map that a client looks at, as a whole (PROTOCOL 33)."""

from __future__ import annotations

from kstream.core.delivery import thin, wire
from kstream.core.delivery.backlog import Backlog
from kstream.core.delivery.session import Session
from kstream.core.errors import InvalidMessageError
from kstream.core.timeline.state import ClusterState


def look(session: Session, state: ClusterState, backlog: Backlog, *, time: float) -> None:
    """Answer the `look` of a session, if there is one; `time`: seconds since the Unix epoch.

    `state` is that of the head of `backlog`."""
    wanted, session.look = session.look, None
    if wanted is None:
        return
    watched = session.view.filter
    found, gone, uids = [], [], []
    for number in dict.fromkeys(wanted.pods):
        uid = backlog.numbers.uid(number) if backlog.numbers is not None else None
        pod = state.pod(uid) if uid is not None else None
        if pod is not None and watched.lets_through(pod.key, pod.body):
            found.append((number, pod.body))
            uids.append(pod.key.uid)
        else:
            gone.append(number)
    answer = thin.looked(found, gone, seq=state.seq, answers=wanted.id, time=time)
    if len(answer) > wire.MAX_MESSAGE:
        large = InvalidMessageError(
            "Those pods are too large together", f"pods: {len(answer)} bytes; look at fewer of them"
        )
        session.refuse(large, time=time)
        return
    session.looked(watched.looking_at(uids), answer)
