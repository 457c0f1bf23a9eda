"""What every event log refuses, in the same words."""

from __future__ import annotations

from kstream.core.errors import LogError, LogMismatchError, LogTrimmedError
from kstream.core.timeline.health import ClusterInfo


def identified(known: ClusterInfo | None, cluster: ClusterInfo, where: str) -> ClusterInfo:
    """What to keep of `cluster`: a uid that is known is not forgotten because it is not told again.

    Raises LogMismatchError if both have a uid and these differ (LISTWATCH 15).
    """
    if known is None or not known.uid:
        return cluster
    if cluster.uid not in ("", known.uid):
        raise LogMismatchError(
            f"{where} holds the history of the cluster {known.name} (uid {known.uid}), not of {cluster.name}"
            f" (uid {cluster.uid}); give another file for this cluster"
        )
    return cluster._replace(uid=known.uid)


def check_range(after: int, upto: int, *, oldest: int, head: int) -> None:
    """Raises LogTrimmedError for events that are not there any more, LogError for what is not there yet."""
    if after + 1 < oldest:
        raise LogTrimmedError(f"event {after + 1} is no longer kept: the event log begins at {oldest}")
    if upto > head:
        raise LogError(f"event {upto} is not there yet: the event log ends at {head}")
