"""One grammar for every reference: ``<pack>.<name>``; inside its own pack a name stands bare."""
from __future__ import annotations

import re

_WORD = re.compile(r"[a-z][a-z0-9_]{0,62}\Z")


def is_name(text: str) -> bool:
    """True for a bare snake_case name such as ``case_filing``."""
    return bool(_WORD.match(text))


def qualify(name: str, pack: str) -> str:
    """``name`` seen from ``pack`` as ``<pack>.<name>``; raises ValueError when it is not in the grammar."""
    parts = name.split(".")
    if len(parts) > 2 or not all(is_name(part) for part in parts):
        raise ValueError(f"不是合法的引用名：{name!r}，应写作 <pack>.<name>")
    return name if len(parts) == 2 else f"{pack}.{name}"


def pack_of(qualified: str) -> str:
    """The pack in front of the dot."""
    return qualified.split(".", 1)[0]


def name_of(qualified: str) -> str:
    """What stands behind the dot."""
    return qualified.split(".", 1)[1]
