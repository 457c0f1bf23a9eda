from __future__ import annotations

from kstream.core.timeline.events import Kind
from kstream.core.timeline.health import Cleared, ErrorCode, Fault, Lost, Report, Synced
from kstream.core.watching.reflection import (
    Allowed,
    Answered,
    Broken,
    Forbidden,
    InTouch,
    OutOfTouch,
    Stream,
    Unauthorized,
)
from kstream.core.watching.touch import CLUSTER, Touch
from tests.making import named

NODES, PODS, SHOP = Stream(Kind.NODE), Stream(Kind.POD), Stream(Kind.POD, "shop")


def touch(*streams: Stream) -> Touch:
    fold = Touch()
    for stream in streams:
        fold.expect(stream)
    return fold


def faults(reports: list[Report]) -> list[Fault]:
    return [report for report in reports if isinstance(report, Fault)]


def codes(reports: list[Report]) -> list[ErrorCode]:
    return [report.code for report in reports if isinstance(report, Fault)]


def test_synced_is_said_when_all_streams_are_in_touch_and_once() -> None:
    fold = touch(NODES, PODS)
    assert fold.note(NODES, InTouch()) == []
    assert named(fold.note(PODS, InTouch())) == named([Synced()])
    assert fold.note(PODS, InTouch()) == []


def test_what_was_never_reached_is_a_failed_connection_and_nothing_is_lost() -> None:
    fold = touch(NODES)
    reports = fold.note(NODES, OutOfTouch("refused"))
    assert named(reports) == named(
        [
            Fault(
                ErrorCode.CONNECTION_FAILED, "Unable to connect to the Kubernetes cluster", "refused", CLUSTER
            )
        ]
    )


def test_one_stream_out_of_touch_is_told_once_and_cleared_when_all_are_back() -> None:
    fold = touch(NODES, PODS)
    fold.note(NODES, Answered())
    fold.note(NODES, InTouch())
    fold.note(PODS, InTouch())
    assert codes(fold.note(PODS, OutOfTouch("reset"))) == [ErrorCode.CLUSTER_UNREACHABLE]
    assert fold.note(NODES, OutOfTouch("reset")) == []
    assert fold.note(PODS, InTouch()) == []
    assert named(fold.note(NODES, InTouch())) == named([Cleared(CLUSTER), Synced()])


def test_a_cluster_that_was_reached_once_is_an_outage_each_time_that_it_goes_and_told_once() -> None:
    fold = touch(NODES)
    fold.answered()
    fold.note(NODES, InTouch())
    assert named(fold.note(NODES, OutOfTouch("reset"))) == named(
        [
            Fault(
                ErrorCode.CLUSTER_UNREACHABLE, "The cluster API can no longer be followed", "reset", CLUSTER
            ),
            Lost(),
        ]
    )
    assert named(fold.note(NODES, InTouch())) == named([Cleared(CLUSTER), Synced()])
    assert named(fold.note(NODES, OutOfTouch("again"))) == named(
        [
            Fault(
                ErrorCode.CLUSTER_UNREACHABLE, "The cluster API can no longer be followed", "again", CLUSTER
            ),
            Lost(),
        ]
    )
    assert fold.note(NODES, OutOfTouch("again")) == []
    assert fold.unreachable("again") == []


def test_an_address_that_never_answered_is_said_to_be_wrong_once() -> None:
    fold = touch(NODES)
    told = Fault(
        ErrorCode.CONNECTION_FAILED, "Unable to connect to the Kubernetes cluster", "refused", CLUSTER
    )
    assert named(fold.unreachable("refused")) == named([told])
    assert fold.unreachable("refused") == []
    fold.note(NODES, InTouch())
    assert named(fold.note(NODES, OutOfTouch("refused"))) == named([told, Lost()]), (
        "nothing said that it was reached"
    )


def test_an_outage_that_came_before_all_streams_were_there_loses_nothing() -> None:
    fold = touch(NODES, PODS)
    assert fold.note(NODES, Answered()) == []
    fold.note(NODES, InTouch())
    assert named(fold.note(PODS, OutOfTouch("reset"))) == named(
        [Fault(ErrorCode.CLUSTER_UNREACHABLE, "The cluster API can no longer be followed", "reset", CLUSTER)]
    )


def test_a_cause_that_changes_is_told_by_whoever_told_the_first_one() -> None:
    fold = touch(NODES, PODS)
    fold.note(NODES, Answered())
    told = Fault(
        ErrorCode.CLUSTER_UNREACHABLE, "The cluster API can no longer be followed", "refused", CLUSTER
    )
    assert named(fold.note(NODES, OutOfTouch("refused"))) == named([told])
    assert fold.note(PODS, OutOfTouch("no answer to pods")) == []
    assert fold.note(NODES, OutOfTouch("refused")) == []
    assert named(fold.note(NODES, OutOfTouch("401"))) == named([told._replace(details="401")])


def test_what_is_known_is_shown_as_stale_when_the_grace_for_what_cannot_be_listed_is_over() -> None:
    fold = touch(NODES, PODS)
    fold.note(PODS, InTouch())
    fold.note(NODES, OutOfTouch("500"))
    assert named(fold.grace_over()) == named([Synced(), Lost()])
    assert named(fold.note(NODES, InTouch())) == named([Cleared(CLUSTER), Synced()])


def test_a_list_that_is_under_way_is_waited_for_until_it_is_late() -> None:
    fold = touch(NODES, PODS, SHOP)
    fold.note(NODES, Answered())
    fold.note(NODES, InTouch())
    assert fold.grace_over() == []
    assert fold.awaited == [PODS, SHOP]
    assert fold.note(SHOP, InTouch()) == []
    assert fold.awaited == [PODS]
    late = fold.late(PODS, "nothing was heard")
    told = Fault(
        ErrorCode.CLUSTER_UNREACHABLE,
        "The cluster API can no longer be followed",
        "nothing was heard",
        CLUSTER,
    )
    assert named(late) == named([told, Synced(), Lost()])
    assert fold.awaited == []
    assert named(fold.note(PODS, InTouch())) == named([Cleared(CLUSTER), Synced()])
    fold.expect(NODES._replace(namespace="later"))
    assert fold.awaited == [], "nothing is withheld any more"


def test_the_cause_of_who_is_still_in_trouble_follows_when_the_first_is_out_of_it() -> None:
    fold = touch(NODES, PODS, SHOP)
    fold.answered()
    causes = [(NODES, "a page is too long"), (PODS, "refused"), (SHOP, "refused")]
    told = [report for stream, cause in causes for report in fold.note(stream, OutOfTouch(cause))]
    assert [report.details for report in told if isinstance(report, Fault)] == ["a page is too long"]
    assert [report.details for report in fold.note(NODES, InTouch()) if isinstance(report, Fault)] == [
        "refused"
    ]
    assert fold.note(PODS, InTouch()) == [], "the same cause is told once"
    assert named(fold.note(SHOP, InTouch())) == named([Cleared(CLUSTER), Synced()])


def test_a_cause_stands_as_long_as_who_told_it_is_in_trouble() -> None:
    fold = touch(NODES, PODS, SHOP)
    fold.note(NODES, OutOfTouch("one"))
    fold.note(PODS, OutOfTouch("two"))
    fold.note(SHOP, OutOfTouch("three"))
    assert fold.note(PODS, InTouch()) == []
    assert [each.details for each in fold.note(NODES, InTouch()) if isinstance(each, Fault)] == ["three"]


def test_the_cause_is_passed_on_too_by_one_that_is_refused_or_no_longer_watched() -> None:
    for ended in ("refused", "forgotten"):
        fold = touch(NODES, PODS, SHOP)
        fold.note(NODES, InTouch())
        fold.note(PODS, OutOfTouch("one"))
        fold.note(SHOP, OutOfTouch("two"))
        reports = fold.note(PODS, Forbidden("list", "no")) if ended == "refused" else fold.forget(PODS)
        assert [each.details for each in reports if isinstance(each, Fault) and each.subject == CLUSTER] == [
            "two"
        ]


def test_a_list_of_several_that_are_under_way_is_waited_for() -> None:
    fold = touch(NODES, PODS, SHOP)
    fold.note(NODES, InTouch())
    assert fold.grace_over() == []
    assert fold.note(SHOP, InTouch()) == []
    assert named(fold.note(PODS, OutOfTouch("500"))[1:]) == named([Synced(), Lost()])
    assert fold.note(PODS, OutOfTouch("500")) == []


def test_with_nothing_to_show_the_end_of_the_grace_shows_nothing() -> None:
    fold = touch(NODES)
    fold.note(NODES, OutOfTouch("refused"))
    assert fold.grace_over() == []
    assert named(fold.note(NODES, InTouch())) == named([Cleared(CLUSTER), Synced()])
    assert fold.grace_over() == [], "it was synced: what comes later is an outage"


def test_credentials_to_refresh_are_nothing_to_tell() -> None:
    assert touch(NODES).note(NODES, Unauthorized()) == []


def test_a_stream_that_is_expected_again_is_as_it_was() -> None:
    fold = touch(NODES)
    fold.note(NODES, InTouch())
    fold.expect(NODES)
    fold.expect(PODS)
    assert fold.note(PODS, InTouch()) == []
    assert fold.forget(NODES) == []
    assert fold.forget(PODS) == [], "with no stream there is nothing to be in touch with"
    assert fold.forget(SHOP) == []


def test_what_was_missing_for_a_stream_that_is_forgotten_is_no_longer_missing() -> None:
    fold = touch(NODES, SHOP)
    fold.note(SHOP, Forbidden("list", "no"))
    fold.note(SHOP, Forbidden("watch", "no"))
    fold.note(NODES, InTouch())
    assert named(fold.forget(SHOP)) == named(
        [
            Cleared("permission:list:pods:shop"),
            Cleared("permission:watch:pods:shop"),
        ]
    )


def test_what_is_denied_once_it_was_seen_is_stale_and_the_others_are_not() -> None:
    fold = touch(NODES, PODS)
    fold.note(NODES, InTouch())
    fold.note(PODS, InTouch())
    told = Fault(
        ErrorCode.PERMISSION_DENIED,
        "Insufficient RBAC permissions to watch pods; what was seen of them before is stale",
        "Missing 'watch' permission on 'pods' at the cluster scope",
        "permission:watch:pods",
        stale=True,
    )
    assert named(fold.note(PODS, Forbidden("watch", "no", holds=True))) == named([told])
    assert fold.note(PODS, Forbidden("watch", "no", holds=True)) == []
    fresh = told._replace(message="Insufficient RBAC permissions to watch pods", stale=False)
    assert named(fold.note(PODS, Forbidden("watch", "no", holds=False))) == named([fresh])
    assert named(fold.note(NODES, Forbidden("watch", "no"))[1:]) == named([Lost()])
    assert fold.note(NODES, Forbidden("watch", "no")) == []
    assert named(fold.note(NODES, Allowed("watch"))) == named([Cleared("permission:watch:nodes")])
    assert named(fold.note(NODES, InTouch())) == named([Synced()])


def test_a_missing_permission_is_told_once_in_the_words_of_the_contract() -> None:
    fold = touch(NODES, SHOP)
    [fault] = fold.note(SHOP, Forbidden("watch", "no"))
    assert isinstance(fault, Fault)
    assert fault.code is ErrorCode.PERMISSION_DENIED
    assert fault.message == "Insufficient RBAC permissions to watch pods"
    assert fault.details == "Missing 'watch' permission on 'pods' in namespace 'shop'"
    assert fold.note(SHOP, Forbidden("watch", "no")) == []
    assert named(fold.note(NODES, InTouch())) == named([Synced()])
    assert fold.note(SHOP, Allowed("list")) == []
    assert named(fold.note(SHOP, Allowed("watch"))) == named([Cleared(fault.subject)])


def test_with_everything_denied_there_is_no_state_and_what_was_there_is_stale() -> None:
    fold = touch(NODES)
    assert [type(report) for report in fold.note(NODES, Forbidden("list", "no"))] == [Fault]
    fold.note(NODES, InTouch())
    assert [type(report) for report in fold.note(NODES, Forbidden("watch", "no"))] == [Fault, Lost]


def test_a_stream_that_is_no_longer_watched_is_not_waited_for() -> None:
    fold = touch(NODES, SHOP)
    fold.note(NODES, InTouch())
    assert named(fold.forget(SHOP)) == named([Synced()])


def test_a_watch_error_names_the_stream_and_changes_nothing() -> None:
    fold = touch(SHOP)
    fold.note(SHOP, InTouch())
    [fault] = fold.note(SHOP, Broken("500 store"))
    assert isinstance(fault, Fault)
    assert fault.code is ErrorCode.WATCH_ERROR
    assert fault.message == (
        "A watch of pods in namespace 'shop' ended in an error and is repaired by a list"
    )
    assert (fault.details, fault.subject) == ("500 store", ""), "a moment, and no state"
    [fault] = touch(PODS).note(PODS, Broken("500 store"))
    assert isinstance(fault, Fault)
    assert (fault.message, fault.subject) == (
        "A watch of pods ended in an error and is repaired by a list",
        "",
    )


def test_a_cause_that_somebody_else_has_told_is_shortened() -> None:
    cut = "x" * 1000 + "…"
    [fault] = faults(touch(SHOP).note(SHOP, Broken("x" * 2000)))
    assert fault.details == cut
    [fault] = faults(touch(SHOP).unreachable("x" * 2000))
    assert fault.details == cut
    fold = touch(SHOP, NODES)
    fold.note(NODES, OutOfTouch("y"))
    fold.note(SHOP, OutOfTouch("x" * 2000))
    [fault] = faults(fold.note(NODES, InTouch()))
    assert fault.details == cut, "passed on to the next one that is in trouble"
    assert fold.note(SHOP, OutOfTouch("x" * 3000)) == [], "the same as before, as far as it is told"


def test_a_state_that_is_complete_is_not_shown_a_second_time_for_what_was_missing_at_first() -> None:
    fold = touch(NODES, PODS)
    fold.note(NODES, InTouch())
    fold.note(PODS, OutOfTouch("500"))
    assert named(fold.grace_over()) == named([Synced(), Lost()])
    fold.note(PODS, InTouch())
    lost = fold.note(PODS, OutOfTouch("500"))
    assert [type(report) for report in lost] == [Fault, Lost]


def test_a_state_that_was_complete_in_time_is_not_shown_a_second_time_in_an_outage() -> None:
    fold = touch(NODES, PODS)
    fold.note(NODES, InTouch())
    assert named(fold.note(PODS, InTouch())) == named([Synced()])
    assert fold.grace_over() == []
    assert [type(report) for report in fold.note(PODS, OutOfTouch("500"))] == [Fault, Lost]


def test_what_cannot_be_asked_is_the_fault_that_protocol_and_clients_know() -> None:
    [fault] = touch(NODES).unreachable("refused")
    assert isinstance(fault, Fault)
    assert fault.subject == "cluster"


def test_one_fault_says_that_no_namespace_may_be_read_and_an_exception_makes_the_others_worth_saying() -> (
    None
):
    shops = [Stream(Kind.POD, f"shop-{number}") for number in range(3)]
    fold = touch(NODES, PODS, *shops)
    fold.note(NODES, InTouch())
    assert [fault.subject for fault in faults(fold.note(PODS, Forbidden("list", "no")))] == [
        "permission:list:pods"
    ]
    for shop in shops:
        assert faults(fold.note(shop, Forbidden("list", "no"))) == []
    assert fold.note(shops[0], Allowed("list")) == []
    told = fold.note(shops[0], InTouch())
    assert [fault.subject for fault in faults(told)] == [
        "permission:list:pods:shop-1",
        "permission:list:pods:shop-2",
    ]
    told = fold.note(shops[0], Forbidden("list", "no"))
    assert named(told) == named([Cleared(f"permission:list:pods:shop-{number}") for number in (1, 2)])


def test_what_is_shown_and_no_longer_followed_is_said_of_each_namespace() -> None:
    fold = touch(NODES, PODS, SHOP)
    fold.note(PODS, Forbidden("list", "no"))
    [told] = faults(fold.note(SHOP, Forbidden("list", "no", holds=True)))
    assert (told.subject, told.stale) == ("permission:list:pods:shop", True)
    assert named(fold.note(SHOP, Forbidden("list", "no"))) == named([Cleared(told.subject)])


def test_a_namespace_that_was_asked_for_by_name_is_said_to_be_refused() -> None:
    """Nothing was refused for the whole cluster: nobody asked for it. Nor do nodes say anything of pods."""
    fold = touch(NODES, SHOP)
    fold.note(NODES, Forbidden("list", "no"))
    assert [fault.subject for fault in faults(fold.note(SHOP, Forbidden("list", "no")))] == [
        "permission:list:pods:shop"
    ]


def test_when_all_of_a_kind_is_allowed_again_nothing_of_its_namespaces_is_left() -> None:
    fold = touch(NODES, PODS, SHOP, Stream(Kind.POD, "web"))
    fold.note(PODS, Forbidden("list", "no"))
    fold.note(Stream(Kind.POD, "web"), InTouch())
    assert [fault.subject for fault in faults(fold.note(SHOP, Forbidden("watch", "no")))] == [
        "permission:watch:pods:shop"
    ]
    assert named(fold.note(PODS, Allowed("list"))) == named([Cleared("permission:list:pods")])
    assert named(fold.forget(SHOP)) == named([Cleared("permission:watch:pods:shop")])
