"""Regular expressions of XPath in bounded time.

Python's ``re`` backtracks without bound, so patterns run on a small machine of our own: without back references every pair of
instruction and position is tried at most once (time grows with pattern × text), with them the number of steps is bounded.
"""
from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from engine.expressions.errors import LimitReached, Problem
from engine.expressions.limits import MAX_MATCH_STEPS, MAX_PATTERN
from engine.expressions.regex_parser import (
    ANY_OF,
    BACK,
    CHAR,
    JUMP,
    LINE_END,
    LINE_START,
    MATCH,
    SAVE,
    SPLIT,
    TEXT_END,
    TEXT_START,
    Instruction,
    PatternParser,
)

Spans = list[tuple[int, int]]


class Pattern:
    """A compiled pattern; ``groups`` is the number of its capturing groups."""

    def __init__(self, program: list[Instruction], groups: int, literal: str | None, has_back: bool, fold: bool) -> None:
        self.groups = groups
        self._program = program
        self._literal = literal
        self._has_back = has_back
        self._fold = fold

    def search(self, text: str, start: int) -> Spans | None:
        """The first match at or after ``start``: the spans of the whole and of each group ((-1, -1) when unused)."""
        if self._literal is not None:
            at = text.find(self._literal, start)
            return None if at < 0 else [(at, at + len(self._literal))]
        machine = _Machine(self, self._program, text, self._has_back, self._fold)
        for position in range(start, len(text) + 1):
            found = machine.run(position)
            if found is not None:
                return found
        return None

    def find_all(self, text: str) -> Iterator[Spans]:
        """Matches that follow each other; raises Problem when the pattern matches nothing at all."""
        if self.search("", 0) is not None:
            raise Problem("正则表达式不能匹配空文本")
        at, steps = 0, 0
        while at <= len(text):
            spans = self.search(text, at)
            if spans is None:
                return
            yield spans
            at = max(spans[0][1], spans[0][0] + 1)
            steps += 1
            if steps > 100_000:
                raise LimitReached("匹配次数太多")


class _Machine:
    """Runs a program on one text; what failed once is not tried again, whatever the start."""

    def __init__(self, pattern: Pattern, program: list[Instruction], text: str, has_back: bool, fold: bool) -> None:
        self.program = program
        self.text = text
        self.size = len(text)
        self.slots = (pattern.groups + 1) * 2
        self.seen: set[int] | None = None if has_back else set()
        self.fold = fold
        self.steps = MAX_MATCH_STEPS

    def run(self, start: int) -> Spans | None:
        width, seen = self.size + 1, self.seen
        stack: list[tuple[int, int, tuple[int, ...]]] = [(0, start, (-1,) * self.slots)]
        while stack:
            at, position, saved = stack.pop()
            while True:
                if seen is not None:
                    key = at * width + position
                    if key in seen:
                        break
                    seen.add(key)
                self.steps -= 1
                if self.steps < 0:
                    raise LimitReached("正则表达式匹配步数太多，已停止")
                step = self.program[at]
                code = step[0]
                if code == MATCH:
                    return [(saved[i], saved[i + 1]) if saved[i + 1] >= 0 else (-1, -1) for i in range(0, self.slots, 2)]
                if code == SPLIT:
                    stack.append((at + step[2], position, saved))
                    at += step[1]
                    continue
                if code == JUMP:
                    at += step[1]
                    continue
                if code == SAVE:
                    saved = (*saved[:step[1]], position, *saved[step[1] + 1:])
                    at += 1
                    continue
                moved = self._move(code, step, position, saved)
                if moved < 0:
                    break
                position = moved
                at += 1
        return None

    def _move(self, code: int, step: Instruction, position: int, saved: tuple[int, ...]) -> int:
        """Where the position goes, or -1 when the instruction does not match."""
        text, size = self.text, self.size
        if code == CHAR:
            return position + 1 if position < size and text[position] == step[1] else -1
        if code == ANY_OF:
            return position + 1 if position < size and step[1](text[position]) else -1
        if code == TEXT_START:
            holds = position == 0
        elif code == TEXT_END:
            holds = position == size
        elif code == LINE_START:
            holds = position == 0 or text[position - 1] == "\n" and position < size
        elif code == LINE_END:
            holds = position == size or text[position] == "\n"
        else:
            assert code == BACK
            return self._repeat_group(step[1], position, saved)
        return position if holds else -1

    def _repeat_group(self, number: int, position: int, saved: tuple[int, ...]) -> int:
        first, last = saved[number * 2], saved[number * 2 + 1]
        if first < 0 or last < 0:
            return position
        wanted = self.text[first:last]
        given = self.text[position:position + len(wanted)]
        self.steps -= len(wanted)
        same = given == wanted or self.fold and given.casefold() == wanted.casefold()
        return position + len(wanted) if same else -1


@lru_cache(maxsize=512)
def _compiled(pattern: str, flags: str) -> Pattern:
    if "q" in flags and "i" not in flags or pattern and not set(pattern) & set("\\|.^?*+{}()[]$") and not set(flags) & set("ix"):
        return Pattern([], 0, pattern, False, False)
    text = "".join("\\" + char if char in "\\|.-^?*+{}()[]$" else char for char in pattern) if "q" in flags else pattern
    parser = PatternParser(text, flags.replace("x", "") if "q" in flags else flags)
    return Pattern(parser.program, parser.groups, None, parser.has_back, parser.fold)


def compile_pattern(pattern: str, flags: str) -> Pattern:
    """Compiles a pattern; ``flags`` from s, m, i, x, q. Raises Problem when it is no XPath regular expression."""
    if set(flags) - set("smixq"):
        raise Problem(f"正则表达式的标志只能是 s、m、i、x、q：{flags[:20]}")
    if len(pattern) > MAX_PATTERN:
        raise Problem(f"正则表达式超过 {MAX_PATTERN} 个字符")
    return _compiled(pattern, flags)
