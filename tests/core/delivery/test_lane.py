from __future__ import annotations

from kstream.core.delivery.backlog import Backlog
from kstream.core.delivery.filters import EVERYTHING
from kstream.core.delivery.frames import text_frame
from kstream.core.delivery.lane import FOREVER, Lane
from kstream.core.delivery.limits import Limits, TokenBucket
from kstream.core.delivery.tally import Tally
from kstream.core.timeline.events import Verb
from tests.core.delivery import sessions
from tests.frames_reader import FrameReader
from tests.making import change, numbered, pod_key, take

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
        take(backlog, numbered([change(Verb.ADDED, pod_key(f"p{n}")) for n in range(count)]))
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
    take(backlog, numbered([change(Verb.ADDED, pod_key("a")), change(Verb.ADDED, pod_key("b"))]))
    frames = lane.events(0.0)
    assert frames is not None
    assert len(FrameReader().messages(frames[0])) == 2
    assert (lane.tally.messages, lane.tally.events) == (6, 6)
    assert lane.events(0.0) == ()


def test_a_fork_goes_its_own_way() -> None:
    backlog = backlog_of(0)
    lane = lane_on(backlog)
    alone = lane.fork()
    take(backlog, numbered([change(Verb.ADDED, pod_key("a"))]))
    assert lane.events(0.0)
    assert alone.behind == 1
    assert alone.bucket.level(0.0) == LIMITS.burst


def test_a_lane_that_fell_off_the_window_says_so_and_takes_no_token() -> None:
    backlog = Backlog(head=0, limits=Limits(window_events=5))
    lane = lane_on(backlog)
    for event in numbered([change(Verb.ADDED, pod_key(f"p{n}")) for n in range(20)]):
        take(backlog, [event])
    assert (lane.behind, lane.events(0.0)) == (-1, None)
    assert lane.bucket.level(0.0) == LIMITS.burst


def metrics() -> bytes:
    return text_frame(sessions.metrics(), 0)


def told(lane: Lane, now: float = 0.0) -> list[str]:
    frames = lane.events(now)
    assert frames is not None
    return [message["type"] for message in FrameReader().messages(b"".join(frames))]


def grow(backlog: Backlog, count: int) -> None:
    take(
        backlog,
        numbered([change(Verb.ADDED, pod_key(f"q{backlog.head + n}")) for n in range(count)], backlog.head),
    )


def test_metrics_cost_one_token_and_go_before_the_events_that_cost_theirs() -> None:
    backlog = backlog_of(0)
    lane = lane_on(backlog)
    lane.metrics = metrics()
    assert not lane.caught_up
    grow(backlog, 3)
    assert told(lane) == ["metrics", "pod_event", "pod_event", "pod_event"]
    assert lane.bucket.level(0.0) == LIMITS.burst - 4
    assert (lane.tally.messages, lane.tally.events, lane.cursor) == (4, 3, 3)
    assert lane.caught_up


def test_metrics_alone_are_told_alone_and_once() -> None:
    lane = lane_on(backlog_of(0))
    lane.metrics = metrics()
    assert lane.events(0.0) == (metrics(),)
    assert lane.events(0.0) == ()
    assert lane.bucket.level(0.0) == LIMITS.burst - 1
    assert lane.wait == FOREVER


def test_metrics_without_a_token_wait_and_take_none() -> None:
    backlog = backlog_of(0)
    lane = lane_on(backlog, spent=LIMITS.burst - LIMITS.reserve)
    lane.metrics = metrics()
    grow(backlog, 1)
    assert lane.events(0.0) == ()
    assert lane.wait == lane.bucket.ready_at(1, 0.0, keep=LIMITS.reserve)
    assert (lane.metrics, lane.cursor, lane.bucket.level(0.0)) == (metrics(), 0, LIMITS.reserve)
    assert told(lane, lane.wait) == ["metrics"]
    assert lane.tally.waits == 1, "the event waits on"


def test_events_that_do_not_fit_go_as_one_batch_for_one_token() -> None:
    backlog = backlog_of(0)
    lane = lane_on(backlog)
    lane.riders = 3
    grow(backlog, LIMITS.burst - LIMITS.reserve + 1)
    assert told(lane) == ["batch"]
    assert lane.bucket.level(0.0) == LIMITS.burst - 1
    tally = lane.tally
    assert (tally.messages, tally.batches, tally.batched, tally.events) == (3, 3, 46 * 3, 0)
    assert (sum(tally.batch_sizes.counts), tally.batch_sizes.total) == (3, 46.0 * 3)
    assert (lane.cursor, lane.wait, tally.waits) == (46, FOREVER, 0)


def test_as_many_events_as_there_are_tokens_go_one_by_one() -> None:
    backlog = backlog_of(0)
    lane = lane_on(backlog)
    grow(backlog, LIMITS.burst - LIMITS.reserve)
    assert told(lane) == ["pod_event"] * 45
    assert lane.bucket.level(0.0) == LIMITS.reserve


def test_without_a_token_events_wait_and_each_who_waits_is_counted() -> None:
    backlog = backlog_of(0)
    lane = lane_on(backlog, spent=45)
    lane.riders = 2
    grow(backlog, 1)
    assert lane.events(0.0) == ()
    assert (lane.tally.waits, lane.cursor) == (2, 0)
    assert lane.wait == lane.bucket.ready_at(1, 0.0, keep=LIMITS.reserve)
    assert told(lane, lane.wait) == ["pod_event"]


def test_a_batch_of_what_cancels_out_is_no_message_but_is_behind_one() -> None:
    backlog = backlog_of(0)
    lane = lane_on(backlog)
    keys = [pod_key(f"q{n}") for n in range(30)]
    take(backlog, numbered([change(verb, key) for verb in (Verb.ADDED, Verb.DELETED) for key in keys]))
    assert lane.events(0.0) == ()
    assert (lane.cursor, lane.tally.messages, lane.tally.batches, lane.tally.batched) == (60, 0, 0, 60)


def test_metrics_are_joined_with_the_first_part_of_a_large_batch_only() -> None:
    backlog = backlog_of(0)
    lane = lane_on(backlog)
    lane.metrics = metrics()
    changes = [change(Verb.ADDED, pod_key(f"q{n}"), note="x" * 900_000) for n in range(24)]
    changes += [change(Verb.ADDED, pod_key(f"r{n}")) for n in range(40)]
    take(backlog, numbered(changes))
    frames = lane.events(0.0)
    assert frames is not None
    kinds = [[message["type"] for message in FrameReader().messages(frame)] for frame in frames]
    assert kinds == [["metrics", "batch"], ["batch"], ["batch"]]
    assert frames[1:] == lane.view.batch(0, 0)[1:]


def test_a_fork_takes_along_what_waits() -> None:
    backlog = backlog_of(2)
    lane = lane_on(backlog, cursor=1, spent=7, bits=15)
    lane.metrics, lane.wait, lane.riders = metrics(), 4.0, 5
    alone = lane.fork()
    assert (alone.view, alone.bits, alone.cursor, alone.metrics, alone.wait) == (
        lane.view,
        15,
        1,
        metrics(),
        4.0,
    )
    assert (alone.riders, alone.tally, alone.bucket.level(0.0)) == (1, lane.tally, 43.0)


def test_a_lane_takes_only_who_waits_for_the_same_and_watches_the_same() -> None:
    backlog = backlog_of(2)
    lane, waiting = lane_on(backlog, cursor=1), lane_on(backlog, cursor=1)
    waiting.metrics = metrics()
    assert not lane.takes(waiting, 0.0)
    lane.metrics = waiting.metrics
    assert lane.takes(waiting, 0.0)
    elsewhere = lane_on(backlog_of(2), cursor=1)
    elsewhere.metrics = lane.metrics
    assert not lane.takes(elsewhere, 0.0)


def test_half_a_token_is_given_up_and_no_more() -> None:
    backlog = backlog_of(0)
    lane, other = lane_on(backlog, spent=10), lane_on(backlog, spent=10)
    other.bucket.take(-1, 0.0)
    assert not lane.takes(other, 0.0)
    half = TokenBucket(LIMITS.burst, 1.0, 0.0)
    half.take(10, 0.0)
    lane.bucket = half.copy()
    half.level(0.5)
    other.bucket = half
    lane.bucket.rate = 0.0
    assert lane.takes(other, 0.5)
    half.level(0.75)
    assert not lane.takes(other, 0.75)


def test_those_who_lost_events_are_taken_by_nobody() -> None:
    backlog = Backlog(head=0, limits=Limits(window_events=5))
    lane, other = lane_on(backlog), lane_on(backlog)
    assert lane.takes(other, 0.0)
    for event in numbered([change(Verb.ADDED, pod_key(f"p{n}")) for n in range(20)]):
        take(backlog, [event])
    assert (lane.behind, other.behind) == (-1, -1)
    assert not lane.takes(other, 0.0)


def test_one_at_the_edge_of_the_window_has_lost_nothing() -> None:
    backlog = Backlog(head=0, limits=Limits(window_events=5))
    view = backlog.open(EVERYTHING)
    for event in numbered([change(Verb.ADDED, pod_key(f"p{n}")) for n in range(20)]):
        take(backlog, [event])
    lane = lane_on(backlog, cursor=view.lost)
    assert lane.behind == view.count(view.lost) > 0
    assert told(lane) == ["pod_event"] * view.count(view.lost)
    assert lane_on(backlog, cursor=view.lost - 1).behind == -1


def test_a_message_costs_a_token_but_not_of_the_reserve() -> None:
    lane = lane_on(backlog_of(0), spent=44)
    lane.riders = 2
    assert lane.message(0.0)
    assert not lane.message(0.0)
    assert (lane.tally.messages, lane.bucket.level(0.0)) == (2, LIMITS.reserve)


def test_one_that_has_got_everything_is_not_behind_and_waits_for_nothing() -> None:
    backlog = Backlog(head=0)
    lane = lane_on(backlog, spent=LIMITS.burst - LIMITS.reserve)
    assert lane.behind == 0
    grow(backlog, 2)
    assert lane.behind == 2
    assert lane.events(0.0) == ()
    later = lane.wait
    assert 0.0 < later < FOREVER
    assert lane.events(later) != ()
    assert (lane.behind, lane.wait) == (0, FOREVER)
