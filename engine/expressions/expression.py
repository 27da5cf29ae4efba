"""What the rest of the engine holds: compiled expressions and unary tests."""
from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

from engine.expressions.all_builtins import BUILTINS
from engine.expressions.compare import contained
from engine.expressions.compile_logic import Test, constants_of, test_any, test_of
from engine.expressions.compiler import Compiler, has_loops
from engine.expressions.errors import FeelError, LimitReached, Problem
from engine.expressions.limits import BUDGET, Budget
from engine.expressions.nodes import Name, Node, RangeLiteral, children
from engine.expressions.nodes import UnaryTests as TestsNode
from engine.expressions.numbers import from_python
from engine.expressions.parser import Parser
from engine.expressions.scanner import NameTable
from engine.expressions.scopes import Code, Scope
from engine.expressions.types import Type

_BUILTIN_NAMES = NameTable()


def _parser(text: str, names: Collection[str], members: NameTable | None, types: Mapping[str, Type] | None) -> Parser:
    if not isinstance(text, str):
        raise FeelError("表达式应是文本")
    if len(BUILTINS) != _parser_names:
        _fill_names()
    return Parser(text, builtins=_BUILTIN_NAMES, names=names, members=members, types=types)


_parser_names = 0


def _fill_names() -> None:
    global _parser_names
    for name in BUILTINS:
        _BUILTIN_NAMES.add(name)
    _parser_names = len(BUILTINS)


def as_scope(context: Mapping[str, Any], loops: bool) -> Scope:
    """The context as the dict that closures read; copied when a budget must be put into it."""
    if not loops:
        return context if type(context) is dict else dict(context)
    scope: Scope = dict(context)
    if BUDGET not in scope:
        scope[BUDGET] = Budget()
    return scope


_READY = frozenset({bool, Decimal, str, type(None)})


def finished(value: Any) -> Any:
    """A result as promised: numbers are Decimal."""
    kind = type(value)
    if kind is int or kind is float:
        try:
            return from_python(value)
        except Problem:
            return None
    return value


def _too_deep(_error: RecursionError) -> FeelError:
    return LimitReached("计算嵌套太深，已停止")


class Expression:
    """A compiled expression.

    ``names`` are the names it needs from the context. ``evaluate(context)`` gives the value; a semantic error is null (None), as
    DMN says. ``evaluate_strict(context)`` raises FeelError for an unknown name, a wrong type or a failed operation; null itself
    stays null. Both raise LimitReached when a bound of ``limits`` is passed. The context is never changed.
    """

    __slots__ = ("text", "names", "tree", "_run", "_strict", "_loops", "_simple", "_declared")

    def __init__(self, text: str, tree: Node, declared: Collection[str]) -> None:
        self.text = text
        self.tree = tree
        self._declared = declared
        self._loops = has_loops(tree)
        self._simple = not self._loops
        self._strict: Code | None = None
        compiler = Compiler(text, strict=False, declared=declared, loops=self._loops)
        self._run = compiler.code(tree, None)
        self.names = frozenset(compiler.free)

    def evaluate(self, context: Mapping[str, Any]) -> Any:
        try:
            value = self._run(context if self._simple and type(context) is dict else as_scope(context, self._loops))
            return value if type(value) in _READY else finished(value)
        except RecursionError as error:
            raise _too_deep(error) from None

    def evaluate_strict(self, context: Mapping[str, Any]) -> Any:
        try:
            code = self._strict or self.strict_code
            value = code(context if self._simple and type(context) is dict else as_scope(context, self._loops))
            return value if type(value) in _READY else finished(value)
        except RecursionError as error:
            raise _too_deep(error) from None

    @property
    def code(self) -> Code:
        """The closure itself, for decisions; its scope must hold a budget."""
        return self._run

    @property
    def strict_code(self) -> Code:
        if self._strict is None:
            self._strict = Compiler(self.text, strict=True, declared=self._declared, loops=self._loops).code(self.tree, None)
        return self._strict

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"


class UnaryTests:
    """A compiled cell of a decision table: ``-``, ``< 5``, ``"a", "b"``, ``not([1..3])``, ``? > 3 and ? < 9``.

    ``matches(value, context)`` gives True, False, or None when it can't be told. ``matches_strict`` raises FeelError instead of
    giving None for a wrong type or an unknown name.
    """

    __slots__ = ("text", "names", "tree", "_run", "_strict", "_loops", "_declared")

    def __init__(self, text: str, tree: TestsNode, declared: Collection[str]) -> None:
        self.text = text
        self.tree = tree
        self._declared = declared
        self._loops = has_loops(tree)
        self._strict: Test | None = None
        compiler = Compiler(text, strict=False, declared=declared, loops=self._loops)
        self._run = _tests_code(compiler, tree)
        self.names = frozenset(compiler.free - {"?"})

    def matches(self, value: Any, context: Mapping[str, Any]) -> bool | None:
        return self._answer(self._run, value, context)

    def matches_strict(self, value: Any, context: Mapping[str, Any]) -> bool | None:
        return self._answer(self.strict_code, value, context)

    def _answer(self, code: Test, value: Any, context: Mapping[str, Any]) -> bool | None:
        try:
            return code(value, as_scope(context, self._loops))
        except RecursionError as error:
            raise _too_deep(error) from None

    @property
    def code(self) -> Test:
        return self._run

    @property
    def strict_code(self) -> Test:
        if self._strict is None:
            self._strict = _tests_code(Compiler(self.text, strict=True, declared=self._declared, loops=self._loops), self.tree)
        return self._strict

    def constants(self) -> frozenset[Any] | None:
        """The values of a cell that holds only texts, or only numbers; None for every other cell."""
        if self.tree.anything or self.tree.negated:
            return None
        found = [constants_of(node) for node in self.tree.tests]
        values = frozenset().union(*(part for part in found if part is not None))
        return values if found and None not in found and len({type(value) for value in values}) == 1 else None

    def __repr__(self) -> str:
        return f"UnaryTests({self.text!r})"


def _tests_code(compiler: Compiler, tree: TestsNode) -> Test:
    if tree.anything:
        return lambda value, scope: True
    test = test_any([_cell_test(compiler, node) for node in tree.tests])
    if not tree.negated:
        return test

    def negated(value: Any, scope: Scope) -> Any:
        answer = test(value, scope)
        return None if answer is None else not answer
    return negated


def _uses_input(root: Node) -> bool:
    stack = [root]
    while stack:
        node = stack.pop()
        if isinstance(node, Name) and node.name == "?":
            return True
        stack.extend(children(node))
    return False


def _cell_test(compiler: Compiler, node: Node) -> Test:
    if not _uses_input(node):
        return test_of(compiler, node, None) if not _may_be_boolean(node) else _boolean_test(compiler, node)
    code = compiler.code(node, None)
    plain = isinstance(node, Name)

    def run(value: Any, scope: Scope) -> Any:
        answer = code({**scope, "?": value})
        return contained(value, answer) if plain else answer if answer is True or answer is None else False
    if not isinstance(node, RangeLiteral):
        return run
    test = test_of(compiler, node, None)
    return lambda value, scope: test(value, {**scope, "?": value})


def _may_be_boolean(node: Node) -> bool:
    from engine.expressions import nodes
    return isinstance(node, (nodes.Comparison, nodes.Junction, nodes.Between, nodes.In, nodes.Quantified, nodes.InstanceOf, nodes.Call))


def _boolean_test(compiler: Compiler, node: Node) -> Test:
    """A condition in a cell that does not mention the input: true matches; any other value is compared with the input."""
    code, fail = compiler.code(node, None), compiler.failure(node)

    def run(value: Any, scope: Scope) -> Any:
        answer = code(scope)
        if type(answer) is bool and type(value) is not bool:
            return answer
        try:
            return contained(value, answer)
        except Problem as problem:
            return fail(problem)
    return run


def build_expression(
    text: str, *, names: Collection[str] = (), members: NameTable | None = None, types: Mapping[str, Type] | None = None,
) -> Expression:
    """Compiles with the named types and known context keys of a decision model; not cached."""
    return _within_stack(lambda: Expression(text, _parser(text, names, members, types).expression(), frozenset(names)))


def build_unary_tests(
    text: str, *, names: Collection[str] = (), members: NameTable | None = None, types: Mapping[str, Type] | None = None,
) -> UnaryTests:
    """As ``build_expression``, for a cell."""
    return _within_stack(lambda: UnaryTests(text, _parser(text, [*names, "?"], members, types).unary_tests(), frozenset(names)))


def _within_stack(make: Callable[[], Any]) -> Any:
    try:
        return make()
    except RecursionError as error:
        raise _too_deep(error) from None


@lru_cache(maxsize=4096)
def _cached_expression(text: str, names: frozenset[str]) -> Expression:
    return build_expression(text, names=names)


@lru_cache(maxsize=4096)
def _cached_tests(text: str, names: frozenset[str]) -> UnaryTests:
    return build_unary_tests(text, names=names)


def compile_expression(text: str, *, names: Collection[str] = ()) -> Expression:
    """Compiles a FEEL expression; the same text and names give the same object.

    ``names`` are the names that the context will have. They are needed only where a name holds a sign or a keyword (``a-b``,
    ``profit and loss``) or hides a built-in function. Raises FeelError with line, column and a Chinese message.
    """
    return _cached_expression(text, frozenset(names))


def compile_unary_tests(text: str, *, names: Collection[str] = ()) -> UnaryTests:
    """Compiles the text of a decision table's input cell; raises FeelError."""
    return _cached_tests(text, frozenset(names))


def referenced_names(text: str, *, names: Collection[str] = ()) -> frozenset[str]:
    """The names that an expression needs from its context (no built-ins, no local variables); raises FeelError."""
    return compile_expression(text, names=names).names


__all__ = ["Decimal", "Expression", "UnaryTests", "build_expression", "build_unary_tests", "compile_expression", "compile_unary_tests",
           "referenced_names"]
