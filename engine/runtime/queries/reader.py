"""Who reads, as the named statements ask for it."""
from __future__ import annotations

from typing import Any

from engine.access.actors import Actor


def reader(actor: Actor) -> dict[str, Any]:
    """``person``, ``units`` and ``posts`` pairwise, and ``on``: the day on which deputies count."""
    return {"person": actor.person_id, "units": [unit for unit, _ in actor.posts], "posts": [post for _, post in actor.posts], "on": actor.on}
