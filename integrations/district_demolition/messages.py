"""The contract with 区拆违系统, version 1: what the items of each feed must hold.

cases and demolitions come (demolitions with removed_on, area, way, words); points and scores go.
"""
from __future__ import annotations

from collections.abc import Mapping

from engine.sdk.exchanging import Check, check_fields

LIMITS = {"external_number": 64, "code": 64, "title": 100, "address": 200, "content": 500, "unit_code": 32, "words": 500}
FEEDS: Mapping[str, Check] = {
    "cases": check_fields({"external_number": "区系统编号", "title": "标题", "address": "地址", "unit_code": "街镇代码"}, LIMITS, dates=("found_on",)),
    "demolitions": check_fields({"external_number": "区系统编号", "title": "标题", "address": "地址", "unit_code": "街镇代码", "removed_on": "拆除日期"}, LIMITS, dates=("found_on", "removed_on")),
}
