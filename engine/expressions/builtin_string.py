"""String functions; positions count code points from 1."""
from __future__ import annotations

from decimal import Decimal
from typing import Any

from engine.expressions.builtins import bounded_list, bounded_text, builtin
from engine.expressions.errors import Problem
from engine.expressions.numbers import as_integer
from engine.expressions.regex import Pattern, compile_pattern
from engine.expressions.values import kind_of


@builtin("substring", "string:string, start position:number, length:number?")
def substring(text: str, start: Decimal, length: Decimal | None) -> str | None:
    position = as_integer(start)
    if not position or abs(position) > len(text):
        raise Problem("起始位置超出文本")
    first = position - 1 if position > 0 else len(text) + position
    if length is None:
        return text[first:]
    count = as_integer(length)
    if count < 1:
        raise Problem("长度应大于零")
    return text[first:first + count]


@builtin("string length", "string:string")
def string_length(text: str) -> Decimal:
    return Decimal(len(text))


@builtin("upper case", "string:string")
def upper_case(text: str) -> str:
    return text.upper()


@builtin("lower case", "string:string")
def lower_case(text: str) -> str:
    return text.lower()


@builtin("substring before", "string:string, match:string")
def substring_before(text: str, match: str) -> str:
    head, found, _ = text.partition(match) if match else ("", "", "")
    return head if found else ""


@builtin("substring after", "string:string, match:string")
def substring_after(text: str, match: str) -> str:
    return text.partition(match)[2] if match else text


@builtin("contains", "string:string, match:string")
def contains(text: str, match: str) -> bool:
    return match in text


@builtin("starts with", "string:string, match:string")
def starts_with(text: str, match: str) -> bool:
    return text.startswith(match)


@builtin("ends with", "string:string, match:string")
def ends_with(text: str, match: str) -> bool:
    return text.endswith(match)


@builtin("matches", "input:string, pattern:string, flags:string?")
def matches(text: str, pattern: str, flags: str | None) -> bool:
    return compile_pattern(pattern, flags or "").search(text, 0) is not None


@builtin("replace", "input:string, pattern:string, replacement:string, flags:string?")
def replace(text: str, pattern: str, replacement: str, flags: str | None) -> str:
    compiled = compile_pattern(pattern, flags or "")
    template = _template(replacement, compiled, "q" in (flags or ""))
    pieces: list[str] = []
    size = at = 0
    for groups in compiled.find_all(text):
        piece = text[at:groups[0][0]] + "".join(part if isinstance(part, str) else _group(text, groups, part) for part in template)
        size += len(piece)
        bounded_text(piece)
        pieces.append(piece)
        at = groups[0][1]
        if size > 200_000:
            break
    return bounded_text("".join(pieces) + text[at:])


def _group(text: str, groups: list[tuple[int, int]], number: int) -> str:
    start, end = groups[number]
    return text[start:end] if start >= 0 else ""


def _template(replacement: str, pattern: Pattern, quoted: bool) -> list[str | int]:
    """The replacement as texts and group numbers; ``$1`` and ``\\$`` as in XPath."""
    if quoted:
        return [replacement]
    parts: list[str | int] = []
    position = 0
    while position < len(replacement):
        char = replacement[position]
        following = replacement[position + 1:position + 2]
        if char == "\\":
            if following not in ("\\", "$"):
                raise Problem("替换文本里的反斜杠不对")
            parts.append(following)
            position += 2
        elif char == "$":
            if not (following.isascii() and following.isdigit()):
                raise Problem("替换文本里的 $ 后面应是数字")
            number = int(following)
            position += 2
            while replacement[position:position + 1].isdigit() and number * 10 + int(replacement[position]) <= pattern.groups:
                number = number * 10 + int(replacement[position])
                position += 1
            parts.append(number if number <= pattern.groups else "")
        else:
            parts.append(char)
            position += 1
    return parts


@builtin("split", "string:string, delimiter:string")
def split(text: str, delimiter: str) -> list[str]:
    pieces: list[str] = []
    at = 0
    for groups in compile_pattern(delimiter, "").find_all(text):
        pieces.append(text[at:groups[0][0]])
        at = groups[0][1]
    return bounded_list([*pieces, text[at:]])


@builtin("string join", "list:list, delimiter:string?")
def string_join(items: list[Any], delimiter: str | None) -> str:
    if any(item is not None and kind_of(item) != "string" for item in items):
        raise Problem("只能连接文本")
    texts = [item for item in items if item is not None]
    if sum(map(len, texts)) + len(delimiter or "") * len(texts) > 200_000:
        bounded_text("x" * 200_001)
    return bounded_text((delimiter or "").join(texts))
