"""Pieces that document templates share: ``{% include "<pack>.<piece>" %}`` stands for the piece's own text.

A piece is put in before the template is parsed, so the sandbox still has no loader, and whatever is asked of a template
(known names, places for seals and signatures) is asked of the whole page. A piece holds no further piece.
"""
from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from engine.kernel.errors import DeployRefused
from engine.kernel.names import is_name, qualify
from engine.packs.yaml import read_yaml

HEAD_KEYS = frozenset({"title", "values"})
INCLUDE = re.compile(r"""\{%[-+]?\s*include\s+(?P<quote>["'])(?P<name>[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)?)(?P=quote)\s*[-+]?%\}[ \t]*\n?""")

Pieces = tuple[tuple[str, bytes], ...]
"""(qualified name, content) of every piece that a template names, in the order of ``included``."""


@dataclass(frozen=True, kw_only=True)
class Piece:
    """What a piece file says. ``values`` are the names that the template sets before it includes the piece."""

    name: str
    title: str
    values: tuple[str, ...]
    body: str


def included(content: bytes, *, pack: str) -> tuple[str, ...]:
    """Qualified names of the pieces that the template ``content`` of ``pack`` includes, each once."""
    names = INCLUDE.finditer(content.decode("utf-8", "replace"))
    return tuple(dict.fromkeys(qualify(found["name"], pack) for found in names))


def pieces_for(content: bytes, *, pack: str, find: Callable[[str], bytes | None]) -> Pieces:
    """The pieces that ``content`` includes, as ``find`` has them; raises DeployRefused for one that isn't there."""
    found = {name: find(name) for name in included(content, pack=pack)}
    missing = [_finding(name, f"文书片段 {name} 不存在，请改正名字或补上文件。") for name, piece in found.items() if piece is None]
    if missing:
        raise DeployRefused(f"模板引用了不存在的文书片段：{missing[0]['element']}。", findings=missing)
    return tuple((name, piece) for name, piece in found.items() if piece is not None)


def put_in(body: str, *, pack: str, pieces: Pieces) -> str:
    """``body`` with the text of its pieces; an include of anything that is not in ``pieces`` stays as it stands."""
    known = dict(pieces)

    def text(found: re.Match[str]) -> str:
        name = qualify(found["name"], pack)
        return parse_piece(known[name], name=name).body if name in known else found[0]

    return INCLUDE.sub(text, body)


@lru_cache(maxsize=200)
def parse_piece(content: bytes, *, name: str) -> Piece:
    """The piece ``<pack>.<piece>``: an optional YAML head and a body; raises DeployRefused when the head is wrong."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DeployRefused(f"文书片段 {name} 不是 UTF-8 编码。") from None
    head, body = _split(text, name)
    findings = list(_head_findings(head))
    if findings:
        raise DeployRefused(f"文书片段 {name} 有 {len(findings)} 处不合要求。", findings=findings)
    return Piece(name=name, title=head["title"].strip(), values=tuple(head.get("values", ())), body=body)


def readers(piece: str, documents: Iterable[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
    """Those of ``documents`` (qualified name, content) that include ``piece``."""
    for name, content in documents:
        if piece in included(content, pack=name.split(".", 1)[0]):
            yield name, content


def _split(text: str, name: str) -> tuple[Mapping[str, Any], str]:
    lines = text.splitlines(keepends=True)
    marks = [index for index, line in enumerate(lines) if line.strip() == "---"][:2]
    if len(marks) < 2 or marks[0] != 0:
        raise DeployRefused(f"文书片段 {name} 开头应有两行 --- 之间的 YAML 说明。")
    head = read_yaml("".join(lines[1 : marks[1]]).encode(), file=name)
    if not isinstance(head, dict):
        raise DeployRefused(f"文书片段 {name} 的 YAML 说明应是键和值。")
    return head, "".join(lines[marks[1] + 1 :])


def _head_findings(head: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    for key in head:
        if key not in HEAD_KEYS:
            yield _finding(str(key), f"不认识的键 {key}")
    if not isinstance(head.get("title"), str) or not head["title"].strip():
        yield _finding("title", "缺少标题 title")
    values = head.get("values", [])
    if not isinstance(values, list) or not all(isinstance(value, str) and is_name(value) for value in values):
        yield _finding("values", "values 应是名称的列表，例如 [steps]")


def _finding(element: str, message: str) -> dict[str, str]:
    return {"element": element, "rule": "document", "message": message}
