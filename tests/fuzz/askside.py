"""What is asked for: conditions, objects by their names, how a timeline is played; and what an operator sets."""

from __future__ import annotations

import ipaddress
import json
from contextlib import suppress
from functools import partial
from typing import Final
from urllib.parse import parse_qsl

from kstream.connecting import url_of
from kstream.core.conditions.condition import Condition
from kstream.core.conditions.judging import Judge
from kstream.core.delivery.socketfaults import parse_faults
from kstream.core.delivery.wire import PlaybackCommand, parse
from kstream.core.errors import ConfigError, InvalidMessageError, UsageError
from kstream.core.insight.subjects import name_of
from kstream.core.timeline.events import Kind, ObjectKey, Verb, WatchEvent
from kstream.core.timeline.playback import Playback
from kstream.core.timeline.reference import Named
from kstream.core.timeline.reference import parse as reference
from kstream.core.timeline.timepoint import AtSeq, AtTime
from kstream.core.timeline.timepoint import parse as point
from kstream.core.timeline.wellness import is_unwell
from kstream.delivery.driving import check
from kstream.sources.proxies import environment_proxy, own_proxy
from kstream.web.wishes import wished
from tests.fuzz.target import Target

_NOW: Final = 1_737_712_800.0
_PODS: Final = tuple(
    {
        "name": name,
        "uid": f"u-{name}",
        "namespace": namespace,
        "nodeName": node,
        "phase": "Running",
        "status": status,
        "containers": [{"name": "c", "image": "i:1", "restartCount": restarts, "ready": restarts == 0}],
        "labels": labels,
        "creationTimestamp": "2025-01-24T09:00:00Z",
        "owner": None,
    }
    for name, namespace, node, status, restarts, labels in (
        ("web-1", "shop", "n1", "Running", 0, {"app": "web"}),
        ("web-2", "shop", None, "Pending", 0, {}),
        ("cart-1", "other", "n2", "CrashLoopBackOff", 7, {"app": "cart", "a/b": 'q"'}),
    )
)
_OBJECTS: Final = {
    Kind.POD: _PODS,
    Kind.NODE: (
        {"name": "n1", "uid": "u-n1", "status": "Ready", "role": "worker", "capacity": {"cpu": "4"}}
        | {"conditions": [{"type": "Ready", "status": "True"}], "labels": {}, "creationTimestamp": ""},
        {"name": "n2", "uid": "u-n2", "status": "NotReady", "labels": {"zone": "b"}},
    ),
    Kind.NAMESPACE: ({"name": "shop", "uid": "u-shop", "status": "Active", "podCount": 2},),
}
_HISTORY: Final = [
    WatchEvent(
        Verb.ADDED,
        ObjectKey(kind, str(body.get("namespace", "")), str(body["name"]), str(body["uid"])),
        "",
        _NOW,
        json.dumps(body, separators=(",", ":")).encode(),
    )
    for kind, some in _OBJECTS.items()
    for body in some
]


def condition(data: bytes) -> None:
    """It answers yes or no, and nothing of which it is true is left out by what is told to SQLite and the index."""
    asked = Condition.parse(data.decode("utf-8", "replace"))
    judge = Judge(asked)
    for change in _HISTORY:
        if change.key.kind is asked.about and judge(change.body):
            assert asked.narrow.fits(change), asked.narrow
            assert not asked.only_bad or is_unwell(change.body.decode())
    assert 0 <= judge.undecided <= len(_HISTORY)
    judge.why.encode()


def socket_fault(data: bytes) -> None:
    """What an option of the command line was given, one a line: the operating system's bytes."""
    for fault in parse_faults(data.decode("utf-8", "surrogateescape").split("\n")):
        values = fault.model_dump()
        assert values.pop("kind")
        assert all(0 <= value <= 1_000_000 for value in values.values())


def no_proxy(data: bytes) -> None:
    """Three lines: a host and port, NO_PROXY, and a proxy. What is bypassed by a list is by a longer one."""
    lines = data.decode("utf-8", "surrogateescape").split("\n", 2)
    host, bypass, proxy = (*lines, "", "", "")[:3]
    try:
        server = url_of(f"https://{host}")
        _ = server.host, server.explicit_port
    except ValueError:
        return
    if not server.host:
        return
    through = {"HTTPS_PROXY": "http://proxy:3128"}
    assert environment_proxy(server, through | {"NO_PROXY": "*"}) is None
    found = environment_proxy(server, through | {"NO_PROXY": bypass})
    if found is None:
        assert environment_proxy(server, through | {"NO_PROXY": f"other.example,{bypass}"}) is None
    else:
        assert str(found) == "http://proxy:3128"
        with suppress(ValueError):
            assert not ipaddress.ip_address(server.host).is_loopback
    reads = partial(own_proxy, proxy, "x"), partial(environment_proxy, server, {"HTTPS_PROXY": proxy})
    for read in reads:
        told = ""
        try:
            given = read()
            assert given is None or (given.scheme in ("http", "https", "socks5") and given.host)
        except ConfigError as refused:
            told = str(refused)
        secret = proxy.rpartition("@")[0].rpartition(":")[2]
        assert len(secret) < 8 or secret not in told


def object_name(data: bytes) -> None:
    """What is told of the object that is meant is that name again."""
    meant = reference(data.decode("utf-8", "surrogateescape"))
    if isinstance(meant, Named):
        assert meant.name
        assert bool(meant.namespace) is (meant.kind is Kind.POD)
        assert reference(name_of(ObjectKey(meant.kind, meant.namespace, meant.name, "u"))) == meant
    else:
        assert meant == meant.strip() != ""


def playback(data: bytes) -> None:
    """The parameters of `/ws`, and the commands that come then, one a line. The timeline never leaves its span."""
    first, *lines = data.split(b"\n")
    with suppress(InvalidMessageError):
        wish = wished(dict(parse_qsl(first.decode("utf-8", "replace"), keep_blank_values=True)))
        assert wish.elsewhere or wish.at is None
    played, now = Playback(start=_NOW, end=_NOW + 60, now=0.0), 0.0
    for line in lines:
        command = parse(line)
        if not isinstance(command, PlaybackCommand):
            continue
        check(command)
        now += 1.0
        if command.action == "pause":
            played.pause(now)
        if command.action == "play":
            played.play(now)
        if command.action == "seek":
            match point(command.at or "", now=played.position(now), field="at"):
                case AtTime(time):
                    played.seek(now, time)
                case AtSeq(seq):
                    played.seek(now, _NOW + min(seq, 100))
        if command.speed is not None:
            played.set_speed(now, float("inf") if command.speed == "max" else command.speed)
        assert _NOW <= played.position(now) <= played.position(now + 1e9) <= _NOW + 60
        wait = played.wait(now, _NOW + 30)
        assert wait is None or wait >= 0  # endless at a speed that is next to none
        json.dumps(played.describe(now), allow_nan=False)


TARGETS: Final = (
    Target(
        name="condition",
        run=condition,
        syntax="text",
        raises=InvalidMessageError,
        words=(
            "pod", "node", "namespace", ".status", ".name", ".labels", '["app"]', "==", "!=", "&&", "||", "in", "!",
            '"Running"', '"CrashLoopBackOff"', "'shop'", "size(", "has(", ".exists(c, ", ".all(c, ", ".matches(",
            "containers", "restartCount", "?", ":", "null", "true", "1u", "0x1f", "1e400", '"""', "r'", "b'", "\\u0041",
            "\\", "//", "dyn(", "timestamp(", "duration(", "{", "}", "[", "]", "Namespace", "-9223372036854775808",
        ),
        executions=600,
        steps=10_000,
    ),
    Target(
        name="socket-fault",
        run=socket_fault,
        syntax="text",
        raises=UsageError,
        words=(
            "drop:after=", "close:", "code=1011", "delay:seconds=", "mute", "deaf", "refuse:first=", ",", "=", ":",
            "nan", "inf", "-1", "1e400", "1_0", "kind=drop", "٣", " 3 ",
        ),
        executions=600,
    ),
    Target(
        name="no-proxy",
        run=no_proxy,
        syntax="text",
        raises=ConfigError,
        words=(
            "10.0.0.0/8", "::1/128", "[::1]", "127.0.0.1", "localhost", ".example.com", "*.example.com", "*", ":6443",
            "https://", "socks5h://", "socks5://", "user:secret-word@", ",", "fe80::1%eth0", "/33", "/-1", "0x7f.1",
            ":99999", "::ffff:10.0.0.1", "ß.example", "\udcff",
        ),
        executions=600,
    ),
    Target(
        name="object-name",
        run=object_name,
        syntax="text",
        raises=UsageError,
        words=("pod", "po/", "pods ", "node/", "no ", "ns/", "namespace", "/", "//", " ", "shop", "\u2003", "\x85"),
        executions=600,
    ),
    Target(
        name="playback",
        run=playback,
        syntax="text",
        raises=InvalidMessageError,
        words=(
            '{"type":"playback","action":"', 'seek"', ',"at":"', '-5m"}', ',"speed":', "1e-320", "1e308", "0.001",
            '"max"}', "at=", "&speed=", "&paused=", "follow=", "seq:", "+90s", "9999-12-31T23:59:59Z", "NaN", "-0",
        ),
        executions=600,
    ),
)  # fmt: skip
