"""Load the tree of this checkout together with the registered handlers."""
from __future__ import annotations

import pkgutil
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import engine.runtime.standard as standard
from engine.inspection.tree import Tree
from engine.kernel.names import is_name
from engine.kernel.settings import ROOT
from engine.runtime.handlers import ServiceTask, service_tasks_in


def load_tree(root: Path = ROOT) -> Tree:
    """The tree at ``root``; handlers are imported from the running checkout."""
    return Tree(root=root, handlers={task.name: task for task in _handlers(root)})


def _handlers(root: Path) -> list[ServiceTask]:
    found = []
    for info in pkgutil.iter_modules(standard.__path__):
        found += service_tasks_in(import_module(f"{standard.__name__}.{info.name}"), "gc")
    for path in sorted((root / "handlers").glob("*/*.py")):
        module = f"handlers.{path.parent.name}.{path.stem}"
        if is_name(path.parent.name) and path.stem != "__init__" and _importable(module):
            found += service_tasks_in(import_module(module), path.parent.name)
    return found


def _importable(module: str) -> bool:
    """False for a folder that stands in another tree than the running checkout."""
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False
