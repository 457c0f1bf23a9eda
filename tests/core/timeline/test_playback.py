"""Recorded time against the watcher's time."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kstream.core.errors import InvalidMessageError
from kstream.core.timeline.playback import MAX, Playback, PlaybackState, speed_of

START, END = 1_750_000_000.0, 1_750_000_600.0


def playback(**settings: object) -> Playback:
    return Playback(**{"start": START, "end": END, "now": 0.0} | settings)  # type: ignore[arg-type]  # by name


def test_a_timeline_is_in_one_of_three_states_of_the_protocol() -> None:
    assert [state.value for state in PlaybackState] == ["playing", "paused", "ended"]


def test_at_speed_one_recorded_time_passes_as_time_does() -> None:
    assert playback().position(12.5) == START + 12.5


def test_at_speed_ten_an_event_a_minute_away_is_due_in_six_seconds() -> None:
    assert playback(speed=10.0).wait(0.0, START + 60) == pytest.approx(6)
    assert playback(speed=10.0).wait(6.0, START + 60) == 0


def test_at_full_speed_everything_is_due_at_once_and_time_goes_with_the_events() -> None:
    played = playback(speed=MAX)
    assert played.wait(0.0, START + 500) == 0
    assert played.position(100.0) == START
    played.reached(0.0, START + 500)
    assert played.position(100.0) == START + 500


def test_a_paused_timeline_stands_still_and_goes_on_from_there() -> None:
    played = playback()
    played.pause(10.0)
    assert played.wait(50.0, START + 11) is None
    assert played.position(1000.0) == START + 10
    played.play(1000.0)
    assert played.position(1005.0) == START + 15


def test_pausing_twice_or_playing_twice_changes_nothing() -> None:
    played = playback()
    played.play(5.0)
    played.pause(10.0)
    played.pause(20.0)
    assert played.position(30.0) == START + 10


def test_another_speed_counts_from_where_the_timeline_is() -> None:
    played = playback()
    played.set_speed(10.0, 4.0)
    assert played.position(15.0) == START + 30


def test_a_seek_moves_within_the_bounds_and_keeps_a_pause() -> None:
    played = playback(paused=True)
    played.seek(1.0, START + 100)
    assert played.position(9.0) == START + 100
    played.seek(1.0, START - 100)
    assert played.position(9.0) == START
    played.seek(1.0, END + 100)
    assert (played.position(9.0), played.state) == (END, PlaybackState.PAUSED)


def test_the_position_never_passes_the_end() -> None:
    assert playback().position(10_000.0) == END


def test_a_long_silence_lasts_only_max_gap() -> None:
    played = playback(speed=2.0, max_gap=10.0)
    played.reached(0.0, START)
    assert played.wait(0.0, START + 300) == pytest.approx(5)
    assert played.wait(5.0, START + 300) == 0
    played.reached(5.0, START + 300)
    assert played.position(6.0) == START + 302
    assert played.wait(5.0, START + 304) == pytest.approx(2)


def test_a_pause_in_a_shortened_silence_does_not_shorten_it_further() -> None:
    played = playback(max_gap=10.0)
    played.pause(4.0)
    played.play(100.0)
    assert played.wait(100.0, START + 300) == pytest.approx(6)


def test_the_end_is_the_end_until_play_which_starts_over() -> None:
    played = playback()
    assert played.finish(600.0) is False
    assert (played.state, played.position(700.0), played.wait(700.0, END)) == (PlaybackState.ENDED, END, None)
    played.play(800.0)
    assert (played.state, played.position(801.0)) == (PlaybackState.PLAYING, START + 1)


def test_a_seek_after_the_end_plays_on() -> None:
    played = playback()
    played.finish(600.0)
    played.seek(700.0, START + 50)
    assert (played.state, played.position(701.0)) == (PlaybackState.PLAYING, START + 51)


def test_a_loop_starts_over_by_itself() -> None:
    played = playback(loop=True)
    assert played.finish(600.0) is True
    assert (played.state, played.position(601.0)) == (PlaybackState.PLAYING, START + 1)


def test_a_loop_around_nothing_ends() -> None:
    assert playback(end=START, loop=True).finish(0.0) is False


def test_a_recorder_whose_clock_went_back_does_not_take_the_timeline_back() -> None:
    played = playback()
    assert played.wait(10.0, START + 5) == 0
    played.reached(10.0, START + 5)
    assert played.position(10.0) == START + 10


def test_a_recording_that_grows_is_played_on_from_where_it_is() -> None:
    played = playback()
    played.extend(700.0, END + 60)
    assert (played.end, played.position(700.0)) == (END + 60, END), "it waited at the end"
    assert played.position(710.0) == END + 10
    played.extend(710.0, END + 30)
    assert (played.end, played.position(710.0)) == (END + 60, END + 10), "a recording does not shrink there"


def test_whoever_was_in_a_part_that_is_gone_is_where_the_recording_now_starts() -> None:
    played = playback()
    played.cut(10.0, START + 5)
    assert (played.start, played.position(10.0)) == (START + 5, START + 10), "that is still there"
    played.cut(10.0, START + 10)
    assert (played.start, played.position(11.0)) == (START + 10, START + 11)
    played.cut(11.0, START + 100)
    assert (played.start, played.position(11.0), played.position(12.0)) == (
        START + 100,
        START + 100,
        START + 101,
    )
    played.cut(12.0, START + 50)
    assert (played.start, played.end) == (START + 100, END), "what is gone does not come back"
    played.cut(12.0, END + 50)
    assert (played.start, played.end, played.position(12.0)) == (END + 50, END + 50, END + 50)


def test_a_cut_begins_a_silence_anew() -> None:
    played = playback(max_gap=10.0)
    played.cut(0.0, START + 100)
    assert played.wait(0.0, START + 300) == pytest.approx(10)


def test_a_recording_that_ends_before_it_starts_is_empty() -> None:
    assert playback(end=START - 5).end == START


def test_a_wait_of_less_than_a_tick_is_none() -> None:
    assert playback(start=0.0, end=10.0).wait(0.0, 0.001) == 0.0
    assert playback(start=0.0, end=10.0).wait(0.0, 0.002) == 0.002


def test_a_seek_begins_a_silence_anew_and_an_older_event_does_not() -> None:
    played = playback(max_gap=10.0)
    played.seek(0.0, START + 100)
    assert played.wait(0.0, START + 300) == pytest.approx(10)
    played.reached(4.0, START + 50)
    assert played.wait(4.0, START + 300) == pytest.approx(6)


def test_a_step_shows_what_it_went_to_and_no_more_than_the_end() -> None:
    played = playback(paused=True)
    played.reached(5.0, START + 30)
    assert played.position(9.0) == START + 30
    played.reached(9.0, END + 30)
    assert played.position(9.0) == END


def test_its_speed_is_what_was_set_last() -> None:
    played = playback(speed=2.0)
    assert played.speed == 2.0
    played.set_speed(1.0, MAX)
    assert played.speed == MAX
    assert played.position(100.0) == START + 2


def test_a_pause_after_the_end_leaves_it_ended_and_a_paused_loop_ends() -> None:
    played = playback()
    played.finish(600.0)
    played.pause(601.0)
    assert played.state is PlaybackState.ENDED
    paused = playback(loop=True, paused=True)
    assert (paused.finish(5.0), paused.state, paused.position(5.0)) == (False, PlaybackState.ENDED, END)


def test_it_describes_itself_as_the_playback_message() -> None:
    assert playback(speed=2.0).describe(5.0) == {
        "state": "playing",
        "speed": 2.0,
        "at": "2025-06-15T15:06:50.000Z",
        "start": "2025-06-15T15:06:40.000Z",
        "end": "2025-06-15T15:16:40.000Z",
    }
    assert playback(speed=MAX).describe(5.0)["speed"] == "max"


@pytest.mark.parametrize(("given_speed", "speed"), [("max", MAX), (2, 2.0), ("0.5", 0.5), (1e-3, 1e-3)])
def test_a_speed_is_a_number_above_zero_or_max(given_speed: float | str, speed: float) -> None:
    assert speed_of(given_speed) == speed


@pytest.mark.parametrize("wrong", [0, -1, "fast", "", math.inf, math.nan, "inf", 10**400])
def test_what_is_no_speed_is_refused_by_name(wrong: float | str) -> None:
    with pytest.raises(InvalidMessageError) as refused:
        speed_of(wrong)
    assert refused.value.details.startswith("speed: ")


@given(
    st.lists(st.floats(0, 600), min_size=1, max_size=30).map(sorted),
    st.sampled_from([0.1, 1.0, 7.5, 100.0, MAX]),
    st.one_of(st.none(), st.floats(0.5, 60)),
)
def test_waiting_as_told_brings_every_event_in_order_and_time_never_goes_back(
    times: list[float], speed: float, max_gap: float | None
) -> None:
    played = playback(speed=speed, max_gap=max_gap)
    now, shown = 0.0, START
    for time in times:
        while (wait := played.wait(now, START + time)) != 0:
            assert wait is not None
            if max_gap is not None:
                assert wait <= max_gap / speed + 1e-6
            now += wait
            assert shown <= (shown := played.position(now))
        played.reached(now, START + time)
        # Never early by more than what a clock can show, at the speed that is played.
        assert played.position(now) >= START + time - (0 if speed == MAX else 0.001 * speed + 1e-6)
        assert shown <= (shown := played.position(now))
    if max_gap is None and speed != MAX:
        assert now == pytest.approx(times[-1] / speed, abs=0.01)


def test_one_who_is_where_the_cut_is_waits_for_what_comes_as_before() -> None:
    playback = Playback(start=0, end=1000, now=0, max_gap=60)
    playback.reached(100, 100)
    playback.cut(150, 150)
    assert playback.wait(150, 500) == 10.0
