"""Two lists of the same things, before and after: what came, what went, what changed."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.runtime.handlers import service_task
from engine.runtime.task_context import TaskContext

SHOWN = 20
LONGEST = 600


@service_task(title="比较两份名单", mode="inline", pure=True)
def compare_lists(context: TaskContext, *, before: list, after: list, key: list, fields: list | None = None, titles: dict | None = None) -> dict[str, Any]:
    """What ``after`` has that ``before`` hasn't, the other way round, and entries of the same ``key`` (names of fields) whose ``fields`` differ.

    An empty text and none are the same. Results: ``added``, ``removed``, ``changed`` (entries of ``after``, of ``before``, and of ``after``), their
    counts ``added_count`` and so on, and ``told``: all of it in words, at most twenty of each; ``titles`` says what fields are called.
    """
    old, new = ({tuple(_plain(one.get(name)) for name in key): one for one in entries} for entries in (before, after))
    added, removed = ([one for place, one in mine.items() if place not in theirs] for mine, theirs in ((new, old), (old, new)))
    changed = [(place, [name for name in fields or () if _plain(old[place].get(name)) != _plain(one.get(name))]) for place, one in new.items() if place in old]
    differing = [(place, names) for place, names in changed if names]
    words = titles or {}
    told = [
        _line("新增", [_called(one, key) for one in added]), _line("减少", [_called(one, key) for one in removed]),
        _line("变动", [f"{_called(new[place], key)}（{'、'.join(_step(words.get(name, name), old[place].get(name), new[place].get(name)) for name in names)}）" for place, names in differing]),
    ]
    return {
        "added": added, "removed": removed, "changed": [new[place] for place, _ in differing], "added_count": len(added), "removed_count": len(removed), "changed_count": len(differing),
        "told": "；".join(filter(None, told)) or "没有变化",
    }


def _plain(value: Any) -> str:
    return "" if value is None else str(value)


def _step(word: str, before: Any, after: Any) -> str:
    return f"{word}由{_plain(before) or '空'}改为{_plain(after) or '空'}"


def _called(one: Mapping[str, Any], key: list) -> str:
    return " ".join(filter(None, (_plain(one.get(name)) for name in key)))


def _line(word: str, entries: list[str]) -> str:
    if not entries:
        return ""
    text = "、".join(entries[:SHOWN])
    return f"{word} {len(entries)}：{text[:LONGEST]}{'…' if len(text) > LONGEST or len(entries) > SHOWN else ''}"
