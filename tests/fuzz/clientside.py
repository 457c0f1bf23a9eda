"""What comes from clients and from whoever writes a scenario, an action or a fault script."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Final
from urllib.parse import parse_qs

from kstream.core.amounts import byte_count, seconds
from kstream.core.delivery.backlog import Backlog
from kstream.core.delivery.filters import EVERYTHING, Filter
from kstream.core.delivery.limits import Limits
from kstream.core.delivery.session import Session
from kstream.core.delivery.wire import parse
from kstream.core.errors import ConfigError, InvalidMessageError
from kstream.core.naming import MAX_NAMESPACES
from kstream.core.timeline import timepoint
from simulator.apiserver.faults import parse_script
from simulator.story.actions import action_names, parse_action
from simulator.story.scenario import parse_scenario
from tests.fuzz.target import Target

_NAMES: Final = frozenset(action_names())
_NOW: Final = 1_737_712_800.0


def client_message(data: bytes) -> None:
    """What a socket lets through is UTF-8. A session never raises, and answers in proportion."""
    text = data.decode("utf-8", "replace")
    session = Session(Backlog(head=0), EVERYTHING, limits=Limits(), window_bits=0, now=0.0)
    session.receive(text.encode(), now=0.0, time=_NOW)
    answer = session.flush(0.0)
    assert len(answer) <= 12 * len(data) + 2_000
    answer[2:].decode("utf-8", "strict" if len(answer) < 128 else "replace")
    session.leave()
    parse(text.encode())


def query(data: bytes) -> None:
    """A query string as aiohttp hands it over, with `namespaces`, and every value as a point and an amount too."""
    values = parse_qs(data.decode("utf-8", "replace"), keep_blank_values=True)
    for name, given in values.items():
        for value in given:
            _amounts(value)
            with suppress(InvalidMessageError):
                point = timepoint.parse(value, now=_NOW, field=name)
                assert isinstance(point, timepoint.AtSeq | timepoint.AtTime)
    with suppress(InvalidMessageError):
        Filter.parse(labels=data.decode("utf-8", "replace"))
    watched = Filter.of_query(lambda name: values.get(name, []))
    assert watched.namespaces is None or 0 < len(watched.namespaces) <= MAX_NAMESPACES


def _amounts(value: str) -> None:
    for read in (seconds, byte_count):
        with suppress(ConfigError):
            assert 0 <= read(value) < float("inf")


def scenario(data: bytes) -> None:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return  # load_scenario says so
    found = parse_scenario(text, where="fuzz.yaml")
    assert found.digest() == parse_scenario(text, where="again.yaml").digest()


def action(data: bytes) -> None:
    """As `POST /api/sim/do` hands it over."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return  # answered with 400 before it comes here
    found = parse_action(value)
    assert found.do in _NAMES
    # It is written to the log: as JSON, which is UTF-8.
    json.dumps(found.model_dump(mode="json"), ensure_ascii=False).encode()


def fault_script(data: bytes) -> None:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return  # read_script says so
    for rule in parse_script(text).faults:
        assert rule.do.kind
        assert not (rule.final and rule.in_stream)


TARGETS: Final = (
    Target(
        name="client-messages",
        run=client_message,
        syntax="json",
        raises=InvalidMessageError,
        words=(
            "type", "ping", "subscribe", "playback", "timestamp", "namespaces", "action", "seek", "speed", "max", "at",
            "pause", "live", "step",
        ),
        executions=1_500,
    ),
    Target(
        name="query",
        run=query,
        syntax="text",
        raises=InvalidMessageError,
        words=(
            "namespaces=", "&", "%00", "%ED%A0%80", ",", "at=", "-5m", "+90s", "seq:", "seq:999999999999999999",
            "2025-01-24T10:00:00Z", "9999-12-31T23:59:59.999999999-23:59", "0001-01-01T00:00:00+23:59", "1h30m", "ms",
            "GiB", "%2B", "1e309", "9" * 400 + "d", "%D9%A3",
        ),
        executions=1_500,
    ),
    Target(
        name="scenario",
        run=scenario,
        syntax="yaml",
        raises=ConfigError,
        words=(
            "name", "summary", "duration", "cluster", "nodes", "zones", "workloads", "timeline", "do", "target", "at",
            "every", "replicas", "containers", "fault", "kind", "crash", "scale", "kill-node", "labels", "1m30s",
            "max_surge", "25%",
        ),
        executions=300,
    ),
    Target(
        name="action",
        run=action,
        syntax="json",
        raises=InvalidMessageError,
        words=(
            "do", "target", "replicas", "over", "count", "version", "v1.37.0", "parallel", "reboot", "key", "value",
            "workload", "fault", "rate", "shop/web", "node-1", *action_names(),
        ),
        executions=1_500,
    ),
    Target(
        name="fault-script",
        run=fault_script,
        syntax="yaml",
        raises=ConfigError,
        words=(
            "faults", "match", "when", "do", "times", "always", "lasting", "verb", "watch", "list", "resource",
            "request", "after", "event", "status", "code", "drop", "restart", "down", "slow", "bytes", "every",
            "line", "oversize", "torn_line", "error",
        ),
        executions=300,
    ),
)  # fmt: skip
