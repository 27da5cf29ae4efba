"""A column for JSON that is only ever read back whole: compressed with a dictionary of what such JSON repeats."""
from __future__ import annotations

from typing import Any

import orjson
import zstandard
from sqlalchemy import Dialect, LargeBinary
from sqlalchemy.types import TypeDecorator

from engine.kernel.packing import Packer

_FIRST = b"\x01"
"""Marks the dictionary below; a new one gets a number of its own, since old rows stay as they are."""
_WORDS = zstandard.ZstdCompressionDict(
    b'{"$map":[["$date","2026-11-20"],["$time","$decimal","$duration","$list"],["case_id","initiator_id","unit_id"]]}'
    b'["fire_timer",["deliver",["message",["signal",["fail",["jump",["start",[]]{"bundle":"01a1f90a-b093-702a-a3cb-884841684d5d","process":"borrow_umbrella.borrow_umbrella",'
    b'"base":"","seed":"","calls":[["load",[],{"now":{"$datetime":"2026-11-20T09:00:00+08:00"}}],["complete",["01a1f90a-b093-702a-a3cb-884841684d5d",{"$map":[["outcome","submit"],["outcome","agree"]]}],'
    b'{"now":{"$datetime":"2026-11-20T01:00:00.000000+00:00"}}],["advance",[],{"now":{"$datetime":"2026-11-20T01:00:00.000000+00:00"}}]],"end":"',
    dict_type=zstandard.DICT_TYPE_RAWCONTENT,
)
_PACKER = Packer(level=6, words=_WORDS)


class PackedJson(TypeDecorator[Any]):
    """JSON as compressed bytes. Nothing in it can be asked for in SQL."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> bytes | None:
        return None if value is None else _FIRST + _PACKER.pack(orjson.dumps(value))

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        if value is None:
            return None
        held = bytes(value)
        if held[:1] != _FIRST:
            raise ValueError(f"packed with an unknown dictionary: {held[:1]!r}")
        return orjson.loads(_PACKER.unpack(held[1:]))
