"""密码应用与安全要求的逐条清单: every row of the table, by whom it is met and how. Shown on the page, printed into docs/security.md."""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from engine.packs.yaml import read_yaml

BY = {"us": ("done", "本平台"), "deployment": ("wait", "部署"), "cloud": ("hold", "云平台"), "open": ("late", "未满足"), "none": ("hold", "不适用")}
FILE = Path(__file__).with_name("security_rows.yaml")


@dataclass(frozen=True, kw_only=True)
class SecurityRow:
    """One requirement: id, what it asks, who meets it (a key of BY), how, and where that is proved."""

    id: str
    title: str
    by: str
    how: str
    proof: str = ""


@dataclass(frozen=True, kw_only=True)
class Group:
    """Rows under one heading."""

    title: str
    rows: tuple[SecurityRow, ...]


@cache
def groups() -> tuple[Group, ...]:
    """The whole table in its order."""
    content = read_yaml(FILE.read_bytes(), file=FILE.name)
    return tuple(Group(title=one["title"], rows=tuple(SecurityRow(**row) for row in one["rows"])) for one in content["groups"])


def markdown() -> Iterator[str]:
    """The table as docs/security.md holds it."""
    for group in groups():
        yield f"### {group.title}"
        yield ""
        yield "| 编号 | 要求 | 由谁满足 | 怎样 | 证明 |"
        yield "|---|---|---|---|---|"
        for row in group.rows:
            yield f"| {row.id} | {row.title} | {BY[row.by][1]} | {row.how} | {row.proof} |"
        yield ""
