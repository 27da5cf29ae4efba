"""The tree that the parser makes and the compiler reads. ``at`` is the character position in the text."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class Node:
    at: int


@dataclass(slots=True)
class Literal(Node):
    value: Any


@dataclass(slots=True)
class Name(Node):
    name: str


@dataclass(slots=True)
class ListLiteral(Node):
    items: list[Node]


@dataclass(slots=True)
class ContextLiteral(Node):
    entries: list[tuple[str, Node, int]]


@dataclass(slots=True)
class RangeLiteral(Node):
    start: Node | None
    end: Node | None
    start_included: bool
    end_included: bool
    operator: str = ""


@dataclass(slots=True)
class Chain(Node):
    """``first op operand op operand …`` of one precedence, from the left."""

    first: Node
    rest: list[tuple[str, Node, int]]
    level: int = 0


@dataclass(slots=True)
class Negation(Node):
    operand: Node


@dataclass(slots=True)
class Junction(Node):
    """``and`` or ``or`` over two or more operands."""

    word: str
    operands: list[Node]


@dataclass(slots=True)
class Comparison(Node):
    sign: str
    left: Node
    right: Node


@dataclass(slots=True)
class Between(Node):
    value: Node
    low: Node
    high: Node


@dataclass(slots=True)
class In(Node):
    """``value in (test, test)``; a test is a RangeLiteral or an expression."""

    value: Node
    tests: list[Node]


@dataclass(slots=True)
class InstanceOf(Node):
    value: Node
    type: Any


@dataclass(slots=True)
class Path(Node):
    base: Node
    name: str


@dataclass(slots=True)
class Filter(Node):
    base: Node
    condition: Node


@dataclass(slots=True)
class Call(Node):
    function: Node
    arguments: list[Node]
    names: list[str] | None


@dataclass(slots=True)
class If(Node):
    condition: Node
    then: Node
    otherwise: Node


@dataclass(slots=True)
class For(Node):
    iterators: list[tuple[str, Node]]
    result: Node


@dataclass(slots=True)
class IterationRange(Node):
    """``a..b`` as the domain of ``for``."""

    start: Node
    end: Node


@dataclass(slots=True)
class Quantified(Node):
    word: str
    iterators: list[tuple[str, Node]]
    condition: Node


@dataclass(slots=True)
class FunctionDefinition(Node):
    parameters: list[tuple[str, Any]]
    body: Node
    external: bool = False


@dataclass(slots=True)
class UnaryTests(Node):
    """``-`` (no tests), ``not(…)`` or a list of positive tests."""

    tests: list[Node]
    negated: bool
    anything: bool


def children(node: Node) -> list[Node]:
    """The nodes directly below."""
    match node:
        case ListLiteral(items=items):
            return items
        case ContextLiteral(entries=entries):
            return [entry[1] for entry in entries]
        case RangeLiteral(start=start, end=end):
            return [part for part in (start, end) if part is not None]
        case Chain(first=first, rest=rest):
            return [first, *(part[1] for part in rest)]
        case Negation(operand=operand):
            return [operand]
        case Junction(operands=operands):
            return operands
        case Comparison(left=left, right=right):
            return [left, right]
        case Between(value=value, low=low, high=high):
            return [value, low, high]
        case In(value=value, tests=tests):
            return [value, *tests]
        case InstanceOf(value=value):
            return [value]
        case Path(base=base):
            return [base]
        case Filter(base=base, condition=condition):
            return [base, condition]
        case Call(function=function, arguments=arguments):
            return [function, *arguments]
        case If(condition=condition, then=then, otherwise=otherwise):
            return [condition, then, otherwise]
        case For(iterators=iterators, result=result):
            return [*(part[1] for part in iterators), result]
        case IterationRange(start=start, end=end):
            return [start, end]
        case Quantified(iterators=iterators, condition=condition):
            return [*(part[1] for part in iterators), condition]
        case FunctionDefinition(body=body):
            return [body]
        case UnaryTests(tests=tests):
            return tests
        case _:
            return []


def measure(node: Node, limit: int) -> tuple[int, int]:
    """Height and number of nodes of a tree, without recursion; stops early above ``limit`` nodes."""
    height, count, stack = 0, 0, [(node, 1)]
    while stack and count <= limit:
        current, depth = stack.pop()
        count += 1
        height = max(height, depth)
        stack.extend((child, depth + 1) for child in children(current))
    return height, count
