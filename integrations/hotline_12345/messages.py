"""The contract with 12345 热线, version 1: what the items of each feed must hold.

tickets: what residents told. replies: what came of each (external_number, result, told, checked_on).
"""
from __future__ import annotations

from collections.abc import Mapping

from engine.sdk.exchanging import Check, check_fields

LIMITS = {"external_number": 64, "code": 64, "title": 100, "address": 200, "content": 500, "unit_code": 32, "words": 500}
FEEDS: Mapping[str, Check] = {
    "tickets": check_fields({"external_number": "工单编号", "title": "标题", "address": "地址", "unit_code": "街镇代码"}, LIMITS, dates=("found_on",)),
}
