from __future__ import annotations

from kstream.core.timeline.events import Kind
from kstream.core.timeline.health import Cleared, ErrorCode, Fault, Lost, Report, Synced
from kstream.core.watching.reflection import Allowed, Answered, Broken, Forbidden, InTouch, OutOfTouch, Stream
from kstream.core.watching.touch import CLUSTER, Touch

NODES, PODS, SHOP = Stream(Kind.NODE), Stream(Kind.POD), Stream(Kind.POD, "shop")


def touch(*streams: Stream) -> Touch:
    fold = Touch()
    for stream in streams:
        fold.expect(stream)
    return fold


def codes(reports: list[Report]) -> list[ErrorCode]:
    return [report.code for report in reports if isinstance(report, Fault)]


def test_synced_is_said_when_all_streams_are_in_touch_and_once() -> None:
    fold = touch(NODES, PODS)
    assert fold.note(NODES, InTouch()) == []
    assert fold.note(PODS, InTouch()) == [Synced()]
    assert fold.note(PODS, InTouch()) == []


def test_what_was_never_reached_is_a_failed_connection_and_nothing_is_lost() -> None:
    fold = touch(NODES)
    reports = fold.note(NODES, OutOfTouch("refused"))
    assert codes(reports) == [ErrorCode.CONNECTION_FAILED]
    assert Lost() not in reports


def test_one_stream_out_of_touch_is_told_once_and_cleared_when_all_are_back() -> None:
    fold = touch(NODES, PODS)
    fold.note(NODES, Answered())
    fold.note(NODES, InTouch())
    fold.note(PODS, InTouch())
    assert codes(fold.note(PODS, OutOfTouch("reset"))) == [ErrorCode.CLUSTER_UNREACHABLE]
    assert fold.note(NODES, OutOfTouch("reset")) == []
    assert fold.note(PODS, InTouch()) == []
    assert fold.note(NODES, InTouch()) == [Cleared(CLUSTER), Synced()]


def test_a_missing_permission_is_told_once_in_the_words_of_the_contract() -> None:
    fold = touch(NODES, SHOP)
    [fault] = fold.note(SHOP, Forbidden("watch", "no"))
    assert isinstance(fault, Fault)
    assert fault.code is ErrorCode.PERMISSION_DENIED
    assert fault.message == "Insufficient RBAC permissions to watch pods"
    assert fault.details == "Missing 'watch' permission on 'pods' in namespace 'shop'"
    assert fold.note(SHOP, Forbidden("watch", "no")) == []
    assert fold.note(NODES, InTouch()) == [Synced()]
    assert fold.note(SHOP, Allowed("list")) == []
    assert fold.note(SHOP, Allowed("watch")) == [Cleared(fault.subject)]


def test_with_everything_denied_there_is_no_state_and_what_was_there_is_stale() -> None:
    fold = touch(NODES)
    assert Synced() not in fold.note(NODES, Forbidden("list", "no"))
    fold.note(NODES, InTouch())
    assert Lost() in fold.note(NODES, Forbidden("watch", "no"))


def test_a_stream_that_is_no_longer_watched_is_not_waited_for() -> None:
    fold = touch(NODES, SHOP)
    fold.note(NODES, InTouch())
    assert fold.forget(SHOP) == [Synced()]


def test_a_watch_error_names_the_stream_and_changes_nothing() -> None:
    fold = touch(SHOP)
    fold.note(SHOP, InTouch())
    [fault] = fold.note(SHOP, Broken("500 store"))
    assert isinstance(fault, Fault)
    assert fault.code is ErrorCode.WATCH_ERROR
    assert "pods in namespace 'shop'" in fault.message
    assert fault.details == "500 store"
