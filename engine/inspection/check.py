"""Run every rule over the tree."""
from __future__ import annotations

import pkgutil
from importlib import import_module
from types import ModuleType

from engine.inspection import rules
from engine.inspection.tree import Finding, Tree


def all_rules() -> list[ModuleType]:
    """The rule modules, by name."""
    return [import_module(f"{rules.__name__}.{info.name}") for info in sorted(pkgutil.iter_modules(rules.__path__), key=lambda i: i.name)]


def check(tree: Tree) -> list[Finding]:
    """Every finding of every rule; a pack's ``exempt`` takes a rule away from it, with a reason."""
    found = [finding for rule in all_rules() for finding in rule.check(tree)]
    return [finding for finding in dict.fromkeys(found) if not _exempt(tree, finding)]


def _exempt(tree: Tree, finding: Finding) -> bool:
    parts = finding.place.split("/")
    pack = tree.packs.get(parts[1]) if len(parts) > 1 else None
    return pack is not None and finding.rule in pack.exempt
