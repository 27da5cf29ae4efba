"""Bounds on what an expression may cost. Every evaluation ends: by result, by null, or by ``LimitReached``."""
from __future__ import annotations

import time

from engine.expressions.errors import LimitReached

MAX_TEXT = 20_000          # characters of one expression
MAX_DEPTH = 160          # nesting; a bracket counts two or three times
MAX_HEIGHT = 150           # height of the tree after parsing
MAX_NODES = 6_000          # nodes of the tree
MAX_LIST = 100_000         # items of a list made by an expression
MAX_STRING = 100_000       # characters of a string made by an expression
MAX_STEPS = 1_000_000      # iterations and calls of one evaluation
MAX_CALLS = 60             # nesting of calls of defined functions
MAX_SECONDS = 5.0          # backstop on the clock for one evaluation
MAX_PATTERN = 500          # characters of a regular expression
MAX_MATCH_STEPS = 500_000  # steps of one regular expression match

BUDGET = 0                 # key of the budget in a scope: no name of FEEL is a number


class Budget:
    """What is left of one evaluation's allowance."""

    __slots__ = ("left", "depth", "deadline")

    def __init__(self) -> None:
        self.left = MAX_STEPS
        self.depth = 0
        self.deadline = time.monotonic() + MAX_SECONDS

    def tick(self) -> None:
        """Counts one iteration or call."""
        left = self.left = self.left - 1
        if not left & 63 or left < 0:
            self._check()

    def spend(self, steps: int) -> None:
        """Counts ``steps`` at once."""
        before = self.left
        left = self.left = before - steps
        if left < 0 or before >> 6 != left >> 6:
            self._check()

    def _check(self) -> None:
        if self.left < 0:
            raise LimitReached(f"计算步数超过 {MAX_STEPS}，已停止")
        if time.monotonic() > self.deadline:
            raise LimitReached(f"计算时间超过 {MAX_SECONDS:.0f} 秒，已停止")

    def enter(self) -> None:
        """Counts one call of a defined function; ``leave`` ends it."""
        self.tick()
        self.depth += 1
        if self.depth > MAX_CALLS:
            raise LimitReached(f"函数嵌套调用超过 {MAX_CALLS} 层，已停止")

    def leave(self) -> None:
        self.depth -= 1
