from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest

from kstream.core.errors import ConfigError
from kstream.processlog.lines import fields_of
from simulator.simulation import Simulation
from simulator.story.durations import moment
from simulator.story.scenario import Scenario, load_scenario, parse_scenario, shipped
from simulator.story.schema import schema
from tests.simulator.telling import scenario_of

GOOD = "name: mine\nsummary: Mine\n"


def wrong(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_scenario(GOOD + text, where="mine.yaml")
    return str(caught.value)


def test_the_smallest_scenario_has_five_nodes_and_no_timeline() -> None:
    scenario = parse_scenario(GOOD, where="mine.yaml")
    assert scenario.cluster.nodes == 5
    assert scenario.timeline == ()


def test_an_unknown_key_is_named_with_its_line() -> None:
    said = wrong("cluster:\n  nodes: 3\n  colour: blue\n")
    assert said == "mine.yaml, line 5: cluster.colour: there is no such key"


def test_an_unknown_key_of_an_action_is_named_with_its_line() -> None:
    said = wrong(
        "timeline:\n  - {at: 1s, do: kill-node, target: node-1}\n  - at: 2s\n    do: drain\n    node: x\n"
    )
    assert "mine.yaml, line 5: timeline[1].target: this key is missing" in said
    assert "mine.yaml, line 7: timeline[1].node: there is no such key" in said


def test_an_unknown_action_is_told_what_there_is() -> None:
    said = wrong("timeline:\n  - {at: 1s, do: explode, target: node-1}\n")
    assert "line 4: timeline[0]: " in said
    assert "timeline[0]: there is no 'explode'; there are kill-node, " in said


def test_a_wrong_value_is_named_with_its_line() -> None:
    assert wrong("cluster: {nodes: 3}\nchurn: -1\n").startswith("mine.yaml, line 4: churn: ")
    assert "write 90s, 1m30s, 2h or 500ms" in wrong("duration: soon\n")


def test_what_is_no_yaml_or_no_mapping_is_refused() -> None:
    assert "is not YAML" in wrong("  bad: [")
    with pytest.raises(ConfigError, match="must be a mapping"):
        parse_scenario("- 1", where="mine.yaml")


def test_a_scenario_that_does_not_exist_names_those_that_do() -> None:
    with pytest.raises(ConfigError, match=r"no scenario 'nowhere'.*tour"):
        load_scenario("nowhere")


def test_a_scenario_is_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(GOOD + "churn: 4\n")
    assert load_scenario(str(path)).churn == 4


def test_numbers_can_be_given_instead_and_change_what_run_it_is() -> None:
    scenario = load_scenario("tour")
    other = scenario.adapted(nodes=9, pods=100, churn=0)
    assert (other.cluster.nodes, other.cluster.pods, other.churn) == (9, 100, 0)
    assert scenario.adapted() == scenario
    assert other.digest() != scenario.digest()
    with pytest.raises(ConfigError, match="--nodes"):
        scenario.adapted(nodes=0)


@pytest.mark.parametrize("name", shipped())
def test_a_shipped_scenario_is_named_as_its_file_and_described(name: str) -> None:
    scenario = load_scenario(name)
    assert scenario.name == name
    assert len(scenario.description) > 60
    assert all(action.at <= scenario.duration for action in scenario.timeline)


def test_the_shipped_schema_is_current() -> None:
    shipped_schema = (resources.files("simulator") / "scenario.schema.json").read_text("utf-8")
    assert shipped_schema == schema(), (
        "run `python -m simulator.story.schema > simulator/scenario.schema.json`"
    )


def test_the_same_content_is_the_same_scenario() -> None:
    assert (
        Scenario(name="a", summary="b").digest() == parse_scenario("summary: b\nname: a", where="").digest()
    )


def test_moments() -> None:
    assert moment("2025-01-24T10:00:00Z", now=0) == 1737712800
    assert moment("2025-01-24T10:00:00", now=0) == 1737712800
    assert moment("now", now=12.7) == 12
    with pytest.raises(ConfigError, match="is not a time"):
        moment("yesterday", now=0)


def test_a_step_that_finds_nothing_is_told_once_and_the_rest_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    text = (
        "cluster: {nodes: 2}\ntimeline:\n"
        "  - {at: 1s, every: 5s, do: kill-node, target: node-99}\n"
        "  - {at: 20s, do: cordon, target: node-1}\n"
    )
    simulation = Simulation(scenario_of(text), seed=1)
    simulation.advance(30_000, most=1 << 30)
    (record,) = [each for each in caplog.records if each.name == "simulator.simulation"]
    fields = fields_of(record)
    assert (record.getMessage(), fields["scenario"], fields["action"], fields["at"]) == (
        "not acted",
        "test",
        "kill-node",
        1.0,
    )
    assert fields["message"] == "There is no node node-99"
    assert "node-1" in fields["details"]
