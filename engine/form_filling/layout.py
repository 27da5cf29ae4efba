"""Puts fields under headings: ``x-gc.groups`` of the form, or the .ui.json beside it; what is in no group comes last."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.form_filling.model import Field, Group


def lay_out(
    fields: Mapping[str, Field], gc: Mapping[str, Any], layout: Mapping[str, Any], title: str, findings: list[dict[str, Any]]
) -> tuple[Group, ...]:
    """Groups in order; a field that no group names is put into a last group of its own."""
    said = layout.get("groups") or gc.get("groups") or ()
    groups: list[Group] = []
    placed: set[str] = set()
    for number, entry in enumerate(said, 1):
        names = list(entry.get("fields", ()))
        for name in names:
            if name not in fields:
                findings.append(
                    {"element": name, "rule": "form.group", "message": f"分组“{entry.get('title', number)}”里的“{name}”不在表里。"}
                )
            elif name in placed:
                findings.append({"element": name, "rule": "form.group", "message": f"“{name}”放进了两个分组。"})
            placed.add(name)
        groups.append(Group(key=f"g{number}", title=str(entry.get("title", "")), fields=tuple(names), help=str(entry.get("help", ""))))
    rest = tuple(name for name in fields if name not in placed)
    if rest:
        groups.append(Group(key=f"g{len(groups) + 1}", title="其他" if groups else title, fields=rest))
    return tuple(groups)
