"""What a document consists of."""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Block:
    """``kind`` is heading (``level`` 1 is a chapter), text, item, code, picture (``file``) or table (``rows``, the heads first)."""

    kind: str
    text: str = ""
    level: int = 1
    rows: tuple[tuple[str, ...], ...] = ()
    file: Path | None = None


def heading(text: str, level: int = 1) -> Block:
    return Block(kind="heading", text=text, level=level)


def para(text: str) -> Block:
    return Block(kind="text", text=text)


def item(text: str) -> Block:
    return Block(kind="item", text=text)


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> Block:
    """A table; a row shorter than its heads is filled up."""
    width = len(heads)
    cells = [tuple(["" if cell is None else str(cell) for cell in row] + [""] * (width - len(row)))[:width] for row in rows]
    return Block(kind="table", rows=(tuple(heads), *cells))
