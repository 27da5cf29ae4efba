"""Words of one or two characters, which trigrams don't index, through ``gc_words``."""
from __future__ import annotations

import unicodedata
from typing import Any

from sqlalchemy import ColumnElement, cast, func, literal
from sqlalchemy.dialects.postgresql import TSQUERY


def short(word: str) -> bool:
    return len(fold(word)) <= 2


def fold(word: str) -> str:
    """As the index holds it: half width, lower case."""
    return unicodedata.normalize("NFKC", word).lower()


def has_word(text: ColumnElement[Any], word: str) -> ColumnElement[bool]:
    """``text`` holds ``word``, by the index of pairs: exact for two characters, as a prefix for one."""
    folded = fold(word)
    quoted = "'" + folded.replace("\\", "\\\\").replace("'", "''") + "'" + (":*" if len(folded) == 1 else "")
    return func.public.gc_words(text).op("@@", is_comparison=True)(cast(literal(quoted), TSQUERY))
