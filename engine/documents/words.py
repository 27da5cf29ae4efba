"""How amounts, dates and names read in a legal document."""
from __future__ import annotations

from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from markupsafe import Markup

from engine.kernel.clock import SHANGHAI

_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_PLACES = ("", "拾", "佰", "仟")
_GROUPS = ("", "万", "亿", "兆")
_CENT = Decimal("0.01")
_LIMIT = Decimal(10) ** 16


def money(value: Any) -> str:
    """``"47600"`` as ``47,600.00``; empty for nothing; raises ValueError for anything that is not an amount."""
    amount = _amount(value)
    return "" if amount is None else f"{amount:,.2f}"


def capital(value: Any) -> str:
    """An amount in capital digits (大写): ``50180`` as ``伍万零壹佰捌拾元整``, as 支付结算办法 附一 sets it out."""
    amount = _amount(value)
    if amount is None:
        return ""
    sign, amount = ("负" if amount < 0 else ""), abs(amount)
    whole, cents = divmod(int(amount * 100), 100)
    yuan = _integer(whole) + "元" if whole else ""
    if not cents:
        return sign + (yuan or "零元") + "整"
    jiao, fen = divmod(cents, 10)
    text = yuan + (_DIGITS[jiao] + "角" if jiao else "零" if whole else "")
    return sign + text + (_DIGITS[fen] + "分" if fen else "整")


def cn_date(value: Any) -> str:
    """A date or ISO text as ``2025年11月20日`` in Asia/Shanghai; empty for nothing."""
    day = _day(value)
    return "" if day is None else f"{day.year}年{day.month}月{day.day}日"


def cn_datetime(value: Any) -> str:
    """An instant as ``2025年11月20日10时43分`` in Asia/Shanghai; empty for nothing."""
    if value in (None, ""):
        return ""
    at = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    at = at.astimezone(SHANGHAI) if at.tzinfo else at
    return f"{cn_date(at.date())}{at.hour}时{at.minute:02}分"


def lines(value: Any) -> Markup:
    """A text of several lines as paragraphs; empty lines are left out."""
    return Markup("").join(Markup("<p>{}</p>").format(line.strip()) for line in str(value or "").splitlines() if line.strip())


def mask_name(name: str) -> str:
    """A party's name for strangers: ``上海砚****有限公司``, ``莫**``."""
    if len(name) <= 4:
        return name[:1] + "*" * (len(name) - 1)
    tail = 4 if len(name) >= 8 else 1
    return name[: 3 if len(name) >= 8 else 1] + "****" + name[-tail:]


def _amount(value: Any) -> Decimal | None:
    if value in (None, ""):
        return None
    try:
        amount = Decimal(str(value)).quantize(_CENT, ROUND_HALF_UP)
    except InvalidOperation:
        raise ValueError(f"不是金额：{value!r}") from None
    if not amount.is_finite() or abs(amount) >= _LIMIT:
        raise ValueError(f"金额超出范围：{value!r}")
    return amount


def _integer(number: int) -> str:
    groups = []
    while number:
        number, group = divmod(number, 10_000)
        groups.append(group)
    text = ""
    for index in range(len(groups) - 1, -1, -1):
        group = groups[index]
        if text and group < 1000 and any(groups[: index + 1]) and not text.endswith("零"):
            text += "零"
        if group:
            text += _group(group) + _GROUPS[index]
    return text


def _group(group: int) -> str:
    text, gap = "", False
    for place in range(3, -1, -1):
        digit = group // 10**place % 10
        if digit:
            text += ("零" if gap and text else "") + _DIGITS[digit] + _PLACES[place]
            gap = False
        else:
            gap = True
    return text


def _day(value: Any) -> date | None:
    if value in (None, ""):
        return None
    if isinstance(value, str):
        value = datetime.fromisoformat(value) if "T" in value or " " in value else date.fromisoformat(value)
    if isinstance(value, datetime):
        return (value.astimezone(SHANGHAI) if value.tzinfo else value).date()
    if isinstance(value, date):
        return value
    raise ValueError(f"不是日期：{value!r}")
