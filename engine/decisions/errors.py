"""The one error of decisions."""
from __future__ import annotations

from engine.kernel.errors import Invalid


class DecisionError(Invalid):
    """A decision file can't be read, or a decision can't be made; ``message`` is Chinese and names the decision and the cell."""

    code = "decision"
