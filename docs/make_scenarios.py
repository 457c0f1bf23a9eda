"""Writes docs/scenarios.md and a picture of each scenario's timeline: `python docs/make_scenarios.py`.

The pictures are of a run with seed 1: the same run, the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from simulator.cluster.objects import Pod
from simulator.fingerprint import scenario_for_hash
from simulator.simulation import Simulation
from simulator.story.actions import Action
from simulator.story.scenario import DEFAULT, Scenario, load_scenario, shipped

HERE = Path(__file__).parent
COLUMNS = 160
WIDTH, HEIGHT, TOP, BOTTOM, LEFT, RIGHT = 900, 250, 34, 40, 44, 12
COLOURS = {
    "ready": ("#3d9970", "ready"),
    "starting": ("#f2c14e", "pending, starting, not ready"),
    "failing": ("#d1495b", "failing: crashing, no image, evicted, failed"),
    "leaving": ("#9aa5b1", "terminating"),
    "done": ("#5c80bc", "completed"),
}


class Sample(NamedTuple):
    pods: dict[str, int]
    ready_nodes: int
    nodes: int


def kind_of(pod: Pod) -> str:
    """How a person would see it: a colour of the picture."""
    if pod.phase == "Succeeded":
        return "done"
    if pod.phase == "Failed":
        return "failing"
    if pod.deletion is not None:
        return "leaving"
    if pod.ready:
        return "ready"
    reasons = {container.reason for container in pod.containers} - {"", "Completed"}
    return "starting" if reasons <= {"ContainerCreating", "PodInitializing"} else "failing"


def samples(scenario: Scenario) -> Iterator[Sample]:
    simulation = Simulation(scenario, seed=1)
    simulation.cluster.quiet = True
    for column in range(COLUMNS + 1):
        simulation.advance(round(scenario.duration * 1000 * column / COLUMNS), most=1 << 30)
        pods = dict.fromkeys(COLOURS, 0)
        for pod in simulation.cluster.pods.values():
            pods[kind_of(pod)] += 1
        nodes = simulation.cluster.nodes.values()
        yield Sample(pods, sum(node.ready for node in nodes), len(nodes))


def span(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m{rest:02}s" if minutes and rest else f"{minutes}m" if minutes else f"{rest}s"


def described(action: Action) -> str:
    """The action as one writes it: `scale shop/web replicas=9`."""
    value = action.model_dump(mode="json", exclude_defaults=True, exclude={"at", "every", "do", "target"})
    words = [action.do, getattr(action, "target", "")]
    for key, item in value.items():
        if key == "workload":
            words.append(
                f"{item.get('kind', 'Deployment')} {item.get('namespace', 'default')}/{item['name']}"
            )
        elif key == "fault":
            words.append(f"({item['kind']})")
        else:
            words.append(f"{key}={span(item) if key in ('over', 'reboot') else item}")
    return " ".join(word for word in words if word)


def picture(scenario: Scenario, shown: Scenario) -> str:
    """Pods by how they are, stacked, with nodes as a line and the actions as numbered marks."""
    taken = list(samples(scenario))
    most = max(sum(sample.pods.values()) for sample in taken)
    wide, high = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def x(column: float) -> str:
        return f"{LEFT + wide * column / COLUMNS:.1f}"

    def y(share: float) -> str:
        return f"{TOP + high * (1 - share):.1f}"

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        f'font-size="11" role="img"><title>{scenario.name}: {shown.summary}</title>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
    ]
    below = [0] * len(taken)
    for kind, (colour, _) in COLOURS.items():
        above = [low + sample.pods[kind] for low, sample in zip(below, taken, strict=True)]
        if above != below:
            points = [(x(i), y(v / most)) for i, v in enumerate(above)]
            under = [(x(i), y(v / most)) for i, v in enumerate(below)]
            outline = " ".join(corners(points) + corners(under[::-1]))
            parts.append(f'<polygon fill="{colour}" points="{outline}"/>')
        below = above
    nodes = max(sample.nodes for sample in taken)
    line = " ".join(corners([(x(i), y(0.97 * s.ready_nodes / nodes)) for i, s in enumerate(taken)]))
    parts.append(f'<polyline fill="none" stroke="#1b263b" stroke-width="1.5" points="{line}"/>')
    for number, at in enumerate(marks(shown), 1):
        mark = x(COLUMNS * at / scenario.duration)
        parts.append(
            f'<path d="M{mark} {TOP - 6}V{HEIGHT - BOTTOM}" stroke="#1b263b" stroke-dasharray="2 3"/>'
            f'<text x="{mark}" y="{TOP - 10 - (number % 2) * 11}" text-anchor="middle">{number}</text>'
        )
    for quarter in range(5):
        moment = span(scenario.duration * quarter / 4)
        parts.append(
            f'<text x="{x(COLUMNS * quarter / 4)}" y="{HEIGHT - BOTTOM + 14}" text-anchor="middle">{moment}</text>'
        )
    parts.append(f'<text x="{LEFT - 5}" y="{y(1)}" text-anchor="end">{most}</text>')
    parts.append(f'<text x="{LEFT - 5}" y="{y(0)}" text-anchor="end">0</text>')
    place = LEFT
    for kind, (colour, label) in COLOURS.items():
        if any(sample.pods[kind] for sample in taken):
            parts.append(
                f'<rect x="{place}" y="{HEIGHT - 16}" width="10" height="10" fill="{colour}"/>'
                f'<text x="{place + 14}" y="{HEIGHT - 7}">{label}</text>'
            )
            place += 26 + 6 * len(label)
    parts.append(
        f'<path d="M{place} {HEIGHT - 11}h10" stroke="#1b263b" stroke-width="1.5"/>'
        f'<text x="{place + 14}" y="{HEIGHT - 7}">ready nodes, of {nodes}</text></svg>'
    )
    return "\n".join(parts) + "\n"


def corners(points: list[tuple[str, str]]) -> list[str]:
    """The points without those in the middle of a level stretch."""
    last = len(points) - 1
    return [
        f"{x},{y}"
        for i, (x, y) in enumerate(points)
        if i in (0, last) or not points[i - 1][1] == y == points[i + 1][1]
    ]


def marks(scenario: Scenario) -> list[float]:
    """When something is done, each moment once."""
    return sorted({action.at for action in scenario.timeline})


def page() -> str:
    parts = [
        "# Scenarios",
        "",
        "<!-- Made by docs/make_scenarios.py from simulator/scenarios/*.yaml. -->",
        "",
        "`kstream simulate --scenario NAME` runs one of these, `kstream simulate --list` names them, and",
        "`--scenario FILE` runs your own ([how to write one](simulator.md#scenarios-of-your-own)). The pictures",
        "are of the run with seed 1: pods by how they are, ready nodes as a line, and what the timeline does.",
    ]
    names = [DEFAULT, *(name for name in shipped() if name != DEFAULT)]
    for name in names:
        scenario = load_scenario(name)
        parts += [
            "",
            f"## {name}",
            "",
            f"{scenario.summary}.",
            "",
            " ".join(scenario.description.split()),
            "",
            f"![The timeline of {name}](scenarios/{name}.svg)",
            "",
        ]
        small = scenario_for_hash(name)
        if small != scenario:
            spec = small.cluster
            parts += [
                f"The picture is of the same at a smaller size: {spec.nodes} nodes and {spec.pods} pods.",
                "",
            ]
        if scenario.timeline:
            parts += ["| | at | what |", "|---|---|---|"]
            for number, at in enumerate(marks(scenario), 1):
                for action in scenario.timeline:
                    if action.at == at:
                        again = f", then every {span(action.every)}" if action.every else ""
                        parts.append(f"| {number} | {span(at)}{again} | `{described(action)}` |")
    return "\n".join(parts) + "\n"


def documents() -> dict[str, str]:
    """File name under docs/ → its content."""
    made = {"scenarios.md": page()}
    for name in shipped():
        made[f"scenarios/{name}.svg"] = picture(scenario_for_hash(name), load_scenario(name))
    return made


def main() -> None:
    (HERE / "scenarios").mkdir(exist_ok=True)
    for name, text in documents().items():
        (HERE / name).write_text(text, "utf-8")


if __name__ == "__main__":
    main()
