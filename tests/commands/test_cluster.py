"""What a command says of the cluster that it talks to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from kstream.commands.cluster import stream_status
from kstream.core.watching.reflection import Freshness
from kstream.sources.kube import KubeSource


class Watched:
    """A source of so many streams of pods, every third of them denied, and one of nodes."""

    def __init__(self, count: int) -> None:
        self.streams: Sequence[Freshness] = [
            Freshness(
                f"pods/ns-{number}", "watching" if number % 3 else "denied", 0.0, 0.0, "", 0, 0, 0, 0, 0, 0
            )
            for number in range(count)
        ]


async def test_each_stream_is_told_of() -> None:
    said = await stream_status(cast(KubeSource, Watched(1000)))
    assert said.keys() == {"streams"}
    assert [each["stream"] for each in said["streams"]] == [f"pods/ns-{number}" for number in range(1000)]


async def test_of_thousands_the_first_are_told_of_and_the_others_are_counted() -> None:
    said = await stream_status(cast(KubeSource, Watched(5000)))
    assert len(said["streams"]) == 1000
    assert said["streams_left_out"] == {"pods watching": 2667, "pods denied": 1333}
