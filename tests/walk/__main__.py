"""`python -m tests.walk`: prints the walk on Redis and on RabbitMQ + PostgreSQL, side by side."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from tests.walk.sides import beside, walk
from tests.walk.steps import STEPS
from tests.walk.town import three_towns

with tempfile.TemporaryDirectory() as folder, three_towns() as (redis, rabbitmq, _):
    left = asyncio.run(walk(redis, Path(folder)))
    right = asyncio.run(walk(rabbitmq, Path(folder)))
for step in STEPS:
    print(f"\n=== {step.name} ===")
    print(beside(left[step.name], right[step.name]))
