"""Chinese words of one and two characters by index, and names by the initials of their pinyin: database functions, made once."""
from __future__ import annotations

from pypinyin import Style, lazy_pinyin

SURNAMES = {"曾": "z", "单": "s", "解": "x", "仇": "q", "区": "o", "查": "z", "盖": "g", "缪": "m", "翟": "z", "乐": "y", "种": "c", "冼": "x", "召": "s", "繁": "p", "尉": "y"}
"""Letters of characters that read otherwise as a surname."""

WORDS = """
CREATE OR REPLACE FUNCTION public.gc_words(told text) RETURNS tsvector LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT array_to_tsvector(ARRAY(
    SELECT DISTINCT pair FROM (SELECT rtrim(substr(said, place, 2)) AS pair FROM (SELECT lower(normalize(left(told, 4000), NFKC)) AS said) AS one, generate_series(1, length(said)) AS place) AS pairs
    WHERE pair <> '' AND left(pair, 1) <> ' '))
$$
"""
"""``gc_words(text)``: its pairs of neighbouring characters; one character is the prefix of a pair."""


def initials_function() -> str:
    """``gc_initials(name)``: the first letters of its pinyin, surnames as surnames; other characters stay, in lower case. The 6,763 characters of GB 2312."""
    common = "".join(bytes((high, low)).decode("gb2312", "ignore") for high in range(0xB0, 0xF8) for low in range(0xA1, 0xFF))
    letters = "".join((lazy_pinyin(one, style=Style.FIRST_LETTER, errors=lambda text: "?")[0] or "?")[0] for one in common)
    rest = f"'{common}', '{letters}'"
    return f"""
CREATE OR REPLACE FUNCTION public.gc_initials(called text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT translate(translate(left(said, 1), '{"".join(SURNAMES)}', '{"".join(SURNAMES.values())}'), {rest}) || translate(substr(said, 2), {rest})
  FROM (SELECT lower(left(called, 60)) AS said) AS one
$$
"""  # noqa: S608 (letters of our own table)
