"""Which rules of a fault script act now. Pure: requests, writes and time come in, actions go out."""

from __future__ import annotations

from collections.abc import Sequence

from simulator.apiserver.faults import FaultScript, Match, Rule
from simulator.apiserver.requests import Seen


class _Progress:
    """How far one rule has come."""

    def __init__(self) -> None:
        self.matched = 0
        self.acted = 0
        self.since: float | None = None  # when it acted first


class FaultMatcher:
    """Counts what happened, and says what shall go wrong. Times are seconds since the server's start."""

    def __init__(self, script: FaultScript) -> None:
        self._rules = [(rule, _Progress()) for rule in script.faults]

    def on_request(self, seen: Seen, *, page: int, now: float) -> Sequence[Rule]:
        """The rules that act on a request, in the order of the script. `page` is that of a list, else 0."""
        acting: list[Rule] = []
        for rule, progress in self._rules:
            if rule.match is None or not _matches(rule.match, seen, page):
                continue
            if rule.when.after is not None and now < rule.when.after:
                continue
            progress.matched += 1
            # A request that has its end keeps the later rules for the next one; they count it all the same.
            if not (acting and acting[-1].final) and self._acts(rule, progress, now):
                acting.append(rule)
        return acting

    def on_server(self, *, writes: int, now: float) -> Sequence[Rule]:
        """The rules without a match that act once there were so many writes."""
        due = []
        for rule, progress in self._rules:
            if rule.match is not None or progress.acted:
                continue
            if (rule.when.event is None or writes >= rule.when.event) and now >= (rule.when.after or 0.0):
                progress.acted += 1
                due.append(rule)
        return due

    def unused(self) -> Sequence[Rule]:
        """The rules that have not acted: what they are for has not been tried."""
        return [rule for rule, progress in self._rules if not progress.acted]

    def next_time(self) -> float | None:
        """When the next rule of the server is due by time."""
        times = [
            rule.when.after
            for rule, progress in self._rules
            if rule.match is None and not progress.acted and rule.when.after is not None
        ]
        return min(times, default=None)

    @staticmethod
    def _acts(rule: Rule, progress: _Progress, now: float) -> bool:
        if rule.when.request is not None and progress.matched < rule.when.request:
            return False
        if rule.lasting is not None:
            if progress.since is None:
                progress.since = now
            within = now < progress.since + rule.lasting
            progress.acted += within
            return within
        if rule.times != "always" and progress.acted >= rule.times:
            return False
        progress.acted += 1
        return True


def _matches(match: Match, seen: Seen, page: int) -> bool:
    """`namespace` "" is a request for the whole cluster; None is any."""
    return (
        (match.verb is None or match.verb == seen.verb)
        and (match.resource is None or match.resource == seen.resource)
        and (match.namespace is None or match.namespace == seen.namespace)
        and (match.name is None or match.name == seen.name)
        and (match.user is None or match.user == seen.user)
        and (match.path is None or match.path == seen.path)
        and all(seen.query.get(key) == value for key, value in (match.query or {}).items())
        and (match.page is None or match.page == page)
    )
