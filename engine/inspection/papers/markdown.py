"""Our own pages (README, docs/*.md) as blocks: headings, paragraphs, lists, tables, code, pictures. Marks within a line are taken off."""
from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from engine.inspection.papers.blocks import Block, heading, item, para, table

_HEADING = re.compile(r"(#{1,6}) +(.*)")
_ITEM = re.compile(r" *(?:[-*]|\d+\.) +(.*)")
_PICTURE = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)\)\s*\Z")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)\s]*\)")
_LINE = re.compile(r"\|?[\s:|-]+\|[\s:|-]*\Z")
_CELL = re.compile(r"(?<!\\)\|")


def read_file(file: Path, *, below: int = 0, skip_title: bool = False) -> Iterator[Block]:
    """The blocks of one page, its headings ``below`` levels deeper; without its first heading when a chapter already says it."""
    blocks = read(file.read_text(encoding="utf-8"), folder=file.parent, below=below)
    for number, block in enumerate(blocks):
        if not (skip_title and number == 0 and block.kind == "heading"):
            yield block


def read(text: str, *, folder: Path, below: int = 0) -> Iterator[Block]:
    lines = iter([*text.splitlines(), ""])
    gathered: list[str] = []
    rows: list[tuple[str, ...]] = []
    for line in lines:
        if rows and not line.startswith("|"):
            yield table(rows[0], rows[1:])
            rows = []
        if line.startswith("```"):
            yield from _flush(gathered)
            yield Block(kind="code", text="\n".join(_until_fence(lines)))
        elif line.startswith("|"):
            yield from _flush(gathered)
            if not _LINE.match(line):
                rows.append(tuple(plain(cell.replace("\\|", "|")) for cell in _CELL.split(line.strip().strip("|"))))
        elif found := _HEADING.match(line):
            yield from _flush(gathered)
            yield heading(plain(found[2]), len(found[1]) + below)
        elif found := _PICTURE.match(line):
            yield from _flush(gathered)
            yield Block(kind="picture", text=found[1], file=folder / found[2])
        elif found := _ITEM.match(line):
            yield from _flush(gathered)
            yield item(plain(found[1]))
        elif line.strip():
            gathered.append(line.strip())
        else:
            yield from _flush(gathered)


def _until_fence(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        if line.startswith("```"):
            return
        yield line


def _flush(gathered: list[str]) -> Iterator[Block]:
    if gathered:
        yield para(plain("".join(gathered)))
        gathered.clear()


def plain(text: str) -> str:
    """The words of a line without links, bold and code marks."""
    return _LINK.sub(r"\1", text).replace("**", "").replace("`", "").strip()
