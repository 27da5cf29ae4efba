"""How dates, instants and spans read in Chinese on a page."""
from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

from engine.kernel.clock import SHANGHAI, legal_date

WEEKDAYS = "一二三四五六日"


def day(value: date, *, today: date) -> str:
    """``11-20``, with the year when it is not this year."""
    return f"{value:%m-%d}" if value.year == today.year else f"{value:%Y-%m-%d}"


def when(value: datetime, *, today: date) -> str:
    """``09:51`` today, ``昨天 16:20``, ``11-18 14:31``, or the day alone in another year."""
    local = value.astimezone(SHANGHAI)
    days = (today - local.date()).days
    if days == 0:
        return f"{local:%H:%M}"
    if days == 1:
        return f"昨天 {local:%H:%M}"
    return f"{local:%m-%d %H:%M}" if local.year == today.year else f"{local:%Y-%m-%d}"


def brief(value: datetime, *, today: date) -> str:
    """As ``when``, without the time of day for what lies before yesterday."""
    local = value.astimezone(SHANGHAI).date()
    return when(value, today=today) if (today - local).days <= 1 else day(local, today=today)


def stamp(value: datetime) -> str:
    """The whole instant to the second, in Shanghai: ``2025-11-20 10:43:07``."""
    return f"{value.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}"


def long_day(value: date) -> str:
    """``2025 年 11 月 20 日``."""
    return f"{value.year} 年 {value.month} 月 {value.day} 日"


def weekday(value: date) -> str:
    """``星期四``."""
    return "星期" + WEEKDAYS[value.weekday()]


def span(value: timedelta) -> str:
    """A span in one or two units: ``1 天 1 小时``, ``18 小时``, ``12 分钟``, ``不到 1 分钟``."""
    minutes = int(value.total_seconds() // 60)
    days, hours = minutes // 1440, minutes % 1440 // 60
    if days:
        return f"{days} 天 {hours} 小时" if hours and days < 7 else f"{days} 天"
    if hours:
        return f"{hours} 小时"
    return f"{minutes} 分钟" if minutes else "不到 1 分钟"


def size(count: int) -> str:
    """A file's size: ``820 KB``, ``1.8 MB``."""
    return f"{max(1, round(count / 1024))} KB" if count < 1024 * 1024 else f"{count / 1024 / 1024:.1f} MB"


def counted(number: int, *, limit: int = 10_000) -> str:
    """``29``, or ``10000+`` beyond what lists count exactly."""
    return f"{limit}+" if number > limit else str(number)


def figure(value: Decimal | None) -> str:
    """A figure of a statistic: ``1,284``, ``5,604.60``, or 无 where there is none."""
    return "无" if value is None else f"{value:,}"


def growth(value: Decimal | None) -> str:
    """同比 or 环比 in percent: ``＋4.6%``, ``－2.9%``; 无可比 where there is nothing to compare with."""
    if value is None:
        return "无可比"
    return "持平" if value == 0 else f"{'＋' if value > 0 else '－'}{abs(value):,}%"


def on(value: datetime, *, today: date) -> str:
    """The legal day on which ``value`` falls, as ``day`` writes it."""
    return day(legal_date(value), today=today)
