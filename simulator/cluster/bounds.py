"""How much a simulation may be: every number that a scenario, an action or an option can grow to (docs/simulator.md).

Without them a line of YAML or one request asks for more than a machine has. What is refused is refused before anything
has been done; what can be asked for is done in steps that are small, so that others have their turn.
"""

from __future__ import annotations

from typing import Final

DAY: Final = 86_400.0  # seconds

# Objects in the cluster at once.
NODES: Final = 10_000
PODS: Final = 200_000
CONTAINERS: Final = 400_000  # of the pods that workloads ask for
NAMESPACES: Final = 5_000
WORKLOADS: Final = 5_000
ZONES: Final = 100
REPLICAS: Final = 10_000  # that one workload asks for
PODS_OF_A_WORKLOAD: Final = 20_000  # with those that are finished or on their way out
PODS_PER_NODE: Final = 500
LABELS: Final = 32  # of one object, and of one selector
CONTAINERS_OF_A_POD: Final = 16  # and as many init containers, and sidecars

# Documents.
SCENARIO_BYTES: Final = 1 << 20
SCENARIO_WORKLOADS: Final = 2_000
TIMELINE: Final = 1_000  # actions
ACTION_BYTES: Final = 16 << 10  # of an action as JSON
ACTION_DEPTH: Final = 20  # levels of an action
INJECTED: Final = 10_000  # actions by hand, in one run
ORDERS: Final = 100  # requests that wait for their turn

# Time, in seconds, and rates.
SPAN: Final = 365 * DAY  # of everything that a scenario or an action says
OVER: Final = DAY  # a scaling
EVERY: Final = 1.0  # at least, between two repetitions of an action
STEP: Final = DAY  # by hand
LIFE: Final = 36_525 * DAY  # of a simulation
CHURN: Final = 10_000.0  # events a second of simulated time
SLOWEST: Final = 0.001  # simulated seconds for a second
FASTEST: Final = 1_000_000.0
EARLIEST: Final = 31_536_000.0  # 1971-01-01: what is older than the cluster was made in 1970
LATEST: Final = 32_503_680_000.0  # 3000-01-01

# Amounts.
CPU: Final = 1_000_000  # millicores, of a node or a container
NODE_MEMORY: Final = 65_536  # GiB
MEMORY: Final = 67_108_864  # MiB, of a container

# Work.
AT_ONCE: Final = 100  # objects that are changed in one step: the rest follows in further ones
PLANNED: Final = 2_000_000  # steps that wait for their time: with more, nothing further is begun
EFFORT: Final = 1_000  # of the steps that are taken before others have their turn: some 10 ms
