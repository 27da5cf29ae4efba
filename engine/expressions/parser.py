"""The grammar of FEEL (DMN 1.5, chapter 10): precedence climbing over the scanner, into the tree of ``nodes``."""
from __future__ import annotations

from engine.expressions.errors import FeelError
from engine.expressions.limits import MAX_DEPTH, MAX_HEIGHT, MAX_NODES
from engine.expressions.nodes import (
    Between,
    Chain,
    Comparison,
    In,
    InstanceOf,
    Junction,
    Literal,
    Negation,
    Node,
    RangeLiteral,
    UnaryTests,
    measure,
)
from engine.expressions.parser_base import ADDITIVE, COMPARISON, COMPARISONS, LEVELS, LOOSEST
from engine.expressions.parser_keywords import KeywordParser
from engine.expressions.parser_operands import OperandParser
from engine.expressions.scanner import Token
from engine.expressions.type_parser import parse_type


class Parser(KeywordParser, OperandParser):
    """One parse of one text. ``names`` are the names in scope, ``members`` further keys of contexts, ``types`` the named types."""

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
            return self._binary(LOOSEST)

    def _binary(self, minimum: int, left: Node | None = None) -> Node:
        """Precedence climbing; ``left`` is an operand that was read already."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.scan.fail(f"表达式嵌套超过 {MAX_DEPTH} 层")
        node = self._unary() if left is None else left
        rounds = 0
        while True:
            token = self.scan.peek()
            level = LEVELS.get(token.value, -1) if token.kind in ("sign", "keyword") else -1
            if level < minimum:
                self.depth -= 1
                return node
            self.scan.take()
            rounds += level == COMPARISON
            if rounds > MAX_DEPTH:
                self.scan.fail("连续比较太多")
            node = self._combined(token, level, node)

    def _combined(self, token: Token, level: int, left: Node) -> Node:
        sign = token.value
        if level == COMPARISON:
            return self._comparison(token, left)
        right = self._binary(level + 1)
        if level < COMPARISON:
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
            low = self._binary(ADDITIVE)
            self._expect_word("and")
            return Between(token.start, left, low, self._binary(ADDITIVE))
        if token.value == "in":
            return In(token.start, left, self._in_tests())
        return Comparison(token.start, token.value, left, self._binary(ADDITIVE))

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

    # tests

    def _tests(self) -> list[Node]:
        tests = [self._test()]
        while self._accept(","):
            tests.append(self._test())
        return tests

    def _test(self) -> Node:
        if self._is("sign", *COMPARISONS):
            return self._comparison_range()
        return self._textual()

    def _in_tests(self) -> list[Node]:
        if self._is("sign", *COMPARISONS):
            return [self._comparison_range()]
        if not self._is("sign", "("):
            return [self._binary(ADDITIVE)]
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
        return self._binary(ADDITIVE, self._postfix(first))
