"""Turns the tree into Python closures, once. A closure takes the scope (a dict) and gives the value.

Lenient code makes null of every semantic error, as DMN says; strict code raises FeelError at the place.
"""
from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from engine.expressions import compile_calls, compile_collections, compile_fast, compile_logic, nodes
from engine.expressions.errors import FeelError, Problem, place
from engine.expressions.nodes import Node, children
from engine.expressions.scopes import Code, Frame, Scope

Failure = Callable[[Problem], Any]


def _null(_problem: Problem) -> None:
    return None


class Compiler:
    """One compilation of one text. ``free`` collects the names that the context must give."""

    def __init__(self, text: str, *, strict: bool, declared: Collection[str] = (), loops: bool = False) -> None:
        self.text = text
        self.strict = strict
        self.declared = frozenset(declared)
        self.loops = loops
        self.free: set[str] = set()
        self._slots = 0

    def slot(self) -> int:
        """A new number for a local variable (0 is the budget)."""
        self._slots += 1
        return self._slots

    def failure(self, node: Node) -> Failure:
        """What to do with a Problem at a node."""
        if not self.strict:
            return _null
        line, column = place(self.text, node.at)

        def fail(problem: Problem) -> Any:
            raise FeelError(problem.message, line, column)
        return fail

    def code(self, node: Node, frame: Frame | None) -> Code:
        """The closure of a node."""
        fast = compile_fast.special(self, node, frame)
        return fast if fast is not None else _MAKERS[type(node)](self, node, frame)

    def guarded(self, node: Node, run: Code) -> Code:
        """``run`` whose Problems become null or FeelError."""
        fail = self.failure(node)

        def guard(scope: Scope) -> Any:
            try:
                return run(scope)
            except Problem as problem:
                return fail(problem)
        return guard


def has_loops(root: Node) -> bool:
    """Whether evaluation may take more steps than the tree has nodes, and so needs a budget."""
    stack = [root]
    while stack:
        node = stack.pop()
        if isinstance(node, (nodes.For, nodes.Quantified, nodes.Filter, nodes.FunctionDefinition)):
            return True
        stack.extend(children(node))
    return False


_MAKERS: dict[type, Callable[[Compiler, Any, Frame | None], Code]] = {
    **compile_logic.MAKERS, **compile_collections.MAKERS, **compile_calls.MAKERS,
}
