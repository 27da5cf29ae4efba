"""Expressions that begin with a word: ``if``, ``for``, ``some``, ``every``, ``function``."""
from __future__ import annotations

from typing import Any

from engine.expressions.nodes import For, FunctionDefinition, If, IterationRange, Node, Quantified
from engine.expressions.parser_base import ParserBase
from engine.expressions.scanner import NameTable, Token
from engine.expressions.type_parser import parse_type
from engine.expressions.types import ANY


class KeywordParser(ParserBase):
    """Each method reads one such expression, from its first word on."""

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
