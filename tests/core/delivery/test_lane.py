from __future__ import annotations

from kstream.core.delivery.backlog import Backlog
from kstream.core.delivery.filters import EVERYTHING
from kstream.core.delivery.lane import Lane
from kstream.core.delivery.limits import Limits, TokenBucket
from kstream.core.delivery.tally import Tally
from kstream.core.timeline.events import Verb
from tests.frames_reader import FrameReader
from tests.making import change, numbered, pod_key

LIMITS = Limits()


def lane_on(backlog: Backlog, *, cursor: int | None = None, spent: int = 0, bits: int = 0) -> Lane:
    bucket = TokenBucket(LIMITS.burst, LIMITS.rate, 0.0)
    bucket.take(spent, 0.0)
    return Lane(
        backlog.open(EVERYTHING),
        bits=bits,
        cursor=backlog.head if cursor is None else cursor,
        bucket=bucket,
        limits=LIMITS,
        tally=Tally(),
    )


def backlog_of(count: int) -> Backlog:
    backlog = Backlog(head=0)
    if count:
        backlog.append(numbered([change(Verb.ADDED, pod_key(f"p{n}")) for n in range(count)]))
    return backlog


def test_a_lane_takes_only_who_has_got_the_same() -> None:
    backlog = backlog_of(5)
    lane = lane_on(backlog, cursor=3)
    assert lane.takes(lane_on(backlog, cursor=3), 0.0)
    assert not lane.takes(lane_on(backlog, cursor=4), 0.0)
    assert not lane.takes(lane_on(backlog, cursor=3, bits=15), 0.0)


def test_a_lane_takes_nobody_with_fewer_tokens_and_nobody_who_would_lose_more_than_half_a_token() -> None:
    backlog = backlog_of(0)
    fuller, lane, emptier = (lane_on(backlog, spent=spent) for spent in (2, 3, 4))
    assert not lane.takes(emptier, 0.0)
    assert not lane.takes(fuller, 0.0)
    assert lane.takes(lane_on(backlog, spent=3), 0.0)
    later = 4 / LIMITS.rate + 1e-6
    assert lane.takes(emptier, later), "full buckets are alike"


def test_those_that_share_a_lane_are_counted_each() -> None:
    backlog = backlog_of(0)
    lane = lane_on(backlog)
    lane.riders = 3
    backlog.append(numbered([change(Verb.ADDED, pod_key("a")), change(Verb.ADDED, pod_key("b"))]))
    frames = lane.events(0.0)
    assert frames is not None
    assert len(FrameReader().messages(frames[0])) == 2
    assert (lane.tally.messages, lane.tally.events) == (6, 6)
    assert lane.events(0.0) == ()


def test_a_fork_goes_its_own_way() -> None:
    backlog = backlog_of(0)
    lane = lane_on(backlog)
    alone = lane.fork()
    backlog.append(numbered([change(Verb.ADDED, pod_key("a"))]))
    assert lane.events(0.0)
    assert alone.behind == 1
    assert alone.bucket.level(0.0) == LIMITS.burst


def test_a_lane_that_fell_off_the_window_says_so_and_takes_no_token() -> None:
    backlog = Backlog(head=0, max_events=5)
    lane = lane_on(backlog)
    for event in numbered([change(Verb.ADDED, pod_key(f"p{n}")) for n in range(20)]):
        backlog.append([event])
    assert (lane.behind, lane.events(0.0)) == (-1, None)
    assert lane.bucket.level(0.0) == LIMITS.burst
