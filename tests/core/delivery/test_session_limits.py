"""What a client says, how often it may, and that it has to answer."""

from __future__ import annotations

import pytest

from kstream.core.delivery.backlog import Backlog
from kstream.core.delivery.filters import EVERYTHING
from kstream.core.delivery.urgent import Word
from kstream.core.errors import InvalidMessageError
from tests.core.delivery.flushed import level
from tests.core.delivery.sessions import LIMITS, pods, pong, sent, session_on, synced
from tests.frames_reader import FrameReader
from tests.making import START, take


def test_bad_input_is_answered_and_changes_nothing() -> None:
    session = session_on(Backlog(head=0))
    session.receive(b"{", now=0.0, time=START)
    session.receive(b'{"type":"subscribe","namespaces":["No!"]}', now=0.0, time=START)
    errors = [message["error"] for message in sent(session, 0.0)]
    assert [error["code"] for error in errors] == ["INVALID_MESSAGE"] * 2
    assert "namespaces" in errors[1]["details"]
    assert session.view.filter == EVERYTHING


def test_a_client_past_its_limit_is_told_once_a_second_and_closed_after_ten() -> None:
    session = session_on(Backlog(head=0))
    told = 0
    now = 0.0
    while session.closing is None and now < 20:
        session.receive(b'{"type":"ping"}', now=now, time=START)
        told += sum(message["type"] == "error" for message in sent(session, now))
        now += 0.01
    assert session.closing is not None
    assert session.closing.code == 1008
    assert 9 <= told <= 12
    assert 10 <= now <= 12


def test_an_unanswered_ping_ends_the_connection_and_an_answered_one_does_not() -> None:
    silent, alive = session_on(Backlog(head=0)), session_on(Backlog(head=0))
    silent.wants_snapshot = alive.wants_snapshot = False
    for session in (silent, alive):
        assert session.due == LIMITS.heartbeat
        (frame,) = FrameReader().feed(session.flush(LIMITS.heartbeat))
        assert frame.opcode == 9
    alive.pong(0, now=LIMITS.heartbeat + 1, time=0.0)
    for session in (silent, alive):
        session.flush(LIMITS.heartbeat + LIMITS.heartbeat_timeout)
    assert alive.closing is None
    assert silent.closing is not None
    assert silent.closing.abort


def test_a_ping_costs_nothing_and_comes_with_what_is_due() -> None:
    backlog = Backlog(head=0)
    session = synced(backlog)
    take(backlog, pods(1))
    frames = FrameReader().feed(session.flush(30.0))
    assert [frame.opcode for frame in frames] == [9, 1]
    assert level(session, 30.0) == LIMITS.burst - 1
    assert session.due == 40.0
    assert session.flush(39.9) == b"", "not another one before this one is answered"
    session.pong(0, now=39.9, time=0.0)
    assert session.due == 69.9
    assert session.flush(69.8) == b""
    assert FrameReader().feed(session.flush(69.9)) == [(9, False, b"")]


def test_a_client_that_does_not_answer_is_cut_off() -> None:
    session = synced(Backlog(head=0))
    session.flush(30.0)
    session.flush(40.0)
    assert session.closing == (1011, "no answer to a ping", True)
    assert not session.plain


def test_a_ping_that_was_stuck_in_a_full_socket_can_be_answered_from_when_that_was_read() -> None:
    session = synced(Backlog(head=0))
    session.read_again(5.0)
    assert session.due == LIMITS.heartbeat, "none was sent"
    session.flush(30.0)
    session.read_again(39.0)
    assert session.due == 49.0
    session.flush(48.9)
    assert session.closing is None
    session.flush(49.0)
    assert session.closing is not None


def test_words_and_answers_go_as_the_burst_and_then_the_rate_allow() -> None:
    session = session_on(Backlog(head=0))
    session.flush(0.0)
    for number in range(64):
        session.tell(Word("", pong(number)))
    assert [int(message["timestamp"]) for message in sent(session, 0.0)] == list(range(50)), "the burst"
    assert session.due == session.lane.bucket.ready_at(1, 0.0)
    assert [int(message["timestamp"]) for message in sent(session, 2.0)] == list(range(50, 64))
    assert session.tally.messages == 64


def test_one_who_talks_too_much_is_told_when_to_go_on() -> None:
    session = session_on(Backlog(head=0))
    for _ in range(51):
        session.receive(b'{"type":"ping"}', now=0.0, time=START)
    assert (session.tally.received, session.tally.refused, session.tally.invalid) == (51, 1, 0)
    session.flush(0.0)
    (error,) = (message["error"] for message in sent(session, 60.0) if message["type"] == "error")
    assert error == {
        "code": "RATE_LIMITED",
        "message": "Too many messages: this one was dropped",
        "details": "At most 1000 messages a minute, 50 at once",
        "retryAfter": round(1 / LIMITS.rate, 3),
    }


def test_one_who_goes_on_is_closed_after_ten_seconds_and_one_who_pauses_begins_anew() -> None:
    session = session_on(Backlog(head=0))
    ended = []
    now = 0.0
    for pause in [2.0] * 15 + [1.0] * 10:
        now += pause
        for _ in range(100):
            session.receive(b"{}", now=now, time=START)
        ended.append(session.closing)
    assert ended == [None] * 24 + [(1008, "rate limit exceeded for too long", False)]
    assert session.tally.invalid + session.tally.refused == session.tally.received == 2500


def test_a_command_for_a_timeline_waits_for_whoever_moves_it_and_may_be_refused() -> None:
    session = session_on(Backlog(head=0))
    session.receive(b'{"type":"playback","action":"seek","at":"-5m","speed":2}', now=0.0, time=START)
    assert sent(session, 0.0) == []
    assert session.command is not None
    assert (session.command.action, session.command.at, session.command.speed) == ("seek", "-5m", 2.0)
    session.refuse(InvalidMessageError("That cannot be", "at: it is not there"), time=START)
    (message,) = sent(session, 0.0)
    assert message["error"] == {
        "code": "INVALID_MESSAGE",
        "message": "That cannot be",
        "details": "at: it is not there",
    }
    assert session.tally.invalid == 1


def test_a_warning_a_second_old_is_said_again() -> None:
    session = session_on(Backlog(head=0), now=100.0)
    told = []
    for now in (100.0, 100.5, 101.0):
        for _ in range(LIMITS.burst + 10):
            session.receive(b'{"type":"ping"}', now=now, time=START)
        messages = [*sent(session, now + 60.0), *sent(session, now + 60.4)]
        told.append([message["error"]["retryAfter"] for message in messages if message["type"] == "error"])
    assert [len(waits) for waits in told] == [1, 0, 1]
    assert all(0 < wait <= 1 / LIMITS.rate for waits in told for wait in waits)


def test_pings_of_the_connection_count_as_messages_do() -> None:
    session = session_on(Backlog(head=0))
    rests = [session.ping(4, now=0.0, time=START) for _ in range(LIMITS.burst + 2)]
    assert rests[: LIMITS.burst] == [0.0] * LIMITS.burst
    assert rests[LIMITS.burst :] == [pytest.approx(1 / LIMITS.rate, abs=1e-4)] * 2
    (error,) = sent(session, 0.0)
    assert error["error"]["code"] == "RATE_LIMITED"
    assert session.receive(b"{}", now=0.0, time=START) > 0


def test_a_message_that_is_too_long_is_not_looked_at_and_what_follows_is_read_slowly() -> None:
    session = session_on(Backlog(head=0))
    assert session.receive(b"[" * 10_000_000, now=0.0, time=START) == 0.0
    (error,) = sent(session, 0.0)
    assert error["error"]["code"] == "INVALID_MESSAGE"
    assert error["error"]["details"] == "It has 10000000 bytes; at most 65536 are looked at"
    assert session.receive(b"{}", now=0.0, time=START) == 0.5
    assert session.receive(b"{}", now=6.0, time=START) > 0
    assert session.receive(b"{}", now=7.0, time=START) == 0.0


def test_who_is_past_the_limit_by_a_little_is_read_again_soon() -> None:
    session = session_on(Backlog(head=0))
    for _ in range(LIMITS.burst):
        session.receive(b"{}", now=0.0, time=START)
    almost = 1 / LIMITS.rate - 0.001
    assert session.receive(b"{}", now=almost, time=START) == 0.05


def test_pongs_that_nobody_asked_for_count_as_messages_do() -> None:
    session = session_on(Backlog(head=0))
    assert [session.pong(4, now=1.0, time=START) for _ in range(50)] == [0.0] * 50
    assert session.pong(4, now=1.0, time=START) > 0
    assert [message["error"]["code"] for message in sent(session, 1.0)] == ["RATE_LIMITED"]


def test_a_pong_that_was_asked_for_counts_as_nothing() -> None:
    session = session_on(Backlog(head=0))
    for minute in range(200):
        now = minute * (LIMITS.heartbeat + 2)
        session.flush(now)
        assert session.asked is (minute > 0)
        assert session.pong(4, now=now + 1, time=START) == 0.0
    assert not session.asked
