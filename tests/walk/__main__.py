"""`python -m tests.walk`: prints the walk on both kinds of cluster, side by side."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from tests.walk import steps, town
from tests.walk.sides import beside, walk

with tempfile.TemporaryDirectory() as folder:
    kinds = (town.on_redis, town.on_rabbitmq)
    left, right = (asyncio.run(walk(kind, Path(folder))) for kind in kinds)
for step in steps.STEPS:
    print(f"\n=== {step.name} ===")
    print(beside(left[step.name], right[step.name]))
