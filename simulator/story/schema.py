"""The JSON Schema of a scenario, for editors: `python -m simulator.story.schema > simulator/scenario.schema.json`."""

from __future__ import annotations

import json
import sys

from simulator.story.scenario import Scenario


def schema() -> str:
    """As it is shipped, with a newline at the end."""
    made = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A kstream scenario",
        **Scenario.model_json_schema(),
    }
    return json.dumps(made, indent=2) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema())
