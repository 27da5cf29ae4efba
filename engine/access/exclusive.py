"""三员分立: the three rights that nobody holds two of, and that no role gives."""
from __future__ import annotations

from collections.abc import Collection

from engine.kernel.errors import Invalid

EXCLUSIVE = frozenset({"admin", "security", "auditor"})
WORDS = {"admin": "系统管理", "security": "安全管理", "auditor": "安全审计"}


def require_apart(rights: Collection[str]) -> None:
    """Raise Invalid when ``rights`` hold more than one of the three."""
    together = sorted(EXCLUSIVE & set(rights))
    if len(together) > 1:
        words = "、".join(WORDS[right] for right in together)
        raise Invalid(
            f"{words}三员分立，同一个人只能有其中一项。请另外指定一个人。" if len(together) == 3 else f"{words}不能由同一个人担任（三员分立）。请另外指定一个人。",
            code="three_officers", fields={"rights": "系统管理、安全管理、安全审计只能选一项。"},
        )
