"""A new pack begins as a copy of the tutorial pack under its own name, complete and green, ready to be changed."""
from __future__ import annotations

import re
from pathlib import Path

from engine.kernel.errors import Conflict, Invalid
from engine.kernel.names import is_name

EXAMPLE = "borrow_umbrella"
ROOMS = ("processes", "forms", "handlers", "tests/packs")


def new_pack(root: Path, *, name: str, title: str) -> list[Path]:
    """Copy the example's four folders to ``name``; the files made. Raises Invalid for a bad name, Conflict when it is taken."""
    if not is_name(name):
        raise Invalid("包名要用小写英文、数字和下划线，例如 sampling_check。")
    taken = [room for room in ROOMS if (root / room / name).exists()]
    if taken:
        raise Conflict(f"{taken[0]}/{name} 已经存在，换一个名字，或先删掉它。")
    made = []
    for room in ROOMS:
        for source in sorted((root / room / EXAMPLE).rglob("*")):
            if source.is_file() and "__pycache__" not in source.parts:
                target = root / room / name / _renamed(str(source.relative_to(root / room / EXAMPLE)), name)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(_rewritten(source, name, title), encoding="utf-8")
                made.append(target)
    return made


def _renamed(path: str, name: str) -> str:
    return path.replace(EXAMPLE, name)


def _rewritten(source: Path, name: str, title: str) -> str:
    text = source.read_text(encoding="utf-8").replace(EXAMPLE, name)
    if source.name == "pack.yaml":
        text = re.sub(r"^title:.*$", lambda _: f"title: {title}", text, count=1, flags=re.MULTILINE)
        text = re.sub(r"^requirements:(\n[ ].*)*\n?", "", text, flags=re.MULTILINE)
    if source.suffix == ".md":
        text = re.sub(r"\A# .*$", lambda _: f"# {title}", text, count=1, flags=re.MULTILINE)
    return text
