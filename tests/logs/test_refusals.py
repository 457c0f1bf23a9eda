"""What every event log refuses: another cluster, and events that it does not have."""

from __future__ import annotations

import pytest

from kstream.core.errors import LogError, LogMismatchError, LogTrimmedError
from kstream.core.timeline.health import ClusterInfo
from kstream.logs.refusals import check_range, identified


@pytest.mark.parametrize(
    ("known", "told", "kept"),
    [
        (None, ("a", "v1", ""), ("a", "v1", "")),
        (None, ("a", "v1", "uid-a"), ("a", "v1", "uid-a")),
        (("a", "v1", ""), ("b", "v2", "uid-b"), ("b", "v2", "uid-b")),
        (("a", "v1", "uid-a"), ("b", "v2", ""), ("b", "v2", "uid-a")),
        (("a", "v1", "uid-a"), ("b", "v2", "uid-a"), ("b", "v2", "uid-a")),
    ],
)
def test_a_uid_that_is_known_is_not_forgotten(
    known: tuple[str, str, str] | None, told: tuple[str, str, str], kept: tuple[str, str, str]
) -> None:
    before = None if known is None else ClusterInfo(*known)
    assert identified(before, ClusterInfo(*told), "log.db") == ClusterInfo(*kept)


def test_the_history_of_another_cluster_is_refused_with_both_names() -> None:
    with pytest.raises(LogMismatchError) as refused:
        identified(ClusterInfo("a", "v1", "uid-a"), ClusterInfo("b", "v1", "uid-b"), "log.db")
    assert str(refused.value) == (
        "log.db holds the history of the cluster a (uid uid-a), not of b (uid uid-b);"
        " give another file for this cluster"
    )


@pytest.mark.parametrize(("after", "upto"), [(4, 9), (4, 4), (9, 9), (6, 7)])
def test_what_is_kept_is_not_refused(after: int, upto: int) -> None:
    check_range(after, upto, oldest=5, head=9)


def test_what_was_dropped_is_refused_with_where_the_log_begins() -> None:
    with pytest.raises(LogTrimmedError) as refused:
        check_range(3, 10, oldest=5, head=9)
    assert str(refused.value) == "event 4 is no longer kept: the event log begins at 5"


def test_what_is_not_there_yet_is_refused_with_where_the_log_ends() -> None:
    with pytest.raises(LogError) as refused:
        check_range(4, 10, oldest=5, head=9)
    assert str(refused.value) == "event 10 is not there yet: the event log ends at 9"
    assert not isinstance(refused.value, LogTrimmedError)
