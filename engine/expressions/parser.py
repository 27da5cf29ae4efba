"""The grammar of FEEL (DMN 1.5, chapter 10): precedence climbing over the scanner, into the tree of ``nodes``."""
from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from engine.expressions.errors import FeelError, Problem, place
from engine.expressions.limits import MAX_DEPTH, MAX_HEIGHT, MAX_NODES
from engine.expressions.nodes import (
    Between, Call, Chain, Comparison, ContextLiteral, Filter, For, FunctionDefinition, If, In, InstanceOf, IterationRange, Junction,
    ListLiteral, Literal, Name, Negation, Node, Path, Quantified, RangeLiteral, UnaryTests, measure,
)
from engine.expressions.scanner import KEYWORDS, NameTable, Scanner, Token
from engine.expressions.temporal_text import parse_any
from engine.expressions.type_parser import parse_type
from engine.expressions.types import ANY, Type

_COMPARISONS = ("=", "!=", "<", "<=", ">", ">=")
_NAMED = re.compile(r"[^()\[\]{}\",:<>=]*(?=:)")
_MAX_RETRIES = 40
_LOOSEST, _COMPARISON, _ADDITIVE = 0, 2, 3
_LEVELS = {
    "or": 0, "and": 1, **dict.fromkeys((*_COMPARISONS, "between", "in"), _COMPARISON), "+": _ADDITIVE, "-": _ADDITIVE, "*": 4, "/": 4, "**": 5,
}


class Parser:
    """One parse of one text. ``names`` are the names in scope, ``members`` further keys of contexts, ``types`` the named types."""

    def __init__(
        self, text: str, *, builtins: NameTable, names: Collection[str] = (), members: Collection[str] = (),
        types: Mapping[str, Type] | None = None,
    ) -> None:
        self.scan = Scanner(text, [builtins, NameTable(names)])
        for member in members:
            self.scan.members.add(member)
        self.types = types or {}
        self.depth = 0
        self.retries = 0
        self.in_endpoint = False

    # entry points

    def expression(self) -> Node:
        node = self._textual()
        self._end()
        return self._bounded(node)

    def unary_tests(self) -> UnaryTests:
        at = self.scan.peek().start
        if self.scan.text.strip() in ("-", ""):
            return UnaryTests(at, [], False, True)
        negated = False
        token = self.scan.peek()
        if token.kind == "keyword" and token.value == "not":
            negated = self._is_negated_tests(token)
            if negated:
                self.scan.take()
                self._expect("(")
        tests = self._tests()
        if negated:
            self._expect(")")
        self._end()
        node = UnaryTests(at, tests, negated, False)
        self._bounded(node)
        return node

    def _is_negated_tests(self, token: Token) -> bool:
        """``not(…)`` spans the whole text (else it is the function, as in ``not(a) and b``)."""
        text, depth, quoted = self.scan.text, 0, False
        for position in range(token.end, self.scan.size):
            char = text[position]
            if char == '"' and text[position - 1] != "\\":
                quoted = not quoted
            elif not quoted and char in "()":
                depth += 1 if char == "(" else -1
                if not depth:
                    return self.scan.skip(position + 1) >= self.scan.size
        return False

    def _bounded(self, node: Node) -> Node:
        height, count = measure(node, MAX_NODES)
        if count > MAX_NODES:
            raise FeelError(f"表达式太大，超过 {MAX_NODES} 个成分")
        if height > MAX_HEIGHT:
            raise FeelError(f"表达式嵌套超过 {MAX_HEIGHT} 层")
        return node

    def _end(self) -> None:
        token = self.scan.peek()
        if token.kind != "end":
            self._unexpected(token)

    def _unexpected(self, token: Token) -> None:
        if token.kind == "end":
            self.scan.fail("表达式不完整")
        shown = self.scan.text[token.start:min(token.end, token.start + 30)]
        self.scan.fail(f"此处不应出现“{shown}”")

    # helpers

    @contextmanager
    def _nested(self) -> Iterator[None]:
        """Inside brackets ``[`` is a filter again, even at the end of a range."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.scan.fail(f"表达式嵌套超过 {MAX_DEPTH} 层")
        endpoint, self.in_endpoint = self.in_endpoint, False
        try:
            yield
        finally:
            self.in_endpoint = endpoint
            self.depth -= 1

    @contextmanager
    def _names(self, *names: str) -> Iterator[NameTable]:
        table = NameTable(names)
        self.scan.tables.append(table)
        try:
            yield table
        finally:
            self.scan.tables.pop()

    def _is(self, kind: str, *values: str) -> bool:
        token = self.scan.peek()
        return token.kind == kind and token.value in values

    def _accept(self, sign: str) -> bool:
        if self._is("sign", sign):
            self.scan.take()
            return True
        return False

    def _expect(self, sign: str) -> Token:
        token = self.scan.peek()
        if token.kind != "sign" or token.value != sign:
            found = "" if token.kind == "end" else f"，得到“{self.scan.text[token.start:min(token.end, token.start + 30)]}”"
            self.scan.fail(f"此处应是“{sign}”{found}")
        return self.scan.take()

    def _expect_word(self, word: str) -> None:
        if not self._is("keyword", word):
            self.scan.fail(f"此处应是 {word}")
        self.scan.take()

    # expressions, from the loosest

    def _textual(self) -> Node:
        with self._nested():
            token = self.scan.peek()
            if token.kind == "keyword":
                match token.value:
                    case "if":
                        return self._if()
                    case "for":
                        return self._for()
                    case "some" | "every":
                        return self._quantified()
                    case "function":
                        return self._postfix(self._function())
            return self._binary(_LOOSEST)

    def _binary(self, minimum: int, left: Node | None = None) -> Node:
        """Precedence climbing; ``left`` is an operand that was read already."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.scan.fail(f"表达式嵌套超过 {MAX_DEPTH} 层")
        node = self._unary() if left is None else left
        rounds = 0
        while True:
            token = self.scan.peek()
            level = _LEVELS.get(token.value, -1) if token.kind in ("sign", "keyword") else -1
            if level < minimum:
                self.depth -= 1
                return node
            self.scan.take()
            rounds += level == _COMPARISON
            if rounds > MAX_DEPTH:
                self.scan.fail("连续比较太多")
            node = self._combined(token, level, node)

    def _combined(self, token: Token, level: int, left: Node) -> Node:
        sign = token.value
        if level == _COMPARISON:
            return self._comparison(token, left)
        right = self._binary(level + 1)
        if level < _COMPARISON:
            if isinstance(left, Junction) and left.word == sign:
                left.operands.append(right)
                return left
            return Junction(left.at, sign, [left, right])
        if isinstance(left, Chain) and left.level == level:
            left.rest.append((sign, right, token.start))
            return left
        return Chain(left.at, left, [(sign, right, token.start)], level)

    def _comparison(self, token: Token, left: Node) -> Node:
        if token.value == "between":
            low = self._binary(_ADDITIVE)
            self._expect_word("and")
            return Between(token.start, left, low, self._binary(_ADDITIVE))
        if token.value == "in":
            return In(token.start, left, self._in_tests())
        return Comparison(token.start, token.value, left, self._binary(_ADDITIVE))

    def _unary(self) -> Node:
        token = self.scan.peek()
        if token.kind == "sign" and token.value == "-":
            self.scan.take()
            operand = self._negated()
            if isinstance(operand, Literal) and token.end == operand.at and not isinstance(operand.value, str):
                return self._negative(token, operand)
            return Negation(token.start, operand)
        return self._instance()

    def _negated(self) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.scan.fail(f"表达式嵌套超过 {MAX_DEPTH} 层")
        operand = self._unary()
        self.depth -= 1
        return operand

    def _negative(self, token: Token, operand: Literal) -> Node:
        from decimal import Decimal
        if isinstance(operand.value, Decimal):
            return Literal(token.start, -operand.value if operand.value else operand.value)
        return Negation(token.start, operand)

    def _instance(self) -> Node:
        node = self._postfix(self._operand())
        while self._is("keyword", "instance"):
            token = self.scan.take()
            start = self.scan.skip(self.scan.position)
            if self.scan.text[start:start + 2] != "of":
                self.scan.fail("instance 后面应是 of", start)
            self.scan.jump(start + 2)
            node = InstanceOf(token.start, node, parse_type(self.scan, self.types))
        return node

    # what follows an operand

    def _postfix(self, node: Node) -> Node:
        rounds = 0
        while True:
            token = self.scan.peek()
            if token.kind != "sign" or token.value not in (".", "[", "("):
                return node
            rounds += 1
            if rounds > MAX_DEPTH:
                self.scan.fail("连续取值太多")
            if token.value == ".":
                self.scan.take()
                node = Path(token.start, node, self.scan.take_member().value)
            elif token.value == "(":
                node = self._call(node)
            elif self.in_endpoint:
                filtered = self._maybe_filter(node)
                if filtered is None:
                    return node
                node = filtered
            else:
                node = self._filter(node)

    def _filter(self, base: Node) -> Node:
        token = self._expect("[")
        self.scan.member_scope += 1
        try:
            with self._names("item"):
                self.scan.jump(token.end)
                condition = self._textual()
                self._expect("]")
        finally:
            self.scan.member_scope -= 1
        return Filter(token.start, base, condition)

    def _maybe_filter(self, base: Node) -> Node | None:
        """In ``[a..b[`` the last bracket closes the range; in ``[a..b[1]]`` it filters. Tries the filter first."""
        position, depth = self.scan.position, self.depth
        self.retries += 1
        if self.retries > _MAX_RETRIES:
            return None
        try:
            node = self._filter(base)
            if self._is("sign", "]", ")", "[", ".", "(", "+", "-", "*", "/", "**"):
                return node
        except FeelError:
            pass
        self.depth = depth
        self.scan.jump(position)
        return None

    def _call(self, function: Node) -> Node:
        token = self._expect("(")
        arguments: list[Node] = []
        names: list[str] = []
        while not self._is("sign", ")"):
            named = _NAMED.match(self.scan.text, self.scan.skip(self.scan.position))
            if named and named[0].split() and named[0].split()[0] not in KEYWORDS - {"in", "for", "some", "every"}:
                names.append(" ".join(named[0].split()))
                self.scan.jump(named.end() + 1)
            arguments.append(self._textual())
            if len(names) not in (0, len(arguments)):
                self.scan.fail("参数要么全部写名称，要么都不写", token.start)
            if not self._accept(","):
                break
        self._expect(")")
        if len(set(names)) != len(names):
            self.scan.fail("参数名重复", token.start)
        return Call(function.at, function, arguments, names or None)

    # operands

    def _operand(self) -> Node:
        token = self.scan.peek()
        if token.kind in ("number", "string"):
            self.scan.take()
            return Literal(token.start, token.value)
        if token.kind == "at":
            self.scan.take()
            return self._at_literal(token)
        if token.kind == "name":
            self.scan.take()
            return Name(token.start, token.value)
        if token.kind == "keyword":
            return self._keyword_operand(token)
        match token.value:
            case "(":
                return self._parenthesis()
            case "[":
                return self._bracket()
            case "]":
                self.scan.take()
                return self._range(token.start, self._endpoint(), False)
            case "{":
                return self._context()
        self._unexpected(token)
        raise AssertionError

    def _at_literal(self, token: Token) -> Node:
        try:
            return Literal(token.start, parse_any(token.value))
        except Problem:
            # DMN: a malformed literal is null when evaluated, not a syntax error
            return Call(token.start, Name(token.start, "@"), [Literal(token.start, token.value)], None)

    def _keyword_operand(self, token: Token) -> Node:
        constants = {"true": True, "false": False, "null": None}
        if token.value in constants:
            self.scan.take()
            return Literal(token.start, constants[token.value])
        if token.value == "not":
            self.scan.take()
            if not self._is("sign", "("):
                self.scan.fail("not 后面应是括号：not(…)")
            return Name(token.start, "not")
        if token.value in ("if", "for", "some", "every", "function"):
            return self._textual()
        self._unexpected(token)
        raise AssertionError

    def _parenthesis(self) -> Node:
        token = self._expect("(")
        with self._nested():
            if self._is("sign", *_COMPARISONS):
                node = self._comparison_range()
                self._expect(")")
                return node
            first = self._endpoint()
            if self._is("sign", ".."):
                return self._range(token.start, first, False)
            self._expect(")")
        return first

    def _bracket(self) -> Node:
        token = self._expect("[")
        with self._nested():
            if self._accept("]"):
                return ListLiteral(token.start, [])
            first = self._list_item(True)
            if self._is("sign", ".."):
                return self._range(token.start, first, True)
            items = [first]
            while self._accept(","):
                items.append(self._list_item(False))
            self._expect("]")
            return ListLiteral(token.start, items)

    def _list_item(self, first: bool) -> Node:
        if self._is("sign", *_COMPARISONS):
            return self._comparison_range()
        return self._endpoint() if first else self._textual()

    def _endpoint(self) -> Node:
        """An expression, or the end of a range."""
        return self._textual()

    def _range(self, at: int, start: Node, start_included: bool) -> Node:
        self._expect("..")
        saved, self.in_endpoint = self.in_endpoint, True
        end = self._binary(_ADDITIVE)
        self.in_endpoint = saved
        if not self._is("sign", "]", ")", "["):
            self.scan.fail("区间应以 ]、) 或 [ 结束")
        return RangeLiteral(at, start, end, start_included, self.scan.take().value == "]")

    def _comparison_range(self) -> RangeLiteral:
        token = self.scan.take()
        end = self._binary(_ADDITIVE)
        sign = token.value
        if sign in ("<", "<="):
            return RangeLiteral(token.start, None, end, False, sign == "<=", sign)
        if sign in (">", ">="):
            return RangeLiteral(token.start, end, None, sign == ">=", False, sign)
        return RangeLiteral(token.start, end, end, sign == "=", sign == "=", sign)

    def _context(self) -> Node:
        token = self._expect("{")
        entries: list[tuple[str, Node, int]] = []
        with self._nested(), self._names() as table:
            while not self._is("sign", "}"):
                key = self.scan.take() if self._is_string() else self.scan.take_free_name(":,}")
                self._expect(":")
                entries.append((key.value, self._textual(), key.start))
                table.add(key.value)
                self.scan.members.add(key.value)
                if not self._accept(","):
                    break
            self._expect("}")
        return ContextLiteral(token.start, entries)

    def _is_string(self) -> bool:
        at = self.scan.skip(self.scan.position)
        return self.scan.text[at:at + 1] == '"'

    # keyword expressions

    def _if(self) -> Node:
        at = self.scan.take().start
        condition = self._textual()
        self._expect_word("then")
        then = self._textual()
        self._expect_word("else")
        return If(at, condition, then, self._textual())

    def _for(self) -> Node:
        at = self.scan.take().start
        with self._names() as table:
            iterators = self._iterators(table)
            self._expect_word("return")
            table.add("partial")
            self.scan.jump(self.scan.position)
            return For(at, iterators, self._textual())

    def _quantified(self) -> Node:
        token = self.scan.take()
        with self._names() as table:
            iterators = self._iterators(table)
            self._expect_word("satisfies")
            return Quantified(token.start, token.value, iterators, self._textual())

    def _iterators(self, table: NameTable) -> list[tuple[str, Node]]:
        iterators: list[tuple[str, Node]] = []
        while True:
            name = self.scan.take_free_name(" ,:")
            while not self._is("keyword", "in"):
                name = name._replace(value=f"{name.value} {self._more_name().value}")
            self.scan.take()
            domain = self._textual()
            if self._is("sign", ".."):
                at = self.scan.take().start
                domain = IterationRange(at, domain, self._textual())
            iterators.append((name.value, domain))
            table.add(name.value)
            if not self._accept(","):
                return iterators

    def _more_name(self) -> Token:
        token = self.scan.peek()
        if token.kind != "name":
            self.scan.fail("此处应是 in")
        return self.scan.take()

    def _function(self) -> Node:
        at = self.scan.take().start
        self._expect("(")
        parameters: list[tuple[str, Any]] = []
        while not self._is("sign", ")"):
            name = self.scan.take_free_name(":,)").value
            parameters.append((name, parse_type(self.scan, self.types) if self._accept(":") else ANY))
            if not self._accept(","):
                break
        self._expect(")")
        if len({name for name, _ in parameters}) != len(parameters):
            self.scan.fail("参数名重复", at)
        external = self._is("keyword", "external")
        if external:
            self.scan.take()
        with self._names(*(name for name, _ in parameters)):
            self.scan.jump(self.scan.position)
            return FunctionDefinition(at, parameters, self._textual(), external)

    # tests

    def _tests(self) -> list[Node]:
        tests = [self._test()]
        while self._accept(","):
            tests.append(self._test())
        return tests

    def _test(self) -> Node:
        if self._is("sign", *_COMPARISONS):
            return self._comparison_range()
        return self._textual()

    def _in_tests(self) -> list[Node]:
        if self._is("sign", *_COMPARISONS):
            return [self._comparison_range()]
        if not self._is("sign", "("):
            return [self._binary(_ADDITIVE)]
        token = self.scan.take()
        with self._nested():
            first = self._test()
            if self._is("sign", ".."):
                return [self._range(token.start, first, False)]
            tests = [first]
            while self._accept(","):
                tests.append(self._test())
            self._expect(")")
        if len(tests) == 1 and not isinstance(first, RangeLiteral):
            return [self._continued(first)]
        return tests

    def _continued(self, first: Node) -> Node:
        """``x in (a + b) * c``: the bracket was the start of an expression after all."""
        return self._binary(_ADDITIVE, self._postfix(first))


def where(text: str, node: Node) -> tuple[int, int]:
    """Line and column of a node."""
    return place(text, node.at)
