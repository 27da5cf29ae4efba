"""Addresses as people in Shanghai write them → their parts: 区、街镇、路、弄、号、幢、室, or 村、新村、小区 and what stands in it.

Tolerant: 上海市 may be missing, full width, blanks and brackets don't matter, numbers may be Chinese (一百二十弄), 近…路 and
…路…路口 name a crossing. What isn't understood stays in ``rest``; nothing is refused.
"""
from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

DISTRICTS = ("黄浦区", "徐汇区", "长宁区", "静安区", "普陀区", "虹口区", "杨浦区", "闵行区", "宝山区", "嘉定区", "浦东新区", "金山区", "松江区", "青浦区", "奉贤区", "崇明区")
"""The sixteen districts of Shanghai."""
_SHORT = {name.removesuffix("新区").removesuffix("区"): name for name in DISTRICTS}
_HAN = "一-龥"
_CITY = re.compile(r"^(?:中国)?(?:上海市|上海)?(?:市辖区)?")
_TOWN = re.compile(rf"^([{_HAN}]{{2,8}}?街道|(?:(?!路)[{_HAN}]){{1,7}}?(?:镇|乡|工业区|林场|农场))(?!(?:支|公|大|[东西南北中])?(?:路|街(?!道)|弄|道)|新?村|小区|[东西南北中]?[一二三四五六七八九十]*村)")
_ROAD = re.compile(rf"^([{_HAN}A-Z0-9]{{1,12}}?(?:路|街(?!道)|大道|胡同))(?!口)")
_NAMED_LANE = re.compile(rf"^([{_HAN}]{{2,6}}(?:弄|巷))(?=\d|$)")
_COMMUNITY = re.compile(
    rf"^([{_HAN}A-Z][{_HAN}A-Z0-9]{{0,13}}?(?:新村(?:[一二三四五六七八九十]+村)?|[一二三四五六七八九十]+村|小区|花园|花苑|家园|名苑|公寓|大厦|广场|中心|商场|市场|别墅|村|苑|坊|邨|里|庭|湾|府|城))(?:[东西南北]区)?(?!委|路|街)"
)
_LANE, _SUBLANE = re.compile(r"^(\d+)弄"), re.compile(r"^(\d+)支弄")
_GROUP = re.compile(r"^\d+(?:组|队)")
_NUMBER = re.compile(r"^(\d+)(?:(?:之|-)\d+)?([甲乙丙丁戊A-Z])?(?:[、,/~至\-](?:\d+号?[、,/~至\-])*\d+)?(?:[甲乙丙丁])?号(?!楼|院|线|桥|库|棚)")
_BUILDING, _UNIT, _ROOM = re.compile(r"^([A-Z甲乙丙丁]|\d+)(?:号楼|幢|栋|座|#)"), re.compile(r"^(\d+)单元"), re.compile(r"^([A-Z]?\d+[A-Z]?(?:-\d+)?)室")
_FLOOR = re.compile(r"^(?:[A-Z]?\d+|底|顶)(?:层|楼)")
_CHINESE = re.compile(r"[一二三四五六七八九十百〇零两]+(?=支?弄|号|室|幢|栋|座|单元|层|楼)")
_DIGIT = {mark: value for value, mark in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_VILLAGE_DIGITS = re.compile(r"(\d+)(?=村)")
_NOISE = re.compile(r"[\s·。,，;；:：“”\"'《》]+")
_BRACKETS = re.compile(r"[(（\[【](.*?)[)）\]】]")
_CROSS = re.compile(rf"(?:近|靠近|与|和|、|/|口)?([{_HAN}]{{1,8}}?(?:路|街(?!道)|大道))(?:交叉口|路口|交汇处|口|附近)?$")


@dataclass(frozen=True, kw_only=True)
class Address:
    """The parts; empty where the address says nothing. ``number`` is the 号 (the last of 弄 and 号 counts), ``cross`` a second road."""

    district: str = ""
    street: str = ""
    road: str = ""
    lane: int | None = None
    number: int | None = None
    community: str = ""
    building: str = ""
    room: str = ""
    cross: str = ""
    rest: str = ""

    @property
    def told(self) -> str:
        """The parts in words, as they were understood."""
        parts = (
            self.district, self.street, self.road, f"{self.lane}弄" if self.lane else "", self.community, f"{self.number}号" if self.number else "",
            f"{self.building}幢" if self.building else "", f"{self.room}室" if self.room else "", f"近{self.cross}" if self.cross else "",
        )
        return "".join(parts)


def read_address(text: str) -> Address:
    """The parts of ``text``."""
    left = unicodedata.normalize("NFKC", text).upper()
    beside = " ".join(_BRACKETS.findall(left))
    left = _NOISE.sub("", _BRACKETS.sub("", left))
    left = _CHINESE.sub(lambda mark: str(chinese_number(mark[0])), left)
    left = _VILLAGE_DIGITS.sub(lambda mark: in_chinese(int(mark[0])), left)
    found: dict[str, str | int | None] = {}
    left = _CITY.sub("", left, count=1)
    found["district"], left = _district(left)
    found["street"], left = _take(_TOWN, left)
    left = _read_places(found, left)
    left = _read_door(found, left)
    cross = _CROSS.search(left) or _CROSS.search(_NOISE.sub("", beside))
    if found.get("road") and cross and cross[1].removeprefix("近") != found["road"]:
        found["cross"], left = cross[1].removeprefix("近"), left[: cross.start()] if _CROSS.search(left) else left
    return Address(**found, rest=left)  # type: ignore[arg-type]


def _district(text: str) -> tuple[str, str]:
    for name in DISTRICTS:
        if text.startswith(name):
            return name, text.removeprefix(name)
    for short, name in _SHORT.items():
        if text.startswith(short) and _TOWN.match(text.removeprefix(short)):
            return name, text.removeprefix(short)
    return "", text


def _take(pattern: re.Pattern[str], text: str) -> tuple[str, str]:
    mark = pattern.match(text)
    return (mark[1], text[mark.end():]) if mark else ("", text)


def _read_places(found: dict[str, str | int | None], left: str) -> str:
    """Road and lane, or a named lane, or a community; what may follow a road is a community too (…路88弄…小区)."""
    road, community = _ROAD.match(left), _COMMUNITY.match(left)
    if road and not (community and community.end() < road.end() and not left[community.end():].startswith(("路", "街"))):
        found["road"], left = road[1], left[road.end():]
    elif named := _NAMED_LANE.match(left):
        found["road"], left = named[1], left[named.end():]
    if lane := _LANE.match(left):
        found["lane"], left = int(lane[1]), left[lane.end():]
        left = _SUBLANE.sub("", left)
    community = _COMMUNITY.match(left)
    if community:
        found["community"], left = community[1], left[community.end():]
    return left


def _read_door(found: dict[str, str | int | None], left: str) -> str:
    left = _GROUP.sub("", left)
    if number := _NUMBER.match(left):
        found["number"], left = int(number[1]), left[number.end():]
        if not found.get("community") and (community := _COMMUNITY.match(left)):
            found["community"], left = community[1], left[community.end():]
    for pattern, part in ((_BUILDING, "building"), (_UNIT, ""), (_FLOOR, ""), (_ROOM, "room")):
        if mark := pattern.match(left):
            if part:
                found[part] = mark[1]
            left = left[mark.end():]
    return left


def chinese_number(text: str) -> int:
    """一百二十 → 120, 二〇三 → 203."""
    if not any(mark in "十百" for mark in text):
        return int("".join(str(_DIGIT[mark]) for mark in text))
    total, held = 0, 0
    for mark in text:
        if mark in "十百":
            total += (held or 1) * (10 if mark == "十" else 100)
            held = 0
        else:
            held = _DIGIT[mark]
    return total + held


def in_chinese(number: int) -> str:
    """12 → 十二, as villages are called; numbers of a hundred and more stay as they are."""
    if not 0 < number < 100:
        return str(number)
    tens, ones = divmod(number, 10)
    return ("" if tens == 0 else "十" if tens == 1 else f"{'零一二三四五六七八九'[tens]}十") + ("" if ones == 0 else "零一二三四五六七八九"[ones])
