"""Every content file passes the check it would meet at deploy."""
from __future__ import annotations

from collections.abc import Iterable

from engine.inspection.tree import Finding, Tree

TITLE = "每个内容文件都能部署"


def check(tree: Tree) -> Iterable[Finding]:
    assert tree.versions is not None
    return list(tree.faults)
