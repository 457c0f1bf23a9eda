"""Users that rewind, seek, step, change speed, pause, follow another and come back, each held to the state at its seq.

What goes into Locust's statistics: `seek`, `step`, `speed`, `pause`, `home` and `follow` (the command to what it is
for: the state, the event, the word), `shown` (how late an event of a private timeline is, after it was due), `state at
seq` (what is held against `/api/state?at=`), `span` (what came against `/api/events`). All but `shown` can fail.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import gevent
import msgspec
import requests

from kstream.core.timeline.timepoint import timestamp
from loadtest.stream import ContractError
from loadtest.users import StreamUser
from loadtest.viewing import Span, ViewedStream, astray

_WITHIN: Final = 10.0  # seconds that a command may take before it counts as failed
_BEHIND: Final = 2.0  # seconds that one worker may be behind another
_SPAN: Final = 5000  # events of a span that are looked at: each costs the server a read
_SPEEDS: Final = (0.1, 0.5, 1, 2, 4, 10, 100, "max")


class Viewer(StreamUser):
    """Goes to and fro on timelines of its own, and stays in the present while `viewing` says so."""

    abstract = True
    tells_lateness = False
    family = "Viewer"
    labels = ""
    kinds = ""
    _stream: ViewedStream

    def stream(self) -> ViewedStream:
        return ViewedStream(frozenset(self.namespaces) or None)

    @property
    def watched(self) -> dict[str, str]:
        given = {"namespaces": ",".join(self.namespaces), "kinds": self.kinds, "labels": self.labels}
        return {name: value for name, value in given.items() if value}

    def come(self) -> bool:
        """After a loss it is where it was, at the same speed, as both clients of kstream are."""
        elsewhere = {} if self.quiet else self._stream.state.timeline({})
        self._forget()
        asked = time.perf_counter()
        self._stream.returning = asked if elsewhere else None
        return self.connect(resume=self._resumable, elsewhere=elsewhere)

    def on_stop(self) -> None:
        self._forget()
        super().on_stop()

    def _forget(self) -> None:
        timelines = self.run_state.timelines
        for name in [name for name, owner in timelines.items() if owner is self]:
            del timelines[name]

    # A life

    def live(self) -> None:
        if self.run_state.viewing == "alone":
            if self._stream.timeline is not None:
                self.home()
            self.read_for(1)
            return
        chance = self._random
        if self._stream.timeline is None and chance.random() < 0.3:
            self.reopen()
        else:
            acts = (self.seek, self.seek, self.seek_and_step, self.speed, self.rest, self.home)
            chance.choice(acts)()
        self.read_for(0.3 + chance.random() * 2)
        self.look()

    def look(self) -> None:
        """Sampled: each look costs the server a state, or a part of its log."""
        if self._socket is None or self.quiet:
            return
        if self._random.random() < 0.5:
            self.hold_to_its_seq()
        if self._random.random() < 0.5:
            self.hold_to_the_log()

    def compare(self) -> None:
        """At the end it comes home first: whoever was away holds what all hold."""
        if self._stream.timeline is not None:
            self.home()
        super().compare()

    # What it does

    def command(self, action: str, **fields: Any) -> bool:
        """True when the server has told how the timeline goes on; there may be no room for one more."""
        assert self._socket is not None
        began = time.perf_counter()
        self._stream.asks(action, began)
        self._socket.send(json.dumps({"type": "playback", "action": action, **fields}))
        answer = self.until(self._stream.answers, began)
        if answer is None:
            self.report(action, began, ContractError(f"{action}: no answer within {_WITHIN:.0f} s"))
            return False
        if answer["type"] == "error":
            error = answer["error"]
            full = "as many private timelines" in str(error.get("message"))
            self.report("refused", began, None if full else ContractError(f"{action} {fields}: {error}"))
            return False
        return True

    def until(self, came: Callable[[dict[str, Any]], bool], began: float) -> dict[str, Any] | None:
        """Read until a message for which `came` is true, at most _WITHIN seconds from `began`."""
        while (left := began + _WITHIN - time.perf_counter()) > 0:
            message = self.read(left)
            if message is not None and came(message):
                return message
        return None

    def seek(self) -> None:
        """To a moment in words, at random; playing or paused as it is."""
        began, states = time.perf_counter(), self._stream.states
        ago = self._random.uniform(1, 30)
        at = self._random.choice((f"-{ago:.0f}s", f"+{ago:.0f}s", timestamp(time.time() - ago)))
        if self._stream.timeline is None and at[0] == "+":
            at = f"-{ago:.0f}s"  # where the beginning is as near as the present no state has to come
        if self.command("seek", at=at):
            self.arrived("seek", began, states)

    def arrived(self, name: str, began: float, states: int) -> None:
        came = self._stream.states > states or self.until(lambda _: self._stream.states > states, began)
        late = None if came else ContractError(f"{name}: no state within {_WITHIN:.0f} s")
        self.report(name, began, late)

    def seek_and_step(self) -> None:
        """Paused right after an event, the state is that of its seq; a step is the next event and no more."""
        if not self._stream.moves or self._stream.playback.get("state") != "paused":
            if not self.command("pause"):
                return
            self.read_for(0.2)
        status = self.ask("/api/status")
        seq = self._random.randint(int(status["oldest"]), max(int(status["oldest"]), int(status["seq"]) - 1))
        began = time.perf_counter()
        if not self.command("seek", at=f"seq:{seq}"):
            return
        if self._stream.state.seq not in (seq, self._kept(seq)):
            self.until(
                lambda m: m["type"] == "initial_state" and m.get("seq") in (seq, self._kept(seq)), began
            )
        there = self._stream.state.seq in (seq, self._kept(seq))
        late = None if there else ContractError(f"seek seq:{seq}: {self._stream.state.seq} is shown")
        self.report("seek", began, late)
        if not there:
            return
        self.hold_to_its_seq()
        for _ in range(self._random.randint(0, 3)):
            if (self._stream.state.seq or 0) < int(status["seq"]):
                self.step()

    def _kept(self, seq: int) -> int:
        """Where a seek to `seq` ends: there, or where the log begins by now."""
        return max(seq, int(self.ask("/api/status")["oldest"]) - 1)

    def step(self) -> None:
        assert self._stream.state.seq is not None
        before, began = self._stream.state.seq, time.perf_counter()
        if not self.command("step"):
            return
        if self.watched:
            self.read_for(0.3)  # the event may be none of those it watches
            return
        came = self._stream.state.seq != before or self.until(
            lambda _: self._stream.state.seq != before, began
        )
        self.report("step", began, None if came else ContractError(f"no event after {before}"))
        self.read_for(0.3)
        if came and self._stream.state.seq != before + 1:
            self.fire("step", 0.0, ContractError(f"from {before} to {self._stream.state.seq} in one step"))

    def speed(self) -> None:
        began = time.perf_counter()
        speed = self._random.choice(_SPEEDS)
        if self.command("play", speed=speed):
            self.report("speed", began, None)

    def rest(self) -> None:
        """Pause for a moment, and go on."""
        began = time.perf_counter()
        if self.command("pause"):
            self.report("pause", began, None)
            self.read_for(self._random.random())
            self.hold_to_its_seq()
            self.command("play")

    def home(self) -> None:
        began = time.perf_counter()
        if self.command("live"):
            # What retention tells of the timeline may come first.
            gone = self._stream.timeline is None or self.until(lambda _: self._stream.timeline is None, began)
            self.report("home", began, None if gone else ContractError("live: it is still elsewhere"))

    def reopen(self) -> None:
        """A new connection that begins elsewhere, as a page does that is opened at a moment."""
        at = f"-{self._random.uniform(1, 30):.0f}s"
        self.go({"at": at, "speed": str(self._random.choice(_SPEEDS))}, "seek")

    def go(self, elsewhere: Mapping[str, str], name: str) -> bool:
        self._forget()
        began = time.perf_counter()
        self._stream.returning = began
        if "follow" in elsewhere:
            self._stream.returning = None
        if not self.connect(elsewhere=elsewhere):
            return False
        self.report(name, began, None)
        return True

    # What it is held to

    def ask(self, path: str, **query: str) -> dict[str, Any]:
        """An answer of the server, {} when that part of the log is no longer kept."""
        began = time.perf_counter()
        while True:
            answer = requests.get(f"{self.host}{path}", params=query, timeout=30)
            # With workers another process answers, which may not be as far as the one that this client is at.
            if answer.status_code != 400 or "not there yet" not in answer.text:
                break
            if time.perf_counter() - began > _BEHIND:
                raise ContractError(
                    f"{path} {query}: what this client has is not there yet: {answer.text[:200]}"
                )
            gevent.sleep(0.1)
        if answer.status_code == 410:
            return {}
        answer.raise_for_status()
        found: dict[str, Any] = msgspec.json.decode(answer.content)
        return found

    def hold_to_its_seq(self) -> None:
        """What is held is what the server says of that moment. Nothing is read meanwhile."""
        seq = self._stream.state.seq
        if seq is None:
            return
        began = time.perf_counter()
        answer = self.ask("/api/state", at=f"seq:{seq}", **self.watched)
        if not answer:
            return
        wrong = self._stream.differences(answer)
        where = "elsewhere" if self._stream.timeline else "in the present"
        failure = ContractError(f"{where} at {seq}: {len(wrong)} differ: {wrong[0][:300]}") if wrong else None
        self.report("state at seq", began, failure)

    def hold_to_the_log(self) -> None:
        """What came since the last look is what the log has there."""
        span = self._stream.take_span()
        if span is None or span.upto - span.after > _SPAN:
            return
        began = time.perf_counter()
        log = self._log(span)
        if log is None:
            return
        wrong = astray(span, log)
        failure = ContractError(f"{len(wrong)} astray: {wrong[0][:300]}") if wrong else None
        self.report("span", began, failure)

    def _log(self, span: Span) -> list[dict[str, Any]] | None:
        answer = self.ask(
            "/api/events", since=f"seq:{span.after}", until=f"seq:{span.upto}", limit="10000", **self.watched
        )
        return list(answer["data"]) if answer and answer["cursor"] is None else None

    def read(self, seconds: float) -> dict[str, Any] | None:
        message = super().read(seconds)
        if message is not None and message["type"] == "playback":
            self._forget()
            if self._stream.moves and self._stream.timeline is not None:
                self.run_state.timelines[self._stream.timeline] = self
        if message is not None and self._stream.late is not None:
            self.fire("shown", self._stream.late * 1000, None)
        return message


class Rewinder(Viewer):
    """Watches everything."""


class NarrowRewinder(Viewer):
    """Watches two namespaces."""

    namespaces = ("shop", "payments")


class LabelledRewinder(Viewer):
    """Watches the pods with some labels, and nodes."""

    kinds = "pods,nodes"
    labels = "app in (web-svc,api-svc)"


class Follower(Viewer):
    """Rides on the timelines of others, at times leaves for its own, and comes back."""

    family = "Follower"

    def come(self) -> bool:
        self._stream.returning = None
        return self.connect(resume=self._resumable)

    def live(self) -> None:
        if self.run_state.viewing == "alone":
            super().live()
            return
        if self._stream.timeline is None:
            others = [name for name, owner in self.run_state.timelines.items() if owner is not self]
            if not others:
                self.read_for(1)
                return
            self._follow(self._random.choice(others))
        self.read_for(1 + self._random.random() * 3)
        self.look()
        chance = self._random.random()
        if self._stream.timeline is not None and chance < 0.2:
            self.seek_and_step()
            self.home()
        elif self._stream.timeline is not None and chance < 0.4:
            self.home()

    def _follow(self, name: str) -> None:
        if not self.go({"follow": name}, "follow"):
            return
        if self._stream.timeline not in (None, name):
            self.fire("follow", 0.0, ContractError(f"it follows {self._stream.timeline}, not {name}"))
