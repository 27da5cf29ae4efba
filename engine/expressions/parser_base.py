"""What every part of the parser uses: the place in the text, expecting tokens, nesting, names in scope."""
from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager

from engine.expressions.limits import MAX_DEPTH
from engine.expressions.nodes import Node
from engine.expressions.scanner import NameTable, Scanner, Token
from engine.expressions.types import Type

COMPARISONS = ("=", "!=", "<", "<=", ">", ">=")
LOOSEST, COMPARISON, ADDITIVE = 0, 2, 3
LEVELS = {
    "or": 0, "and": 1, **dict.fromkeys((*COMPARISONS, "between", "in"), COMPARISON), "+": ADDITIVE, "-": ADDITIVE, "*": 4, "/": 4, "**": 5,
}


class ParserBase:
    """State and helpers; the grammar itself is in the classes built on this."""

    def __init__(
        self, text: str, *, builtins: NameTable, names: Collection[str] = (), members: NameTable | None = None,
        types: Mapping[str, Type] | None = None,
    ) -> None:
        self.scan = Scanner(text, [builtins, NameTable(names)], members)
        self.types = types or {}
        self.depth = 0
        self.retries = 0
        self.in_endpoint = False

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

    # what the parts of the grammar call in each other

    def _textual(self) -> Node:
        raise AssertionError("given by Parser")

    def _binary(self, minimum: int, left: Node | None = None) -> Node:
        raise AssertionError("given by Parser")

    def _postfix(self, node: Node) -> Node:
        raise AssertionError("given by OperandParser")
