"""The Kubernetes client for Python that is made from the API's description, with its own models and its own watch."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from kubernetes_asyncio import client, config, watch
from kubernetes_asyncio.client.configuration import Configuration

from kstream.core.timeline.events import Kind
from tests.simulator.apiserver.living import Living, living


@asynccontextmanager
async def _api(cluster: Living) -> AsyncIterator[client.CoreV1Api]:
    configuration = Configuration()
    await config.load_kube_config(str(cluster.config), client_configuration=configuration)
    async with client.ApiClient(configuration) as each:
        yield client.CoreV1Api(each)


async def test_its_models_take_what_is_listed(tmp_path: Path) -> None:
    async with living(tmp_path) as cluster, _api(cluster) as api:
        first = await api.list_pod_for_all_namespaces(limit=7)
        assert (len(first.items), bool(first.metadata._continue)) == (7, True)
        pod = first.items[0]
        [volume] = pod.spec.volumes
        assert pod.spec.containers[0].volume_mounts[0].name == volume.name
        assert volume.projected.sources[0].service_account_token.expiration_seconds == 3607
        assert {field.manager for field in pod.metadata.managed_fields} == {
            "kube-controller-manager",
            "kubelet",
        }
        nodes = await api.list_node(label_selector="kubernetes.io/hostname=node-1")
        assert [node.metadata.name for node in nodes.items] == ["node-1"]
        [namespace] = (await api.list_namespace(field_selector="metadata.name=default")).items
        assert namespace.status.phase == "Active"


PODS = "match: {verb: watch, resource: pods}"
EXPIRED = "do: {error: {code: 410, reason: Expired, message: too old}}"
FAULTS = {
    "nothing": "",
    "the watch ends": f"- {{{PODS}, when: {{event: 9}}, do: end}}",
    # One alone is not told: it asks again from where it is.
    "its version expires": f"- {{{PODS}, when: {{event: 9}}, {EXPIRED}}}\n"
    f"- {{{PODS}, when: {{event: 0, request: 2}}, {EXPIRED}}}",
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_its_watch_leads_to_the_state_of_the_server(tmp_path: Path, fault: str) -> None:
    async with living(tmp_path, faults=FAULTS[fault]) as cluster, _api(cluster) as api:
        pods: dict[str, str] = {}
        events = 0

        async def follow() -> None:
            """Returns once it holds what the server does; the cluster may live on."""
            nonlocal events
            listed = await api.list_pod_for_all_namespaces()
            pods.clear()
            pods.update({_key(pod): pod.metadata.resource_version for pod in listed.items})
            async with watch.Watch() as stream:
                async for event in stream.stream(
                    api.list_pod_for_all_namespaces, resource_version=listed.metadata.resource_version
                ):
                    events += 1
                    pod = event["object"]
                    if event["type"] == "DELETED":
                        del pods[_key(pod)]
                    else:
                        pods[_key(pod)] = pod.metadata.resource_version
                    if events == 40:
                        cluster.perform("set-churn", rate=0)
                    if events > 40 and pods == _held(cluster):
                        return

        while True:
            try:
                await follow()
                break
            except client.ApiException as error:
                if error.status != 410:
                    raise
        lists = [seen for seen in cluster.asked("pods") if seen.verb == "list"]
        assert len(lists) == (2 if "expires" in fault else 1)


def _key(pod: client.V1Pod) -> str:
    return f"{pod.metadata.namespace}/{pod.metadata.name}"


def _held(cluster: Living) -> dict[str, str]:
    return {entry.key: str(entry.version) for entry in cluster.server.store.snapshot(Kind.POD).entries}
