"""Type expressions: ``number``, ``list<T>``, ``context<a: T>``, ``function<T> -> T``, ``range<T>``, names of item definitions."""
from __future__ import annotations

from collections.abc import Mapping

from engine.expressions.scanner import KEYWORDS, Scanner, is_name_part, is_name_start
from engine.expressions.types import ANY, SIMPLE, ContextType, FunctionType, ListType, RangeType, Type

_LONG = ("date and time", "days and time duration", "years and months duration")
_MAX_DEPTH = 20


def parse_type(scan: Scanner, types: Mapping[str, Type], depth: int = 0) -> Type:
    """Reads one type at the scanner's place; an unknown name is a FeelError."""
    if depth > _MAX_DEPTH:
        scan.fail("类型嵌套太深")
    name = _take_name(scan, types)
    if name in ("list", "range", "context", "function") and _accept(scan, "<"):
        return _parametric(scan, types, name, depth)
    found = types.get(name) or SIMPLE.get(name)
    if found is None:
        scan.fail(f"没有名为“{name}”的类型", scan.position)
    return found


def _parametric(scan: Scanner, types: Mapping[str, Type], name: str, depth: int) -> Type:
    if name == "function":
        parameters: list[Type] = []
        while not _accept(scan, ">"):
            if parameters:
                _expect(scan, ",")
            parameters.append(parse_type(scan, types, depth + 1))
        result = parse_type(scan, types, depth + 1) if _accept(scan, "->") else ANY
        return FunctionType("function", parameters, result)
    if name == "context":
        return _context(scan, types, depth)
    item = parse_type(scan, types, depth + 1)
    _expect(scan, ">")
    return ListType("list", item) if name == "list" else RangeType("range", item)


def _context(scan: Scanner, types: Mapping[str, Type], depth: int) -> Type:
    entries: dict[str, Type] = {}
    while not _accept(scan, ">"):
        if entries:
            _expect(scan, ",")
        key = scan.take_free_name(":,>").value
        _expect(scan, ":")
        entries[key] = parse_type(scan, types, depth + 1)
    return ContextType("context", entries)


def _accept(scan: Scanner, sign: str) -> bool:
    at = scan.skip(scan.position)
    if scan.text.startswith(sign, at):
        scan.jump(at + len(sign))
        return True
    return False


def _expect(scan: Scanner, sign: str) -> None:
    if not _accept(scan, sign):
        scan.fail(f"此处应是“{sign}”", scan.skip(scan.position))


def _take_name(scan: Scanner, types: Mapping[str, Type]) -> str:
    at = scan.skip(scan.position)
    known = [name for name in (*_LONG, *types) if scan.text.startswith(name, at)]
    for name in sorted(known, key=len, reverse=True):
        end = at + len(name)
        if end == scan.size or not is_name_part(scan.text[end]):
            scan.jump(end)
            return name
    if at >= scan.size or not is_name_start(scan.text[at]):
        scan.fail("此处应是类型", at)
    words = []
    while True:
        end = scan.word_end(at)
        words.append(scan.text[at:end])
        at = scan.skip(end)
        stop = scan.word_end(at)
        if at == end or stop == at or scan.text[at:stop] in KEYWORDS:
            break
    scan.jump(end)
    return " ".join(words)
