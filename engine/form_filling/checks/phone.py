"""Telephone numbers of mainland China: mobile, fixed line with or without area code and extension, 400 and 800."""

from __future__ import annotations

import re
import unicodedata

_MOBILE = re.compile(r"1[3-9][0-9]{9}\Z")
_FIXED = re.compile(r"(?:(0[1-9][0-9]{1,2})-?)?([2-9][0-9]{6,7})(?:-([0-9]{1,6}))?\Z")
_SERVICE = re.compile(r"[48]00-?[0-9]{3}-?[0-9]{4}\Z")


def check(text: str) -> str:
    """The number without blanks and without +86; raises ValueError with a Chinese message."""
    number = re.sub(r"[\s()]", "", unicodedata.normalize("NFKC", text))
    number = re.sub(r"^(?:\+86-?|0086-?)", "", number)
    if _MOBILE.match(number) or _SERVICE.match(number) or _FIXED.match(number):
        return number
    if number.isdigit() and number.startswith("1"):
        raise ValueError(
            f"手机号应是 11 位，填了 {len(number)} 位。请核对后重填。" if len(number) != 11 else "没有这样开头的手机号，请核对后重填。"
        )
    raise ValueError("电话写成 13800000000 或 021-62345678，分机写在后面，如 021-62345678-801。")
