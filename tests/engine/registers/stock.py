"""The register ``borrow_umbrella.stock`` of these tests and what they do with it."""
from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Table

from engine.access.actors import Actor
from engine.kernel.ids import new_id
from engine.registers.catalogue import get_register
from engine.registers.declaration import Register
from engine.registers.filters import read_asked
from engine.registers.write_record import write_record
from engine.runtime.deploy_file import deploy_file
from engine.runtime.queries import registers as query
from tests.town import Town

NAME = "borrow_umbrella.stock"
COLOURS = "title: 颜色\nentries:\n  - {code: red, title: 红}\n  - {code: blue, title: 蓝}\n"
TAGS = "title: 标签\nentries:\n  - {code: new, title: 新}\n  - {code: big, title: 大}\n"
STOCK = """
title: 雨伞库存
case: none
editors: keeper
help: 每把伞一条
fields:
  code: {title: 编号, list: true, search: true, required: true}
  colour: {title: 颜色, type: choice, dictionary: colour, list: true}
  tags: {title: 标签, type: choices, dictionary: tag, list: true}
  price: {title: 单价, type: money, list: true}
  weight: {title: 重量, type: number, list: true}
  bought_on: {title: 购入日期, type: date, list: true}
  checked_at: {title: 检查时间, type: datetime, list: true}
  working: {title: 是否完好, type: boolean, list: true}
  holder: {title: 保管人, type: person}
  place: {title: 所在单位, type: unit}
  phone: {title: 联系电话, type: text, mask: middle, list: true, search: true}
  owner: {title: 捐赠人, type: text, mask: name}
  secret: {title: 防伪码, type: text, encrypt: true, list: true}
  note: {title: 备注, type: text}
  more: {title: 附加, type: json}
"""


class Stock:
    """``actor`` names a login of the town; ``keeper`` of the pack is the station's head."""

    def __init__(self, town: Town) -> None:
        self.town, self.app = town, town.app
        self.register: Register
        self.table: Table
        self.register, self.table = get_register(self.app.library, NAME)

    def actor(self, login: str = "head") -> Actor:
        return self.town.actor(login)

    def add(self, values: dict[str, Any], *, unit: str = "station_one", case_id: UUID | None = None) -> UUID:
        id = new_id()
        self.app.clock.advance(timedelta(seconds=1))
        with self.app.db.begin() as connection:
            write_record(
                connection, register=self.register, table=self.table, record_id=id, values=values, case_id=case_id, unit_id=self.town.units[unit],
                district_id=self.town.units["district"], keys=self.app.keys, at=self.app.clock.now(), by_id=None, by_name="测试",
            )
        return id

    def page(self, *pairs: tuple[str, str], login: str = "head", **more: Any) -> Any:
        with self.app.db.connect() as connection:
            return query.listed(
                connection, actor=self.actor(login), register=self.register, table=self.table, asked=read_asked(self.register, pairs), **more,
            )

    def codes(self, *pairs: tuple[str, str], login: str = "head") -> list[str]:
        return [row.cells["code"] for row in self.page(*pairs, login=login).rows]


def deploy_stock(town: Town) -> Stock:
    analyst = town.actor("keeper")
    for kind, filename, content in (("dictionary", "colour.yaml", COLOURS), ("dictionary", "tag.yaml", TAGS), ("register", "stock.yaml", STOCK)):
        deploy_file(
            town.app, actor=analyst, pack="borrow_umbrella", filename=filename, content=content.encode(), note="测试", at=town.app.clock.now(), kind=kind,
        )
    return Stock(town)
