"""Claimed rows are known, claimed once, and exercised by a marked test; a marked test's row is claimed."""
from __future__ import annotations

from collections.abc import Iterable

from engine.inspection.tree import PLATFORM, Finding, Tree

TITLE = "需求编号：认领的有测试，测试的有认领，都认识"


def check(tree: Tree) -> Iterable[Finding]:
    tested = {mark.id for mark in tree.marks}
    claimed: dict[str, str] = {}
    for pack, rows in tree.claims.items():
        place = "engine/requirements.yaml" if pack == PLATFORM else f"processes/{pack}/pack.yaml"
        for id, where in rows.items():
            if id not in tree.requirements:
                yield Finding(place=place, rule="requirements", message=f"不认识需求编号 {id}。")
            if id in claimed:
                yield Finding(place=place, rule="requirements", message=f"{id} 已由 {claimed[id]} 认领。")
            if id not in tested:
                yield Finding(place=place, rule="requirements", message=f"{id} 认领了，但没有带 requirement 标记的测试。")
            if not (tree.root / str(where).split()[0].split("#")[0]).exists():
                yield Finding(place=place, rule="requirements", message=f"{id} 写的实现位置 {where} 不存在。")
            claimed[id] = pack
    for mark in tree.marks:
        if mark.id not in tree.requirements:
            yield Finding(place=mark.test, rule="requirements", message=f"不认识需求编号 {mark.id}。")
        elif mark.id not in claimed:
            yield Finding(place=mark.test, rule="requirements", message=f"{mark.id} 有测试却没有认领；行文全部达到了就写进清单，否则去掉标记。")
