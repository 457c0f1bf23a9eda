"""The fold of a map: pods by their numbers, thin, and those that are looked at as a whole (PROTOCOL 33)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any, Final, TypeAlias

from kstream.core.errors import InvalidMessageError

Json: TypeAlias = dict[str, Any]

_COLUMNS: Final = ("number", "group", "node", "standing")
_STANDING: Final = ("phase", "status", "ready", "containers", "restarts")


def thin(pod: Mapping[str, Any], number: int) -> Json:
    """What a map shows of a whole pod; in place of its uid is `#number`, by which clients hold it."""
    containers = [each for each in pod.get("containers") or () if isinstance(each, dict)]
    return {
        "uid": f"#{number}",
        "number": number,
        "namespace": pod.get("namespace", ""),
        "name": pod.get("name", ""),
        "nodeName": pod.get("nodeName"),
        "phase": pod.get("phase", ""),
        "status": pod.get("status", ""),
        "ready": sum(each.get("ready") is True for each in containers),
        "containers": len(containers),
        "restarts": sum(int(each.get("restartCount") or 0) for each in containers),
        "owner": pod.get("owner"),
    }


class MapFold:
    """`pods`: thin, by number; `looked`: whole ones, by number. `name` of a pod is but how it begins until `map_names`
    has come. Methods raise InvalidMessageError for what is not of the protocol's shape."""

    def __init__(self) -> None:
        self.pods: dict[int, Json] = {}
        self.looked: dict[int, Json] = {}
        self.numbers = ""  # whose they are: to be said with a resume
        self._unnamed: list[Json] = []

    def begin(self, message: Mapping[str, Any]) -> None:
        """A `map_state`."""
        numbers, data = message.get("numbers"), message.get("data")
        if not isinstance(numbers, str) or not isinstance(data, dict):
            raise _wrong("map_state", "numbers and data")
        self.pods, self.looked, self._unnamed = {}, {}, []
        self.numbers = numbers
        self.more(data.get("pods"))

    def more(self, block: Any) -> None:
        """Pods as columns: those of a `map_state`, or a `map_pods`."""
        try:
            pods = _read(block)
        except (TypeError, LookupError, ValueError, AttributeError):
            raise _wrong("map", "pods") from None
        self._unnamed += pods
        self.pods.update((pod["number"], pod) for pod in pods)

    def name(self, message: Mapping[str, Any]) -> None:
        """A `map_names`."""
        start, names = message.get("start"), message.get("names")
        if type(start) is not int or start < 0 or not isinstance(names, str):
            raise _wrong("map_names", "start and names")
        # No pods at all have no names, which is a text without a space, too.
        for pod, rest in zip(
            self._unnamed[start : start + names.count(" ") + 1], names.split(" "), strict=False
        ):
            pod["name"] += rest
        if "seq" in message:
            self._unnamed = []

    def change(self, event: Mapping[str, Any]) -> tuple[Json | None, Json | None]:
        """A `map_event`, or the `pod_event` of a pod that is looked at. Returns the pod before it and after it."""
        whole = event.get("type") == "pod_event"
        data, action = event.get("data"), event.get("action")
        number = event.get("number") if whole else data.get("number") if isinstance(data, dict) else None
        if type(number) is not int or not isinstance(data, dict):
            raise _wrong("map_event", "number and data")
        before = self.pods.get(number)
        if action == "DELETED":
            self.pods.pop(number, None)
            self.looked.pop(number, None)
            return before, None
        if action not in ("ADDED", "MODIFIED"):
            return before, before
        now = self.pods[number] = thin(data, number) if whole else {**data, "uid": f"#{number}"}
        if whole:
            self.looked[number] = data
        return before, now

    def look(self, message: Mapping[str, Any]) -> None:
        """A `looked`."""
        pods, gone = message.get("pods"), message.get("gone")
        if not isinstance(pods, list) or not isinstance(gone, list):
            raise _wrong("looked", "pods and gone")
        looked: dict[int, Json] = {}
        for each in pods:
            number, data = (each.get("number"), each.get("data")) if isinstance(each, dict) else (None, None)
            if type(number) is not int or not isinstance(data, dict):
                raise _wrong("looked", "pods")
            looked[number] = data
        self.looked = looked
        self.pods.update((number, thin(data, number)) for number, data in looked.items())
        for number in gone:
            self.pods.pop(number, None)


def _read(block: Any) -> list[Json]:
    number, group, node, standing = (block[name] for name in _COLUMNS)
    groups, names = block["groups"], block["nodeNames"]
    standings = [{name: each[name] for name in _STANDING} for each in block["standings"]]
    places = zip(*(_summed(column) for column in (number, group, node)), standing, strict=True)
    return [
        {
            "uid": f"#{each}",
            "number": each,
            "namespace": groups[at]["namespace"],
            "name": groups[at]["prefix"],
            "nodeName": names[on],
            **standings[how],
            "owner": groups[at]["owner"],
        }
        for each, at, on, how in places
    ]


def _summed(steps: Sequence[int]) -> list[int]:
    return list(accumulate(steps))


def _wrong(kind: str, fields: str) -> InvalidMessageError:
    return InvalidMessageError(
        f"A {kind} message of the server is not of the protocol's shape", f"{fields}: must be as documented"
    )
