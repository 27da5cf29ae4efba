"""Pinyin for searching and sorting Chinese: the whole reading and its initials, surnames read as surnames."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

# Readings that dictionaries give only as a surname.
SURNAMES = {
    "万俟": "moqi",
    "尉迟": "yuchi",
    "单于": "chanyu",
    "长孙": "zhangsun",
    "澹台": "tantai",
    "令狐": "linghu",
    "宇文": "yuwen",
    "曾": "zeng",
    "单": "shan",
    "解": "xie",
    "仇": "qiu",
    "区": "ou",
    "查": "zha",
    "盖": "ge",
    "朴": "piao",
    "任": "ren",
    "华": "hua",
    "缪": "miao",
    "翟": "zhai",
    "乐": "yue",
    "宁": "ning",
    "燕": "yan",
    "葛": "ge",
    "应": "ying",
    "种": "chong",
    "员": "yun",
    "冼": "xian",
    "洗": "xian",
    "召": "shao",
    "繁": "po",
    "黑": "he",
    "折": "she",
    "那": "na",
    "祭": "zhai",
    "秘": "bi",
    "覃": "qin",
    "过": "guo",
    "牟": "mou",
    "尉": "wei",
    "晁": "chao",
    "逄": "pang",
    "隗": "wei",
    "车": "che",
    "阚": "kan",
    "佴": "nai",
    "撒": "sa",
    "相": "xiang",
    "么": "yao",
    "薄": "bo",
    "纪": "ji",
    "石": "shi",
    "柏": "bai",
    "谌": "chen",
    "郗": "xi",
}


@lru_cache(maxsize=20_000)
def readings(text: str, *, person: bool = False) -> tuple[str, ...]:
    """One syllable per Chinese character; other characters as they are, folded. ``person``: the first ones are a surname."""
    from pypinyin import Style, lazy_pinyin

    text = unicodedata.normalize("NFKC", text).strip()
    head: tuple[str, ...] = ()
    if person:
        surname = next((s for s in (text[:2], text[:1]) if s in SURNAMES), "")
        head = _split(SURNAMES[surname], len(surname)) if surname else ()
        text = text[len(surname) :]
    return head + tuple(syllable.lower() for syllable in lazy_pinyin(text, style=Style.NORMAL, v_to_u=False) if syllable.strip())


def _split(reading: str, characters: int) -> tuple[str, ...]:
    """A double surname's reading as two syllables."""
    if characters == 1:
        return (reading,)
    at = {"moqi": 2, "yuchi": 2, "chanyu": 4, "zhangsun": 5, "tantai": 3, "linghu": 4, "yuwen": 2}[reading]
    return reading[:at], reading[at:]


def pinyin_key(text: str, *, person: bool = False) -> str:
    """What is stored beside a name: ``zengwei zw``. Sort by it, and search by the start of either word."""
    syllables = readings(text, person=person)
    return f"{''.join(syllables)} {''.join(s[0] for s in syllables)}"


def matches(query: str, *, title: str, key: str) -> bool:
    """True when ``query`` is part of the title, of its initials, or of the reading from a syllable's start on."""
    query = unicodedata.normalize("NFKC", query).strip().lower()
    if not query or query in title.lower():
        return True
    whole, _, initials = key.partition(" ")
    return query in initials or whole.startswith(query)
