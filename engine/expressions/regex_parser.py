"""The grammar of XPath regular expressions (F&O 5.6.1), into a small program for ``regex``."""
from __future__ import annotations

from typing import Any, NoReturn

from engine.expressions.errors import Problem
from engine.expressions.regex_classes import ESCAPES, Group, Predicate, caseless, folded, inverse, property_class, variants

MAX_PROGRAM = 4_000
_MAX_DEPTH = 30
_PLAIN = "\\|.-^?*+{}()[]$"
CHAR, ANY_OF, SPLIT, JUMP, SAVE, LINE_START, LINE_END, TEXT_START, TEXT_END, BACK, MATCH = range(11)
Instruction = tuple[Any, ...]


class PatternParser:
    """Parses once; ``program`` is the result, ``groups`` the number of capturing groups."""

    def __init__(self, pattern: str, flags: str) -> None:
        self.text = pattern
        self.at = 0
        self.flags = flags
        self.fold = "i" in flags
        self.groups = 0
        self.closed: set[int] = set()
        self.has_back = False
        self.depth = 0
        body = self._choice()
        if self.at < len(pattern):
            self._fail()
        self.program: list[Instruction] = [(SAVE, 0), *body, (SAVE, 1), (MATCH,)]

    def _fail(self) -> NoReturn:
        raise Problem(f"正则表达式不对（第 {self.at + 1} 个字符）：{self.text[:60]}")

    def _skip(self) -> None:
        if "x" in self.flags:
            while self.at < len(self.text) and self.text[self.at] in " \t\n\r":
                self.at += 1

    def _peek(self) -> str:
        self._skip()
        return self.text[self.at:self.at + 1]

    def _accept(self, text: str) -> bool:
        self._skip()
        if self.text.startswith(text, self.at):
            self.at += len(text)
            return True
        return False

    def _checked(self, program: list[Instruction]) -> list[Instruction]:
        if len(program) > MAX_PROGRAM:
            raise Problem("正则表达式太大")
        return program

    def _choice(self) -> list[Instruction]:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise Problem("正则表达式嵌套太深")
        branches = [self._branch()]
        while self._accept("|"):
            branches.append(self._branch())
        self.depth -= 1
        program = branches.pop()
        while branches:
            first = branches.pop()
            program = self._checked([(SPLIT, 1, len(first) + 2), *first, (JUMP, len(program) + 1), *program])
        return program

    def _branch(self) -> list[Instruction]:
        program: list[Instruction] = []
        while self._peek() not in ("", "|", ")"):
            program += self._piece()
            self._checked(program)
        return program

    def _piece(self) -> list[Instruction]:
        before = self.groups
        atom = self._atom()
        low, high = self._quantifier()
        if (low, high) == (1, 1):
            return atom
        lazy = self._accept("?")
        if self.groups > before and low > 1000:
            self._fail()
        return self._repeat(atom, low, high, lazy)

    def _quantifier(self) -> tuple[int, int | None]:
        char = self._peek()
        if char in ("?", "*", "+") and char:
            self.at += 1
            return {"?": (0, 1), "*": (0, None), "+": (1, None)}[char]
        if char != "{":
            return 1, 1
        self.at += 1
        low = self._count()
        high: int | None = low
        if self._accept(","):
            high = self._count() if self._peek().isdigit() else None
        if not self._accept("}") or high is not None and high < low:
            self._fail()
        return low, high

    def _count(self) -> int:
        start = self.at
        while self.text[self.at:self.at + 1].isascii() and self.text[self.at:self.at + 1].isdigit():
            self.at += 1
        if not 0 < self.at - start <= 4:
            self._fail()
        return int(self.text[start:self.at])

    def _repeat(self, atom: list[Instruction], low: int, high: int | None, lazy: bool) -> list[Instruction]:
        if len(atom) * max(low, high or 0, 1) > MAX_PROGRAM:
            raise Problem("正则表达式太大")
        program = atom * low
        size = len(atom)
        if high is None:
            return [*program, _split(1, size + 2, lazy), *atom, (JUMP, -size - 1)]
        optional: list[Instruction] = []
        for _ in range(high - low):
            optional = [_split(1, size + len(optional) + 1, lazy), *atom, *optional]
        return self._checked([*program, *optional])

    def _atom(self) -> list[Instruction]:
        char = self._peek()
        self.at += 1
        match char:
            case "(":
                return self._group()
            case "[":
                return [(ANY_OF, self._class())]
            case "\\":
                return self._escape()
            case ".":
                return [(ANY_OF, (lambda c: True) if "s" in self.flags else (lambda c: c not in "\n\r"))]
            case "^":
                return [(LINE_START if "m" in self.flags else TEXT_START,)]
            case "$":
                return [(LINE_END if "m" in self.flags else TEXT_END,)]
            case "?" | "*" | "+" | "{" | "}" | "]":
                self.at -= 1
                self._fail()
        return [self._literal(char)]

    def _literal(self, char: str) -> Instruction:
        if self.fold and len(variants(char)) > 1:
            return (ANY_OF, folded(char))
        return (CHAR, char)

    def _group(self) -> list[Instruction]:
        number = 0
        if self._accept("?"):
            if not self._accept(":"):
                self._fail()
        else:
            self.groups += 1
            number = self.groups
        body = self._choice()
        if not self._accept(")"):
            self._fail()
        if not number:
            return body
        self.closed.add(number)
        return [(SAVE, number * 2), *body, (SAVE, number * 2 + 1)]

    def _escape(self) -> list[Instruction]:
        self._skip()
        char = self.text[self.at:self.at + 1]
        if char and char in "123456789":
            return [self._back_reference()]
        one = self._escaped(char)
        return [self._literal(one)] if isinstance(one, str) else [(ANY_OF, one)]

    def _back_reference(self) -> Instruction:
        number = 0
        while self.text[self.at:self.at + 1] in tuple("0123456789") and (not number or number * 10 + int(self.text[self.at]) <= self.groups):
            number = number * 10 + int(self.text[self.at])
            self.at += 1
        if number not in self.closed:
            self._fail()
        self.has_back = True
        return (BACK, number)

    def _escaped(self, char: str) -> str | Predicate:
        """The character or class that a backslash and ``char`` stand for."""
        self.at += 1
        if char in ("n", "r", "t"):
            return {"n": "\n", "r": "\r", "t": "\t"}[char]
        if char and char in _PLAIN:
            return char
        if char.lower() in ESCAPES:
            predicate = ESCAPES[char.lower()]
            return predicate if char.islower() else inverse(predicate)
        if char in ("p", "P"):
            return self._property(char == "P")
        self.at -= 1
        self._fail()

    def _property(self, negated: bool) -> Predicate:
        self._skip()
        end = self.text.find("}", self.at)
        if self.text[self.at:self.at + 1] != "{" or end < 0:
            self._fail()
        name = self.text[self.at + 1:end]
        self.at = end + 1
        predicate = property_class("".join(name.split()) if "x" in self.flags else name, negated)
        return caseless(predicate) if self.fold and name in ("Lu", "Ll", "Lt") else predicate

    def _class(self) -> Group:
        """After ``[``; blanks count here even with flag x."""
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise Problem("正则表达式嵌套太深")
        negated = self._here("^")
        ranges: list[tuple[str, str]] = []
        classes: list[Predicate] = []
        less: Group | None = None
        while not self._here("]"):
            if self.at >= len(self.text):
                self._fail()
            if self.text.startswith("-[", self.at) and (ranges or classes):
                self.at += 2
                less = self._class()
                if not self._here("]"):
                    self._fail()
                break
            self._class_item(ranges, classes)
        self.depth -= 1
        if not ranges and not classes:
            self._fail()
        return Group(ranges, classes, negated, less, self.fold)

    def _here(self, char: str) -> bool:
        if self.text.startswith(char, self.at):
            self.at += 1
            return True
        return False

    def _class_item(self, ranges: list[tuple[str, str]], classes: list[Predicate]) -> None:
        low = self._class_char()
        if not isinstance(low, str):
            classes.append(low)
            return
        following = self.text[self.at + 1:self.at + 2]
        if self.text.startswith("-", self.at) and following not in ("]", "[", ""):
            self.at += 1
            high = self._class_char()
            if not isinstance(high, str) or high < low:
                self._fail()
            ranges.append((low, high))
        else:
            ranges.append((low, low))

    def _class_char(self) -> str | Predicate:
        char = self.text[self.at:self.at + 1]
        if char == "\\":
            self.at += 1
            return self._escaped(self.text[self.at:self.at + 1])
        if char in ("[", ""):
            self._fail()
        self.at += 1
        return char


def _split(first: int, second: int, lazy: bool) -> Instruction:
    return (SPLIT, second, first) if lazy else (SPLIT, first, second)
