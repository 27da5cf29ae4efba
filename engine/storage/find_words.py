"""Words of one or two characters, which trigrams don't index, through ``gc_words``."""
from __future__ import annotations

import unicodedata
from typing import Any

from sqlalchemy import ColumnElement, Text, bindparam, cast, func
from sqlalchemy.dialects.postgresql import TSQUERY


def short(word: str) -> bool:
    return len(fold(word)) <= 2


def fold(word: str) -> str:
    """As the index holds it: half width, lower case."""
    return unicodedata.normalize("NFKC", word).lower()


def has_word(text: ColumnElement[Any], word: str) -> ColumnElement[bool]:
    """``text`` holds ``word``, by the index of pairs: exact for two characters, as a prefix for one.

    Written into the statement, so that a prepared one is never planned without knowing the word.
    """
    folded = fold(word)
    quoted = "'" + folded.replace("\\", "\\\\").replace("'", "''") + "'" + (":*" if len(folded) == 1 else "")
    return func.public.gc_words(text).op("@@", is_comparison=True)(cast(bindparam(None, quoted, Text(), literal_execute=True), TSQUERY))
