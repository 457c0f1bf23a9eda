"""The reflector, fed by hand: watches, their versions, their ends and their silence."""

from __future__ import annotations

from itertools import pairwise

import pytest

from kstream.core.watching.contact import Contact
from kstream.core.watching.inventory import Inventory
from kstream.core.watching.reflection import Failure, Get, Moment, OutOfTouch
from kstream.core.watching.reflector import Reflector
from tests.core.watching.driven import PODS, Driven
from tests.making import named
from tests.scripted import bookmark, error, line, pod


def test_a_watch_goes_on_from_the_version_of_the_list_and_asks_for_bookmarks() -> None:
    driven = Driven()
    driven.ask()
    driven.page("a", version="100")
    get = driven.ask()
    assert get.watch
    assert get.within == 30.0
    assert {**get.query, "timeoutSeconds": ""} == {
        "watch": "true",
        "allowWatchBookmarks": "true",
        "resourceVersion": "100",
        "timeoutSeconds": "",
    }
    assert 300 <= int(get.query["timeoutSeconds"]) <= 600


@pytest.mark.parametrize(
    ("sent", "version"),
    [
        (line("ADDED", pod("b", "101")), "101"),
        (line("MODIFIED", pod("a", "102")), "102"),
        (line("DELETED", pod("a", "103")), "103"),
        (bookmark("104"), "104"),
        (line("SOMETHING", pod("b", "105")), "100"),
        (line("BOOKMARK", {"kind": "Pod"}), "100"),
        (line("ADDED", {"kind": "Pod"}), "100"),
        (b"\n", "100"),
    ],
)
def test_the_version_advances_with_events_and_bookmarks_only(sent: bytes, version: str) -> None:
    """LISTWATCH 3, 13."""
    driven = Driven().watching("a")
    driven.send(sent)
    assert driven.version == version
    driven.now += 5
    driven.fail(Failure.CUT)
    assert driven.ask().query["resourceVersion"] == version


def test_a_bookmark_is_no_event() -> None:
    driven = Driven().watching("a")
    driven.send(bookmark("104"))
    assert driven.events == []


def test_events_come_in_their_order_however_they_are_cut() -> None:
    driven = Driven().watching("a")
    text = b"".join(line("ADDED", pod(name, f"{i}")) for i, name in enumerate(("é", "漢", "c"), 101))
    driven.send(*(bytes([byte]) for byte in text))
    driven.send(b"".join(line("DELETED", pod(name, "110")) for name in ("é", "漢", "c")))
    assert driven.events == [f"{verb} {name}" for verb in ("ADDED", "DELETED") for name in ("é", "漢", "c")]


def test_a_repetition_and_an_older_state_are_nothing_and_move_no_version() -> None:
    driven = Driven().watching("a")
    driven.send(line("ADDED", pod("b", "101")), line("ADDED", pod("b", "101")))
    assert driven.events == ["ADDED b"]
    driven.send(line("MODIFIED", pod("b", "102")), line("MODIFIED", pod("a", "103")))
    driven.send(line("ADDED", pod("b", "101")), line("MODIFIED", pod("a", "1")))
    assert driven.events == ["ADDED b", "MODIFIED b", "MODIFIED a"]
    assert driven.version == "103"


def test_what_was_deleted_is_not_brought_back_by_an_older_state() -> None:
    driven = Driven().watching("a")
    driven.send(line("DELETED", pod("a", "101")), line("ADDED", pod("a", "1")))
    assert driven.events == ["DELETED a"]


def test_after_a_list_an_old_version_may_be_the_present_one() -> None:
    """Versions go back when etcd is restored."""
    driven = Driven().watching("a")
    driven.send(line("MODIFIED", pod("a", "101")), error(410, "Expired"))
    driven.ask()
    driven.page("a", version="5", versions="3")
    driven.ask()
    driven.open()
    driven.send(line("MODIFIED", pod("a", "1")))
    assert driven.events == ["MODIFIED a", "MODIFIED a", "MODIFIED a"]


@pytest.mark.parametrize("learned", ["from the watch", "from a list", "from its name used again"])
def test_what_is_gone_is_not_brought_back_by_a_watch_however_that_was_learned(learned: str) -> None:
    """Versions have no order; a uid that is gone is never given again."""
    driven = Driven().watching("a")
    if learned == "from the watch":
        driven.send(line("DELETED", pod("a", "101")))
    if learned == "from its name used again":
        driven.send(
            line("ADDED", pod("a", "101", uid="another")), line("DELETED", pod("a", "102", uid="another"))
        )
    before = [*driven.events, "DELETED a"] if learned == "from a list" else driven.events
    driven.send(error(410, "Expired"))
    driven.ask()
    driven.page(version="110")
    driven.ask()
    driven.open()
    driven.send(line("ADDED", pod("a", "90")), line("MODIFIED", pod("a", "1")))
    assert driven.events == before


def test_what_was_deleted_is_back_when_a_list_says_so() -> None:
    """etcd was restored from a time when it was there."""
    driven = Driven().watching("a")
    driven.send(line("DELETED", pod("a", "101")), error(410, "Expired"))
    driven.ask()
    driven.page("a", version="5", versions="3")
    driven.ask()
    driven.open()
    driven.send(line("MODIFIED", pod("a", "6")))
    assert driven.events == ["DELETED a", "ADDED a", "MODIFIED a"]


def test_a_name_used_again_is_another_object() -> None:
    """LISTWATCH 8; the DELETED of the first was missed."""
    driven = Driven().watching("a")
    driven.send(line("ADDED", pod("a", "105", uid="another")))
    assert driven.events == ["DELETED a", "ADDED a"]
    driven.send(line("DELETED", pod("a", "106", uid="another")))
    assert driven.events == ["DELETED a", "ADDED a", "DELETED a"]


@pytest.mark.parametrize("size", [3, 5])
def test_an_object_of_megabytes_is_an_object(size: int) -> None:
    driven = Driven().watching()
    big = pod("big", "101")
    big["metadata"]["annotations"] = {"note": "x" * (size * 2**20)}
    driven.send(line("ADDED", big))
    assert driven.events == ["ADDED big"]


def test_a_clean_end_is_watched_on_at_once_from_the_same_version() -> None:
    driven = Driven().watching("a")
    driven.now += 300
    driven.end()
    assert driven.waits() == 0.0
    assert driven.ask().query["resourceVersion"] == "100"
    assert named(driven.notes) == named([])


def test_an_end_within_a_second_and_without_an_event_is_a_failure_each_time() -> None:
    driven = Driven().watching("a")
    waits = []
    for _ in range(4):
        driven.end()
        waits.append(driven.waits())
        driven.ask()
        driven.open()
    assert all(later > earlier for earlier, later in pairwise(waits))
    assert waits[0] >= 0.8


def test_an_end_within_a_second_after_an_event_is_none() -> None:
    driven = Driven().watching("a")
    driven.send(bookmark("101"))
    driven.end()
    assert driven.waits() == 0.0


def test_a_torn_tail_is_dropped_and_sent_again_by_the_next_watch() -> None:
    driven = Driven().watching("a")
    driven.now += 10
    driven.send(line("ADDED", pod("b", "101")) + line("ADDED", pod("c", "102"))[:30])
    driven.fail(Failure.CUT)
    assert driven.events == ["ADDED b"]
    assert driven.ask().query["resourceVersion"] == "101"
    driven.open()
    driven.send(line("ADDED", pod("c", "102")))
    assert driven.events == ["ADDED b", "ADDED c"]


def test_silence_is_70_s_once_a_bookmark_was_seen() -> None:
    driven = Driven().watching("a")
    assert driven.reflector.patience >= 330.0
    driven.send(bookmark("101"))
    assert driven.reflector.patience == 70.0
    driven.fail(Failure.SILENT)
    assert not driven.said(OutOfTouch)
    assert driven.waits() == 0.0
    assert driven.ask().query["resourceVersion"] == "101"


def test_a_watch_that_says_nothing_at_all_is_doubted() -> None:
    """An etcd restore takes versions back: a watch from the future is silent for ever."""
    driven = Driven().watching("a")
    driven.send(bookmark("101"))
    driven.now += 300
    driven.end()
    driven.ask()
    driven.open()
    driven.now += 70
    driven.fail(Failure.SILENT)
    assert driven.ask().query == {"limit": "500"}


def test_a_server_that_is_only_quiet_is_listed_ever_more_seldom() -> None:
    """A real one was seen to send no bookmark for 94 s when nothing had changed at all."""
    driven = Driven().watching("a")
    driven.send(bookmark("101"))
    driven.now += 300
    driven.end()
    listed = []
    for watch in range(1, 17):
        driven.ask()
        driven.open()
        driven.now += 70
        driven.fail(Failure.SILENT)
        if "watch" not in driven.reflector.next_request(driven.moment).query:  # type: ignore[union-attr]
            listed.append(watch)
            driven.page("a", version="101")
    assert listed == [1, 2, 4, 8, 16]
    assert driven.events == []


def test_headers_that_do_not_come_are_a_failure() -> None:
    driven = Driven().watching("a")
    driven.now += 300
    driven.end()
    driven.ask()
    driven.fail(Failure.LATE)
    assert driven.said(OutOfTouch)
    assert driven.waits() >= 0.8
    assert driven.ask().query["resourceVersion"] == "100"


@pytest.mark.parametrize(("lasted", "failed"), [(0.0, True), (0.9, True), (1.0, False), (1.1, False)])
@pytest.mark.parametrize("cut", [True, False])
def test_a_watch_that_lasted_a_second_has_not_failed(lasted: float, failed: bool, cut: bool) -> None:
    """LISTWATCH 7."""
    driven = Driven().watching("a")
    driven.now += lasted
    driven.fail(Failure.CUT) if cut else driven.end()
    cause = "cut" if cut else "the watch ended as soon as it began"
    assert named(driven.notes) == named([OutOfTouch(cause)] if failed else [])
    assert (driven.waits() >= 0.8) is failed


@pytest.mark.parametrize(("lasted", "doubted"), [(70.0, False), (70.5, True)])
def test_a_watch_that_ends_is_doubted_when_a_bookmark_should_have_come(lasted: float, doubted: bool) -> None:
    driven = Driven().watching("a")
    driven.send(bookmark("101"))
    driven.now += 300
    driven.end()
    driven.ask()
    driven.open()
    driven.now += lasted
    driven.end()
    assert ("watch" not in driven.ask().query) is doubted


def test_without_bookmarks_silence_is_nothing_to_doubt() -> None:
    driven = Driven().watching("a")
    driven.now += 700
    driven.fail(Failure.SILENT)
    assert driven.ask().query["resourceVersion"] == "100"


def test_one_byte_ends_a_row_of_silent_watches() -> None:
    driven = Driven().watching()
    driven.send(bookmark("100"))
    driven.now += 70
    driven.fail(Failure.SILENT)
    for word in (b"", b"", b"{", b""):
        get = driven.ask()
        if not get.watch:
            driven.page(version="100")
            driven.ask()
        driven.open()
        if word:
            driven.send(word)
        driven.now += 70
        driven.fail(Failure.SILENT)
    # The 1st and the 2nd of the row were doubted; the 3rd would not be, were it not the 1st of another.
    assert driven.reflector.freshness(driven.moment).lists == 3
    assert driven.ask().query == {"limit": "500"}


def test_a_watch_is_patient_for_half_a_minute_beyond_what_it_asked_for() -> None:
    driven = Driven()
    driven.ask()
    driven.page("a")
    asked = int(driven.ask().query["timeoutSeconds"])
    assert driven.reflector.patience == asked + 30.0


def test_an_answer_to_a_watch_that_a_torn_line_ends_is_no_word() -> None:
    driven = Driven().watching("a")
    driven.send(b'{"type":')
    driven.end()
    assert driven.said(OutOfTouch)


def test_a_repetition_is_counted_once_and_an_object_whose_name_is_used_again_not_at_all() -> None:
    driven = Driven().watching("a")
    driven.send(line("MODIFIED", pod("a", "1")))
    assert driven.reflector.freshness(driven.moment).suppressed == 1
    driven.send(line("ADDED", pod("a", "101", uid="another")))
    fresh = driven.reflector.freshness(driven.moment)
    assert (fresh.suppressed, fresh.events) == (1, 3)


def test_watches_that_end_after_a_word_are_opened_once_a_second_at_most() -> None:
    driven = Driven().watching("a")
    waits = []
    for number in range(3):
        driven.send(line("MODIFIED", pod("a", str(101 + number))))
        driven.now += 0.25
        driven.end()
        waits.append(driven.waits())
        driven.ask()
        driven.open()
    assert waits == [0.0, 0.75, 0.75]
    driven.now += 1.0
    driven.end()
    assert driven.waits() == 0.0
    assert not driven.said(OutOfTouch)


def test_what_one_watch_heard_says_nothing_of_the_next() -> None:
    driven = Driven().watching("a")
    driven.send(bookmark("101"))
    driven.end()
    assert named(driven.notes) == []
    driven.ask()
    driven.open()
    driven.notes.clear()
    driven.end()
    assert named(driven.notes) == named([OutOfTouch("the watch ended as soon as it began")])


@pytest.mark.parametrize(("chance", "timeout"), [(0.0, 300), (0.5, 450), (0.9999999, 600)])
def test_a_watch_asks_for_five_to_ten_minutes(chance: float, timeout: int) -> None:
    class Dice:
        def random(self) -> float:
            return chance

    reflector = Reflector(PODS, Inventory(PODS.kind), contact=Contact(), rng=Dice(), watch_list=True)
    asked = reflector.next_request(Moment(0.0, 0.0))
    assert isinstance(asked, Get)
    assert asked.query["timeoutSeconds"] == str(timeout)


def test_the_head_of_a_response_is_a_word_of_the_cluster() -> None:
    driven = Driven()
    driven.ask()
    driven.now += 5
    driven.open()
    assert driven.reflector.freshness(driven.moment).last_byte == 1005.0


def test_what_comes_after_an_older_state_told_again_is_taken() -> None:
    driven = Driven().watching("a")
    driven.send(line("MODIFIED", pod("a", "101")))
    driven.events.clear()
    driven.send(line("MODIFIED", pod("a", "1")) + line("ADDED", pod("b", "102")))
    assert driven.events == ["ADDED b"]


def test_half_a_line_commits_no_version() -> None:
    driven = Driven().watching("a")
    driven.version = None
    driven.send(b'{"type":')
    assert driven.version is None
    driven.send(bookmark("105")[len(b'{"type":') :])
    assert driven.version == "105"


def test_only_a_bookmark_makes_bookmarks_be_expected() -> None:
    driven = Driven().watching("a")
    driven.send(line("SOMETHING", pod("b", "105")))
    assert driven.reflector.patience >= 330.0
    driven.send(bookmark("106"))
    assert driven.reflector.patience == 70.0
