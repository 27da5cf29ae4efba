"""Expressions of Camunda 7 and Flowable (``${a == 'x' && b}``) as FEEL.

Operators, ``?:``, ``empty``, indexes (from 0 there, from 1 here) and the methods of text and lists that FEEL has too are translated; code
of the other system (``${bean.check(x)}``) has no meaning here, its text stays as it is and is reported where it stands.
"""
from __future__ import annotations

import re

_TOKEN = re.compile(r"""\s*('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|[A-Za-z_$\u4e00-\u9fff][\w$]*(?::[A-Za-z_]\w*)?|&&|\|\||==|!=|>=|<=|[-+*/%<>!?:()\[\].,])""")
_LEVELS: tuple[dict[str, str], ...] = (
    {"||": "or", "or": "or"}, {"&&": "and", "and": "and"}, {"==": "=", "eq": "=", "!=": "!=", "ne": "!="},
    {"<": "<", "lt": "<", ">": ">", "gt": ">", "<=": "<=", "le": "<=", ">=": ">=", "ge": ">="}, {"+": "+", "-": "-"}, {"*": "*", "/": "/", "div": "/", "%": "%", "mod": "%"},
)
_METHODS = {
    ("size", 0): "count({0})", ("isEmpty", 0): '({0} = null or string({0}) in ("", "[]"))', ("length", 0): "string length({0})", ("toString", 0): "string({0})",
    ("equals", 1): "({0} = {1})", ("equalsIgnoreCase", 1): "(lower case({0}) = lower case({1}))", ("startsWith", 1): "starts with({0}, {1})",
    ("endsWith", 1): "ends with({0}, {1})", ("toUpperCase", 0): "upper case({0})", ("toLowerCase", 0): "lower case({0})",
    ("booleanValue", 0): "{0}", ("intValue", 0): "{0}", ("longValue", 0): "{0}", ("get", 1): "get value({0}, {1})",
}
_READS = frozenset({"vars:get", "var:get", "variables:get", "var:getOrDefault"})
_EMPTY = '({0} = null or string({0}) in ("", "[]"))'
_DEEP = 60


class Untranslatable(ValueError):
    """The text has no meaning in FEEL."""


def to_feel(text: str) -> str:
    """FEEL for a JUEL text; text that isn't ``${…}`` or ``#{…}``, or that calls the other system's code, comes back as it is."""
    stripped = text.strip()
    if not re.fullmatch(r"[$#]\{[^{}]*\}", stripped, re.DOTALL):
        return text
    try:
        return _Reader(stripped[2:-1]).all()
    except Untranslatable:
        return text


def is_juel(text: str) -> bool:
    """True for ``${…}`` or ``#{…}``."""
    return text.strip()[:2] in ("${", "#{")


def value(text: str) -> str:
    """An attribute value of ours: ``=FEEL`` for an expression or a text with expressions in it, else the literal."""
    parts = [part for part in re.split(r"([$#]\{[^{}]*\})", text.strip()) if part]
    if len(parts) < 2 or not any(is_juel(part) for part in parts):
        return "=" + to_feel(text) if is_juel(text) else text
    said = [f"string({to_feel(part)})" if is_juel(part) else _quoted(part) for part in parts]
    return "=" + " + ".join(said)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


class _Reader:
    """One pass over the tokens by precedence; each method gives FEEL text."""

    def __init__(self, text: str) -> None:
        self.tokens: list[str] = []
        position, text = 0, text.strip()
        while position < len(text):
            found = _TOKEN.match(text, position)
            if found is None:
                raise Untranslatable(text)
            self.tokens.append(found.group(1))
            position = found.end()
        self.at, self.depth = 0, 0

    def all(self) -> str:
        """The whole text."""
        said = self._choice()
        if self.at < len(self.tokens):
            raise Untranslatable(self.tokens[self.at])
        return said

    def _next(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def _take(self, wanted: str = "") -> str:
        token = self._next()
        if not token or wanted and token != wanted:
            raise Untranslatable(token)
        self.at += 1
        return token

    def _choice(self) -> str:
        self.depth += 1
        if self.depth > _DEEP:
            raise Untranslatable("too deep")
        said = self._level(0)
        if self._next() == "?":
            self._take()
            first = self._choice()
            self._take(":")
            said = f"(if {said} then {first} else {self._choice()})"
        self.depth -= 1
        return said

    def _level(self, number: int) -> str:
        if number == len(_LEVELS):
            return self._unary()
        said = self._level(number + 1)
        while self._next() in _LEVELS[number]:
            operator = _LEVELS[number][self._take()]
            other = self._level(number + 1)
            said = f"modulo({said}, {other})" if operator == "%" else f"{said} {operator} {other}"
        return said

    def _unary(self) -> str:
        word = self._next()
        if word in ("!", "not"):
            self._take()
            return f"not({self._unary()})"
        if word == "empty":
            self._take()
            return _EMPTY.format(self._unary())
        if word == "-":
            self._take()
            return f"-{self._unary()}"
        return self._path(self._primary())

    def _primary(self) -> str:
        piece = self._take()
        if piece == "(":
            said = self._choice()
            self._take(")")
            return f"({said})"
        if piece[0] in "'\"":
            return _quoted(re.sub(r"\\(.)", r"\1", piece[1:-1]))
        if piece in _READS or piece in ("execution", "delegateExecution") and self._next() == ".":
            return self._variable(piece)
        if piece[0].isdigit() or re.match(r"[\w$]", piece) and ":" not in piece and self._next() != "(":
            return piece
        raise Untranslatable(piece)

    def _variable(self, token: str) -> str:
        """``execution.getVariable("x")`` and its like read the fact x."""
        if token not in _READS:
            self._take(".")
            if self._take() != "getVariable":
                raise Untranslatable(token)
        self._take("(")
        name = self._take().strip("'\"")
        self._take(")")
        if not re.fullmatch(r"[A-Za-z_\u4e00-\u9fff]\w*", name):
            raise Untranslatable(name)
        return name

    def _path(self, said: str) -> str:
        while self._next() in (".", "["):
            if self._take() == "[":
                said = self._index(said)
                continue
            name = self._take()
            said = self._method(said, name) if self._next() == "(" else f"{said}.{name}"
        return said

    def _index(self, said: str) -> str:
        inside = self._choice()
        self._take("]")
        if inside.isdigit():
            return f"{said}[{int(inside) + 1}]"
        return f"get value({said}, {inside})" if inside.startswith('"') else f"{said}[{inside} + 1]"

    def _method(self, said: str, name: str) -> str:
        self._take("(")
        given = []
        while self._next() != ")":
            given.append(self._choice())
            if self._next() != ")":
                self._take(",")
        self._take(")")
        if name == "contains" and len(given) == 1:
            return f"(if {said} instance of string then contains({said}, {given[0]}) else list contains({said}, {given[0]}))"
        if (name, len(given)) not in _METHODS:
            raise Untranslatable(name)
        return _METHODS[name, len(given)].format(said, *given)
