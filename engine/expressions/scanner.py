"""Tokens of FEEL, read one at a time: what is a name depends on the names in scope, since names may hold spaces and signs."""
from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from decimal import Decimal, DecimalException
from typing import Any, NamedTuple, NoReturn

from engine.expressions.errors import FeelError, place
from engine.expressions.limits import MAX_TEXT
from engine.expressions.values import NUMBERS

KEYWORDS = frozenset(
    "for in return if then else some every satisfies or and between instance function external true false null not".split()
)
_JOIN_STOPS = KEYWORDS - {"not", "true", "false", "null", "function", "for", "if", "some", "every", "external"}
_SPACE = re.compile(r"(?:[\s\u200b\ufeff]+|//[^\n]*|/\*.*?\*/)+", re.DOTALL)
_NUMBER = re.compile(r"(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_OPERATORS = ("**", "..", "<=", ">=", "!=", "->", "+", "-", "*", "/", "(", ")", "[", "]", "{", "}", ",", ".", ":", "<", ">", "=")
_HINTS = {
    "==": "比较相等用一个等号 =", "&": "并且用 and", "|": "或者用 or", "'": "文本用双引号", "!": "取反用 not(…)", "%": "取余用 modulo(a, b)",
    "（": "请用半角括号", "）": "请用半角括号", "，": "请用半角逗号", "；": "请用半角逗号", "：": "请用半角冒号", "“": "文本用半角双引号",
    "”": "文本用半角双引号", "。": "请用半角句点", "《": "书名号只能写在文本里", "≥": "请写 >=", "≤": "请写 <=", "≠": "请写 !=",
}


class Token(NamedTuple):
    kind: str  # number, string, at, name, keyword, sign, end
    value: Any
    start: int
    end: int


def is_name_start(char: str) -> bool:
    if char.isascii():
        return char.isalpha() or char in "_?"
    return unicodedata.category(char) in _START_CATEGORIES


def is_name_part(char: str) -> bool:
    if char.isascii():
        return char.isalnum() or char in "_?"
    return unicodedata.category(char) in _PART_CATEGORIES


_START_CATEGORIES = frozenset("Lu Ll Lt Lm Lo Nl No So Sk Co Cs".split())
_PART_CATEGORIES = _START_CATEGORIES | frozenset("Nd Mn Mc Me Cf".split())


def split_name(name: str) -> tuple[str, ...]:
    """The words and signs of a name: ``a b+c`` is ("a", "b", "+", "c")."""
    parts: list[str] = []
    word = ""
    for char in name:
        if is_name_part(char):
            word += char
            continue
        if word:
            parts.append(word)
            word = ""
        if not char.isspace():
            parts.append(char)
    return tuple([*parts, word] if word else parts)


class NameTable:
    """Names by their first word, the longest first."""

    __slots__ = ("_by_word",)

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._by_word: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        for name in names:
            self.add(name)

    def add(self, name: str) -> None:
        parts = split_name(name)
        if parts:
            rows = self._by_word.setdefault(parts[0], [])
            if (parts, name) not in rows:
                rows.append((parts, name))
                rows.sort(key=lambda row: -len(row[0]))

    def candidates(self, word: str) -> list[tuple[tuple[str, ...], str]]:
        return self._by_word.get(word, [])


class Scanner:
    """Reads tokens from ``text``; ``tables`` are the names in scope, innermost last; ``members`` the known keys of contexts."""

    def __init__(self, text: str, tables: list[NameTable], members: NameTable | None = None) -> None:
        self.text = text
        self.size = len(text)
        if self.size > MAX_TEXT:
            raise FeelError(f"表达式超过 {MAX_TEXT} 个字符")
        self.tables = tables
        self.members = NameTable()
        self.known_members = members or NameTable()
        self.position = 0
        self._token: Token | None = None
        self.member_scope = 0

    def fail(self, message: str, at: int | None = None) -> NoReturn:
        """Raises FeelError at a position (default: the current token)."""
        raise FeelError(message, *place(self.text, self.peek().start if at is None else at))

    def peek(self) -> Token:
        if self._token is None:
            self._token = self._scan(self.skip(self.position))
        return self._token

    def take(self) -> Token:
        token = self.peek()
        self.position = token.end
        self._token = None
        return token

    def jump(self, position: int) -> None:
        """Goes to a position; also forgets the token that was looked at, for use when the scope changes."""
        self.position = position
        self._token = None

    def skip(self, position: int) -> int:
        match = _SPACE.match(self.text, position)
        return match.end() if match else position

    def word_end(self, position: int) -> int:
        text, size = self.text, self.size
        while position < size and is_name_part(text[position]):
            position += 1
        return position

    def _scan(self, at: int) -> Token:
        if at >= self.size:
            return Token("end", "", at, at)
        char = self.text[at]
        if is_name_start(char):
            return self._name(at)
        if char.isascii() and (char.isdigit() or char == "." and self.text[at + 1:at + 2].isdigit()):
            return self._number(at)
        if char == '"':
            return self._string(at, at)
        if char == "@":
            inner = self.skip(at + 1)
            if self.text[inner:inner + 1] != '"':
                self.fail("@ 后面应是双引号里的日期、时刻或时长", at)
            return self._string(inner, at)._replace(kind="at", start=at)
        for sign in _OPERATORS:
            if self.text.startswith(sign, at):
                if self.text.startswith("==", at):
                    self.fail(_HINTS["=="], at)
                return Token("sign", sign, at, at + len(sign))
        hint = _HINTS.get(char)
        self.fail(f"不认识的符号“{char}”" + (f"，{hint}" if hint else ""), at)

    def _number(self, at: int) -> Token:
        match = _NUMBER.match(self.text, at)
        assert match is not None
        try:
            value = NUMBERS.create_decimal(match[0])
        except DecimalException:
            self.fail("数字超出范围", at)
        return Token("number", value if value else Decimal(0), at, match.end())

    def _string(self, quote: int, at: int) -> Token:
        end = quote + 1
        text = self.text
        while end < self.size and text[end] != '"':
            end += 2 if text[end] == "\\" else 1
        if end >= self.size:
            self.fail("文本缺少结尾的双引号", at)
        return Token("string", unescape(text[quote + 1:end]), at, end + 1)

    def _name(self, at: int) -> Token:
        end = self.word_end(at)
        word = self.text[at:end]
        known = self._known(word, end)
        if known is not None and (known[0] > end or word not in KEYWORDS):
            return self._joined(at, known[0], known[1], end)
        if word in KEYWORDS:
            return Token("keyword", word, at, end)
        return self._joined(at, end, word, end)

    def _known(self, word: str, end: int) -> tuple[int, str] | None:
        best: tuple[int, str] | None = None
        tables = [*self.tables, self.known_members, self.members] if self.member_scope else self.tables
        for table in reversed(tables):
            for parts, name in table.candidates(word):
                stop = self._match(parts, end)
                if stop is not None and (best is None or stop > best[0]):
                    best = stop, name
        return best

    def _match(self, parts: tuple[str, ...], position: int) -> int | None:
        for part in parts[1:]:
            start = self.skip(position)
            if not self.text.startswith(part, start):
                return None
            position = start + len(part)
            if is_name_part(part[-1]) and self.word_end(position) != position:
                return None
        return position

    def _joined(self, at: int, end: int, name: str, first_end: int) -> Token:
        """A name nobody declared goes on over the next words: two names side by side mean nothing else in FEEL."""
        while True:
            start = self.skip(end)
            if start == end or start >= self.size or not is_name_part(self.text[start]):
                return Token("name", name, at, end)
            stop = self.word_end(start)
            word = self.text[start:stop]
            if word in _JOIN_STOPS or (not is_name_start(word[0]) and not word[0].isdigit()):
                return Token("name", name, at, end)
            end = stop
            name = f"{name} {word}"

    def take_member(self) -> Token:
        """The name after a dot: any word, keywords too."""
        at = self.skip(self.position)
        if at >= self.size or not is_name_start(self.text[at]):
            self.fail("句点后面应是名称", at)
        end = self.word_end(at)
        word = self.text[at:end]
        best: tuple[int, str] | None = None
        for table in (self.members, self.known_members, *self.tables):
            for parts, name in table.candidates(word):
                stop = self._match(parts, end)
                if stop is not None and (best is None or stop > best[0]):
                    best = stop, name
        token = self._joined(at, *(best or (end, word)), end)
        self.jump(token.end)
        return token

    def take_free_name(self, stops: str) -> Token:
        """A name in a place where it is defined (key, parameter, variable): everything up to one of ``stops`` or the word in."""
        at = self.skip(self.position)
        end = at
        while end < self.size and self.text[end] not in stops:
            if is_name_part(self.text[end]):
                stop = self.word_end(end)
                if self.text[end:stop] == "in" and " " in stops and end > at:
                    break
                end = stop
            elif self.text[end] in "+-*/.'" or self.text[end].isspace():
                end += 1
            else:
                self.fail("这里应是名称", end)
        name = " ".join(self.text[at:end].split())
        if not name or not is_name_start(name[0]):
            self.fail("这里应是名称", at)
        self.jump(end)
        return Token("name", name, at, end)


_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{6})|(.))", re.DOTALL)
_LONE = re.compile(r"[\ud800-\udfff]")
_SURROGATES = re.compile(r"[\ud800-\udbff][\udc00-\udfff]")


def unescape(raw: str) -> str:
    """The characters that a string literal stands for; an unknown escape stands for itself (so ``\\s`` reaches ``matches``)."""
    if "\\" not in raw:
        return raw
    text = _ESCAPE.sub(_unescaped, raw)
    text = _SURROGATES.sub(lambda m: m[0].encode("utf-16", "surrogatepass").decode("utf-16"), text)
    return _LONE.sub("\ufffd", text)


def _unescaped(match: re.Match[str]) -> str:
    if match[1] or match[2]:
        code = int(match[1] or match[2], 16)
        return chr(code) if code < 0x110000 else "\ufffd"
    return {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\", "'": "'"}.get(match[3], match[0])
