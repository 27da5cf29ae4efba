"""Character classes of XML Schema and XPath regular expressions."""
from __future__ import annotations

import unicodedata
from collections.abc import Callable

from engine.expressions.errors import Problem

Predicate = Callable[[str], bool]

_BLOCKS: dict[str, tuple[int, int]] = {
    "BasicLatin": (0x0, 0x7F), "Latin-1Supplement": (0x80, 0xFF), "LatinExtended-A": (0x100, 0x17F), "LatinExtended-B": (0x180, 0x24F),
    "IPAExtensions": (0x250, 0x2AF), "SpacingModifierLetters": (0x2B0, 0x2FF), "CombiningDiacriticalMarks": (0x300, 0x36F),
    "Greek": (0x370, 0x3FF), "GreekandCoptic": (0x370, 0x3FF), "Cyrillic": (0x400, 0x4FF), "Armenian": (0x530, 0x58F),
    "Hebrew": (0x590, 0x5FF), "Arabic": (0x600, 0x6FF), "Devanagari": (0x900, 0x97F), "Thai": (0xE00, 0xE7F), "Tibetan": (0xF00, 0xFFF),
    "HangulJamo": (0x1100, 0x11FF), "Mongolian": (0x1800, 0x18AF), "GeneralPunctuation": (0x2000, 0x206F),
    "CurrencySymbols": (0x20A0, 0x20CF), "LetterlikeSymbols": (0x2100, 0x214F), "NumberForms": (0x2150, 0x218F),
    "Arrows": (0x2190, 0x21FF), "MathematicalOperators": (0x2200, 0x22FF), "BoxDrawing": (0x2500, 0x257F),
    "GeometricShapes": (0x25A0, 0x25FF), "MiscellaneousSymbols": (0x2600, 0x26FF), "CJKRadicalsSupplement": (0x2E80, 0x2EFF),
    "KangxiRadicals": (0x2F00, 0x2FDF), "CJKSymbolsandPunctuation": (0x3000, 0x303F), "Hiragana": (0x3040, 0x309F),
    "Katakana": (0x30A0, 0x30FF), "Bopomofo": (0x3100, 0x312F), "CJKUnifiedIdeographsExtensionA": (0x3400, 0x4DBF),
    "CJKUnifiedIdeographs": (0x4E00, 0x9FFF), "HangulSyllables": (0xAC00, 0xD7AF), "PrivateUse": (0xE000, 0xF8FF),
    "CJKCompatibilityIdeographs": (0xF900, 0xFAFF), "CJKCompatibilityForms": (0xFE30, 0xFE4F),
    "HalfwidthandFullwidthForms": (0xFF00, 0xFFEF),
}
_CATEGORIES = frozenset(
    "L Lu Ll Lt Lm Lo M Mn Mc Me N Nd Nl No P Pc Pd Ps Pe Pi Pf Po Z Zs Zl Zp S Sm Sc Sk So C Cc Cf Co Cn".split())


def is_space(char: str) -> bool:
    return char in " \t\n\r"


def is_digit(char: str) -> bool:
    return unicodedata.category(char) == "Nd"


def is_word(char: str) -> bool:
    return unicodedata.category(char)[0] not in "PZC"


def is_initial(char: str) -> bool:
    """``\\i``: may begin an XML name."""
    return char in "_:" or unicodedata.category(char) in ("Lu", "Ll", "Lt", "Lo", "Nl")


def is_name(char: str) -> bool:
    """``\\c``: may stand in an XML name."""
    return is_initial(char) or char in "-.·" or unicodedata.category(char) in ("Nd", "Mc", "Me", "Mn", "Lm")


ESCAPES: dict[str, Predicate] = {"s": is_space, "d": is_digit, "w": is_word, "i": is_initial, "c": is_name}


def inverse(predicate: Predicate) -> Predicate:
    return lambda char: not predicate(char)


def property_class(name: str, negated: bool) -> Predicate:
    """``\\p{Lu}`` or ``\\p{IsBasicLatin}``; raises Problem for an unknown name."""
    predicate: Predicate
    if name.startswith("Is"):
        if name[2:] not in _BLOCKS:
            raise Problem(f"正则表达式里没有这个字符区：{name[:40]}")
        low, high = _BLOCKS[name[2:]]
        predicate = lambda char: low <= ord(char) <= high  # noqa: E731
    elif name in _CATEGORIES:
        predicate = lambda char: unicodedata.category(char).startswith(name)  # noqa: E731
    else:
        raise Problem(f"正则表达式里没有这个字符类：{name[:40]}")
    return inverse(predicate) if negated else predicate


def variants(char: str) -> frozenset[str]:
    """The characters that differ from one only in case."""
    found = {char, char.lower(), char.upper(), char.casefold(), char.lower().upper(), char.upper().lower()}
    return frozenset(variant for variant in found if len(variant) == 1)


def folded(char: str) -> Predicate:
    """Whether a character differs from ``char`` at most in case."""
    own = variants(char)
    return lambda other: other in own or not own.isdisjoint(variants(other))


def caseless(predicate: Predicate) -> Predicate:
    """A predicate that holds when it holds for some case of the character."""
    return lambda char: any(predicate(variant) for variant in variants(char))


class Group:
    """``[a-z…]``: ranges and classes, maybe negated, maybe less another group; answers are remembered."""

    def __init__(self, ranges: list[tuple[str, str]], classes: list[Predicate], negated: bool, less: Group | None, fold: bool) -> None:
        self._ranges = ranges
        self._classes = classes
        self._negated = negated
        self._less = less
        self._fold = fold
        self._known: dict[str, bool] = {}

    def __call__(self, char: str) -> bool:
        known = self._known.get(char)
        if known is None:
            known = self._holds(char)
            if len(self._known) < 1000:
                self._known[char] = known
        return known

    def _holds(self, char: str) -> bool:
        forms = variants(char) if self._fold else (char,)
        inside = any(self._listed(form) for form in forms)
        return inside != self._negated and not (self._less is not None and self._less(char))

    def _listed(self, char: str) -> bool:
        return any(low <= char <= high for low, high in self._ranges) or any(holds(char) for holds in self._classes)
