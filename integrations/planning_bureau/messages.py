"""The contract with 市规划资源局, version 1: what the items of each feed must hold.

parcels: GeoJSON ``outline`` in the datum that its member ``datum`` names, CGCS2000 without one.
"""
from __future__ import annotations

from collections.abc import Mapping

from engine.sdk.exchanging import Check, check_fields

LIMITS = {"external_number": 64, "code": 64, "title": 100, "address": 200, "content": 500, "unit_code": 32, "words": 500}
FEEDS: Mapping[str, Check] = {
    "parcels": check_fields({"code": "地块编号", "title": "地块名称", "address": "地址", "outline": "范围", "unit_code": "街镇代码"}, LIMITS, dates=()),
}
