"""YAML blocks: documents of ours, which the product takes, and of others, which ask for what the product has."""

from __future__ import annotations

import re
from typing import Any

import aiohttp
import pytest
import yaml

from kstream.config import ServeSettings
from kstream.core.errors import ConfigError
from kstream.processlog.lines import fields_of
from simulator.apiserver.faults import parse_script
from simulator.simulation import Simulation
from simulator.story.scenario import parse_scenario
from simulator.testing import SimulatedServer
from tests.docs.blocks import Block, of
from tests.docs.manifests import problems

YAML = of("yaml")
SERVED = frozenset({"/livez", "/readyz", "/metrics", "/version", "/", "/api/state", "/api/status"})


def check(block: Block, log: pytest.LogCaptureFixture) -> None:
    """Raises AssertionError or ConfigError for what is wrong."""
    documents = list(yaml.safe_load_all(block.text))
    assert all(isinstance(document, dict) for document in documents), f"{block}: there is no document"
    for document in documents:
        if "faults" in document:
            assert parse_script(block.text, name=str(block)).faults
        elif "scrape_configs" in document:
            check_scrapes(document)
        elif "apiVersion" in document:
            assert list(problems(document, SERVED)) == []
        else:
            play(block)
            said = [dict(fields_of(record)) or record.getMessage() for record in log.records]
            assert said == []  # an action whose target is not there is told, and left out


def play(block: Block) -> None:
    """A scenario, from its beginning to its end."""
    scenario = parse_scenario(block.text, where=str(block))
    Simulation(scenario, seed=1).advance(round(scenario.duration * 1000), most=1 << 30)


def check_scrapes(document: dict[str, Any]) -> None:
    port = ServeSettings().port
    for scrape in document["scrape_configs"]:
        assert scrape["job_name"]
        assert scrape.get("metrics_path", "/metrics") == "/metrics"
        targets = [target for group in scrape["static_configs"] for target in group["targets"]]
        assert targets
        assert all(target.endswith(f":{port}") for target in targets), f"kstream listens on {port}"


@pytest.mark.parametrize("block", YAML, ids=str)
def test_a_document_is_one_that_something_takes(block: Block, caplog: pytest.LogCaptureFixture) -> None:
    check(block, caplog)


async def test_what_a_manifest_may_ask_for_is_served(server: SimulatedServer) -> None:
    async with aiohttp.ClientSession() as session:
        for path in SERVED:
            async with session.get(f"{server.page.rstrip('/')}{path}") as answer:
                assert answer.status == 200, path


DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: kstream}
spec:
  template:
    spec:
      containers:
        - name: kstream
          image: registry.example/kstream:0.1.0
          args: [serve, --host, 0.0.0.0]
          env: [{name: KSTREAM_MAX_CLIENTS, value: "10"}]
          ports: [{name: http, containerPort: 3001}]
          livenessProbe: {httpGet: {path: /livez, port: http}}
"""
ROLE = """
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: kstream}
rules: [{apiGroups: [""], resources: [nodes, pods], verbs: [list, watch]}]
"""
SCRAPE = "scrape_configs: [{job_name: kstream, static_configs: [{targets: ['kstream:3001']}]}]"


@pytest.mark.parametrize("text", [DEPLOYMENT, ROLE, SCRAPE, f"{DEPLOYMENT}---{ROLE}"])
def test_what_is_right_passes(text: str, caplog: pytest.LogCaptureFixture) -> None:
    check(Block("p.md", 1, "yaml", text), caplog)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (DEPLOYMENT.replace("--host", "--hots"), "No such option"),
        (
            DEPLOYMENT.replace("args:", "command: [/usr/bin/kstream]\n          args:").replace(
                "serve", "serv"
            ),
            "serv",
        ),
        (DEPLOYMENT.replace("0.0.0.0", "127.0.0.1"), "nothing outside of the pod"),
        (DEPLOYMENT.replace("3001", "8080"), "it listens on 3001"),
        (DEPLOYMENT.replace("/livez", "/healthz"), "nothing is at /healthz"),
        (DEPLOYMENT.replace("port: http", "port: 80"), "nothing is on port 80"),
        (DEPLOYMENT.replace("MAX_CLIENTS", "MOST_CLIENTS"), "no option is set by KSTREAM_MOST_CLIENTS"),
        (DEPLOYMENT.replace("metadata: {name: kstream}", ""), "'metadata'"),
        (ROLE.replace("watch", "delete"), "kstream reads nodes"),
        (ROLE.replace("nodes", "secrets"), "kstream reads nodes"),
        (SCRAPE.replace("3001", "9090"), "kstream listens on 3001"),
        (SCRAPE.replace("job_name: kstream", "job_name: kstream, metrics_path: /prometheus"), "/prometheus"),
        ("faults: [{do: explode}]", "explode"),
        ("name: x\nsummary: y\ntimeline: [{at: 1s, do: kill-node, target: node-99}]", "node-99"),
        ("name: x\nsummry: y", "summry"),
        ("- a\n- b", "there is no document"),
    ],
)
def test_what_is_wrong_is_found(text: str, said: str, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises((AssertionError, ConfigError), match=re.escape(said)):
        check(Block("p.md", 1, "yaml", text), caplog)
