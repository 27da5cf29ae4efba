"""The contract with 网格化系统, version 1: what the items of each feed must hold.

cases: what grid inspectors found. results: what came of each (external_number, result, told, checked_on).
"""
from __future__ import annotations

from collections.abc import Mapping

from engine.sdk.exchanging import Check, check_fields

LIMITS = {"external_number": 64, "code": 64, "title": 100, "address": 200, "content": 500, "unit_code": 32, "words": 500}
FEEDS: Mapping[str, Check] = {
    "cases": check_fields({"external_number": "案件编号", "title": "标题", "address": "地址", "unit_code": "街镇代码"}, LIMITS, dates=("found_on",)),
}
