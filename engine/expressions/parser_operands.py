"""Operands and what follows them: literals, lists, ranges, contexts, paths, filters, calls."""
from __future__ import annotations

import re
from contextlib import suppress
from decimal import Decimal

from engine.expressions.errors import FeelError, Problem
from engine.expressions.limits import MAX_DEPTH
from engine.expressions.nodes import Call, ContextLiteral, Filter, ListLiteral, Literal, Name, Negation, Node, Path, RangeLiteral
from engine.expressions.parser_base import ADDITIVE, COMPARISONS, ParserBase
from engine.expressions.scanner import KEYWORDS, Token
from engine.expressions.temporal_text import parse_any

_NAMED = re.compile(r"[^()\[\]{}\",:<>=]*(?=:)")
_MAX_RETRIES = 40


class OperandParser(ParserBase):
    """The grammar from unary minus down."""

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
        node: Node | None = None
        with suppress(FeelError):
            node = self._filter(base)
            if self._is("sign", "]", ")", "[", ".", "(", "+", "-", "*", "/", "**"):
                return node
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
            if self._is("sign", *COMPARISONS):
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
        if self._is("sign", *COMPARISONS):
            return self._comparison_range()
        return self._endpoint() if first else self._textual()

    def _endpoint(self) -> Node:
        """An expression, or the end of a range."""
        return self._textual()

    def _range(self, at: int, start: Node, start_included: bool) -> Node:
        self._expect("..")
        saved, self.in_endpoint = self.in_endpoint, True
        end = self._binary(ADDITIVE)
        self.in_endpoint = saved
        if not self._is("sign", "]", ")", "["):
            self.scan.fail("区间应以 ]、) 或 [ 结束")
        return RangeLiteral(at, start, end, start_included, self.scan.take().value == "]")

    def _comparison_range(self) -> RangeLiteral:
        token = self.scan.take()
        end = self._binary(ADDITIVE)
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

    def _negative(self, token: Token, operand: Literal) -> Node:
        if isinstance(operand.value, Decimal):
            return Literal(token.start, -operand.value if operand.value else operand.value)
        return Negation(token.start, operand)
