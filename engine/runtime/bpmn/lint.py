"""The linter: refuses at deploy whatever could run wrong, stop or hang. Rules are modules of ``lint_rules``, found by being there."""
from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Mapping
from functools import lru_cache
from types import ModuleType

from lxml import etree

from engine.runtime.bpmn import lint_rules
from engine.runtime.bpmn.errors import Finding
from engine.runtime.bpmn.model import Model

_GENERATED = re.compile(r"gc_(?:(?:split|meet|fork|choose|start|count|people\d*|found\d*)_(.+)|(.+)_\d+)\Z")


@lru_cache(maxsize=1)
def rules() -> tuple[ModuleType, ...]:
    """Every rule module, by name. A rule has ``check_source(root)`` or ``check(model, called, calls)``, each yielding findings."""
    return tuple(importlib.import_module(f"{lint_rules.__name__}.{info.name}") for info in pkgutil.iter_modules(lint_rules.__path__))


def lint_source(root: etree._Element) -> list[Finding]:
    """Findings about the file as drawn."""
    return [item for rule in rules() if hasattr(rule, "check_source") for item in rule.check_source(root)]


def lint_model(model: Model, called: Mapping[str, Model], calls: Mapping[str, str]) -> list[Finding]:
    """Findings about one normalised process; ``called`` are the models of called processes, ``calls`` call activity → reference."""
    found = [item for rule in rules() if hasattr(rule, "check") for item in rule.check(model, called, calls)]
    return [{**item, "element": drawn(item["element"])} for item in found]


def drawn(element: str) -> str:
    """The drawn element that a generated one was put in for."""
    match = _GENERATED.match(element)
    return match.group(1) or match.group(2) if match else element
