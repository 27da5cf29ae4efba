"""逐条要求: every row of the requirements that no pack answers alone, by whom it is met and how. The page and the documents are made of it.

A topic is one file ``<topic>_rows.yaml`` beside this module: ``title`` and ``groups`` of rows ``{id, title, by, how, proof}``.
"""
from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from engine.packs.yaml import read_yaml

BY = {
    "us": ("done", "本平台"), "deployment": ("wait", "部署"), "cloud": ("hold", "云平台"), "contract": ("hold", "合同"), "info": ("hold", "仅供参照"),
    "none": ("hold", "不适用"), "open": ("late", "未全部满足"),
}
"""Who meets a row: (colour of the state, word). ``us`` is said only of rows that are claimed and proved by a marked test."""
FOLDER = Path(__file__).parent
ENDING = "_rows.yaml"
OWN_DOCUMENT = frozenset({"security"})
"""Topics whose table stands in a document of its own (docs/<topic>.md); the others share docs/nonfunctional.md."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One requirement: id, what it asks, who meets it (a key of BY), how (when open: what is missing), and the tests that prove it."""

    id: str
    title: str
    by: str
    how: str
    proof: str = ""

    def holds(self, word: str) -> bool:
        """True when the word stands in it, or when there is none."""
        return not word or any(word.casefold() in text.casefold() for text in (self.id, self.title, self.how, self.proof))


@dataclass(frozen=True, kw_only=True)
class Group:
    """Rows under one heading."""

    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, kw_only=True)
class Topic:
    """One file of rows."""

    name: str
    title: str
    groups: tuple[Group, ...]

    @property
    def rows(self) -> Iterator[Row]:
        return (row for group in self.groups for row in group.rows)


@cache
def topics() -> tuple[Topic, ...]:
    """Every file in the order of its name."""
    return tuple(_read(file) for file in sorted(FOLDER.glob(f"*{ENDING}")))


def _read(file: Path) -> Topic:
    content = read_yaml(file.read_bytes(), file=file.name)
    groups = tuple(Group(title=one["title"], rows=tuple(Row(**row) for row in one["rows"])) for one in content["groups"])
    return Topic(name=file.name.removesuffix(ENDING), title=content["title"], groups=groups)


def counted(found: tuple[Topic, ...]) -> dict[str, int]:
    """How many rows of each state, every state of BY in its order."""
    found_rows = Counter(row.by for topic in found for row in topic.rows)
    return {by: found_rows[by] for by in BY}


def narrowed(*, topic: str = "", by: str = "", word: str = "") -> tuple[Topic, ...]:
    """The topics with those rows only that fit; empty groups and topics are left out."""
    kept = []
    for one in topics():
        groups = tuple(
            Group(title=group.title, rows=rows) for group in one.groups if (rows := tuple(row for row in group.rows if row.by == (by or row.by) and row.holds(word.strip())))
        )
        if groups and one.name == (topic or one.name):
            kept.append(Topic(name=one.name, title=one.title, groups=groups))
    return tuple(kept)


def markdown(topic: Topic, *, level: int = 3) -> Iterator[str]:
    """The tables of a topic as the documents hold them, headings of ``level``."""
    for group in topic.groups:
        yield f"{'#' * level} {group.title}"
        yield ""
        yield "| 编号 | 要求 | 由谁满足 | 怎样 | 证明 |"
        yield "|---|---|---|---|---|"
        for row in group.rows:
            yield f"| {row.id} | {row.title} | {BY[row.by][1]} | {row.how} | {row.proof} |"
        yield ""


def document() -> Iterator[str]:
    """docs/nonfunctional.md: what was counted, then every topic that has no document of its own."""
    yield "# 非功能要求：逐条由谁满足"
    yield ""
    yield "由 `python -m engine security rows` 生成，不手改；页面「安全—逐条要求」是同一份（`engine/web/*_rows.yaml`）。密码各条在 [security.md](security.md)。"
    yield "“本平台”只用在行文全部达到、有测试证明的（`python -m engine trace` 里认领了的）；“未全部满足”写明缺什么。"
    yield ""
    yield "| 哪一部分 | " + " | ".join(word for _, word in BY.values()) + " |"
    yield "|---|" + "---|" * len(BY)
    for topic in topics():
        yield f"| {topic.title} | " + " | ".join(str(count) for count in counted((topic,)).values()) + " |"
    yield ""
    for topic in topics():
        if topic.name not in OWN_DOCUMENT:
            yield f"## {topic.title}"
            yield ""
            yield from markdown(topic)
