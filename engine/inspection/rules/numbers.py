"""Number rules count, and name only fields that exist."""
from __future__ import annotations

from collections.abc import Iterable

from engine.documents.numbers import check_pattern
from engine.inspection.tree import Finding, Tree
from engine.kernel.errors import GuichengError

TITLE = "编号规则写得对"


def check(tree: Tree) -> Iterable[Finding]:
    for pack, manifest in tree.packs.items():
        for rule in manifest.numbers.values():
            try:
                check_pattern(rule.pattern)
            except GuichengError as error:
                yield Finding(place=f"processes/{pack}/pack.yaml", rule="numbers", message=error.message)
