"""The contract's reconnection strategy."""

from __future__ import annotations

from kstream.core.client.reconnect import (
    ATTEMPTS_BEFORE_ERROR,
    HEARTBEAT_INTERVAL,
    HEARTBEAT_TIMEOUT,
    Reconnect,
)


def test_waits_double_from_one_second_to_thirty() -> None:
    reconnect = Reconnect()
    waits = [reconnect.lost().wait] + [reconnect.attempt_failed().wait for _ in range(8)]
    assert waits == [1, 2, 4, 8, 16, 30, 30, 30, 30]


def test_a_first_connection_that_fails_waits_one_second_too() -> None:
    reconnect = Reconnect()
    assert [reconnect.attempt_failed().wait for _ in range(3)] == [1, 2, 4]


def test_the_error_is_for_the_user_after_five_failed_attempts() -> None:
    reconnect = Reconnect()
    retries = [reconnect.lost()] + [reconnect.attempt_failed() for _ in range(6)]
    assert [retry.show_error for retry in retries] == [False] * 5 + [True, True]
    assert [retry.failed for retry in retries] == [0, 1, 2, 3, 4, 5, 6]


def test_a_server_that_was_heard_starts_the_count_over() -> None:
    reconnect = Reconnect()
    for _ in range(9):
        reconnect.attempt_failed()
    reconnect.connected()
    assert reconnect.lost() == (1.0, 0)
    assert reconnect.attempt_failed() == (2.0, 1)


def test_a_server_that_asks_for_a_longer_wait_gets_it() -> None:
    reconnect = Reconnect()
    assert reconnect.attempt_failed(retry_after=60).wait == 60
    assert reconnect.attempt_failed(retry_after=0.5).wait == 2


def test_a_night_of_failures_still_waits_thirty_seconds() -> None:
    reconnect = Reconnect()
    for _ in range(5000):
        retry = reconnect.attempt_failed()
    assert retry.wait == 30


def test_a_loss_starts_the_count_over_whatever_was_before() -> None:
    reconnect = Reconnect()
    assert reconnect.attempt_failed() == (1.0, 1)
    reconnect.attempt_failed()
    assert reconnect.lost() == (1.0, 0)
    assert reconnect.attempt_failed() == (2.0, 1)


def test_the_contracts_numbers() -> None:
    assert (HEARTBEAT_INTERVAL, HEARTBEAT_TIMEOUT, ATTEMPTS_BEFORE_ERROR) == (30.0, 10.0, 5)
