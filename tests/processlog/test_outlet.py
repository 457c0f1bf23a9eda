"""Whoever does not read what is logged holds up nobody, and misses only what there was no room for."""

from __future__ import annotations

import os
import threading

from kstream.clock import SystemClock
from kstream.processlog.outlet import Outlet, write_to


class Reader:
    """Takes lines when it is let."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.began = threading.Event()
        self.free = threading.Event()

    def write(self, line: bytes) -> None:
        self.began.set()
        self.free.wait()
        self.lines.append(line)


def lost(count: int) -> list[bytes]:
    return [b"lost %d\n" % count] if count else []


def test_lines_come_out_in_order_and_all_of_them_before_the_end() -> None:
    reader = Reader()
    reader.free.set()
    outlet = Outlet(reader.write, lost, clock=SystemClock())
    for number in range(1000):
        outlet.put(b"%d\n" % number)
    outlet.close(within=60.0)
    assert reader.lines == [b"%d\n" % number for number in range(1000)]


def test_past_a_mebibyte_lines_are_lost_and_that_is_said() -> None:
    reader = Reader()
    outlet = Outlet(reader.write, lost, clock=SystemClock())
    outlet.put(b"first\n")
    reader.began.wait()
    for _ in range(20):
        outlet.put(b"x" * 2**17)  # returns at once, however little is taken
    reader.free.set()
    outlet.close(within=60.0)
    assert reader.lines == [b"first\n", *[b"x" * 2**17] * 8, b"lost 12\n"]


def test_the_end_does_not_wait_for_whoever_never_reads() -> None:
    reader = Reader()
    outlet = Outlet(reader.write, lost, clock=SystemClock())
    outlet.put(b"first\n")
    outlet.close(within=0.0)
    assert reader.lines == []
    reader.free.set()


def test_what_is_owed_is_asked_for_soon_after_it_was_said_to_come_and_at_the_end() -> None:
    owing = [[b"at the end\n"], [b"owed\n"]]
    reader = Reader()
    reader.free.set()
    outlet = Outlet(reader.write, lambda _: owing.pop() if owing else [], clock=SystemClock())
    outlet.remind()
    reader.began.wait()
    outlet.close(within=60.0)
    assert reader.lines == [b"owed\n", b"at the end\n"]


def test_a_descriptor_that_is_closed_ends_nothing() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    outlet = Outlet(lambda line: write_to(writing, line), lost, clock=SystemClock())
    for _ in range(3):
        outlet.put(b"x\n")
    outlet.close(within=60.0)
    os.close(writing)


def test_a_descriptor_that_does_not_block_gets_all_of_a_line() -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    data = b"x" * 2**18  # more than a pipe holds
    writer = threading.Thread(target=write_to, args=(writing, data))
    writer.start()
    found = b""
    while len(found) < len(data):
        found += os.read(reading, 2**16)
    writer.join()
    os.close(reading)
    os.close(writing)
    assert found == data
