"""Who a cluster says that it is: whatever it says is doubted, and what is no cluster is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kstream.clock import VirtualClock
from kstream.core.timeline.health import ClusterInfo
from kstream.sources.apiserver import ApiServer
from kstream.sources.identity import (
    Identity,
    UnidentifiedError,
    Version,
    has_watch_list,
    identify,
    read_version,
)
from kstream.sources.kubeconfig import KubeSettings
from tests.scripted import Reply, ScriptedServer, answer, kubeconfig, refused

VERSION, KUBE_SYSTEM = "get /version", "get /api/v1/namespaces/kube-system"


async def who(folder: Path, *, version: Reply | None = None, kube_system: Reply | None = None) -> Identity:
    server = ScriptedServer()
    if version is not None:
        server.on(VERSION, version)
    if kube_system is not None:
        server.on(KUBE_SYSTEM, kube_system)
    async with server.running():
        config = kubeconfig(folder / "config", server.url)
        api = ApiServer(KubeSettings(kubeconfig=str(config)), VirtualClock())
        try:
            await api.connect()
            return await identify(api, VirtualClock())
        finally:
            await api.close()


async def test_a_cluster_has_the_name_of_its_context_a_version_and_the_uid_of_kube_system(
    tmp_path: Path,
) -> None:
    assert await who(tmp_path) == Identity(ClusterInfo("my-cluster", "v1.29.0", "the-cluster"), False)


async def test_what_one_may_not_know_is_left_open(tmp_path: Path) -> None:
    identity = await who(tmp_path, version=refused(403, "Forbidden"), kube_system=refused(403, "Forbidden"))
    assert identity == Identity(ClusterInfo("my-cluster", "unknown", ""), False)


async def test_a_version_is_shown_as_far_as_it_can_be_shown(tmp_path: Path) -> None:
    said = json.dumps({"gitVersion": "v1\u202e\x1b[2J" + "x" * 200}).encode()
    identity = await who(tmp_path, version=answer(said))
    assert identity.cluster.version == "v1[2J" + "x" * 93


@pytest.mark.parametrize("status", [401, 429, 500, 503])
async def test_another_answer_is_not_taken_for_one(tmp_path: Path, status: int) -> None:
    with pytest.raises(UnidentifiedError) as unknown:
        await who(tmp_path, kube_system=refused(status, "Why"))
    assert unknown.value.status == status
    assert unknown.value.reached == (status == 429)
    assert f"answers {status} to /api/v1/namespaces/kube-system: " in str(unknown.value)


async def test_a_kube_system_that_is_no_namespace_is_no_identity(tmp_path: Path) -> None:
    with pytest.raises(UnidentifiedError, match="cannot read a namespace from the API server"):
        await who(tmp_path, kube_system=answer(b"<html>"))


async def test_an_answer_has_four_mebibytes_at_most(tmp_path: Path) -> None:
    with pytest.raises(UnidentifiedError, match="the answer to /version is longer than 4 MiB"):
        await who(tmp_path, version=answer(b" " * ((4 << 20) + 1)))


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        (b"", "Input data was truncated"),
        (b"<html>", "JSON is malformed: invalid character (byte 0)"),
        (b"[]", "Expected `object`, got `array`"),
        (b'{"major": 1}', "Expected `str`, got `int` - at `$.major`"),
        (b'{"minor": "\xff"}', "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
        (b'{"minor": ' + b"[" * 3_000, "Expected `str`, got `array` - at `$.minor`"),
        (b'{"other": ' + b"[" * 100_000, "it answers nested JSON"),
    ],
)
def test_what_is_no_version_is_of_no_api_server(body: bytes, cause: str) -> None:
    with pytest.raises(UnidentifiedError) as unknown:
        read_version(body, "https://h")
    assert str(unknown.value) == f"https://h is no Kubernetes API server: {cause}"
    assert not unknown.value.reached


@pytest.mark.parametrize(
    ("major", "minor", "there"),
    [
        *(("1", "33", False), ("1", "34", True), ("1", "34+", True), ("1", "140", True)),
        *(
            ("2", "34", False),
            ("", "34", False),
            ("1", "", False),
            ("1", "x", False),
            ("1", "\u0663\u0664", False),
        ),
        ("1", "9" * 5_000, True),
    ],
)
def test_a_server_has_watch_lists_from_1_34_on(major: str, minor: str, there: bool) -> None:
    assert has_watch_list(Version(major=major, minor=minor)) is there
