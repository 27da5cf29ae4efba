"""A new register of fifteen fields: one file, declared, filled, listed, exported and imported by its template within a minute."""
from __future__ import annotations

import io
import time
from datetime import date

import python_calamine

from tests.browser import Browser
from tests.engine.registers.test_excel import sheet
from tests.engine.registers.test_field_kinds import Fleet
from tests.town import Town

FIFTEEN = """
title: 店招店牌
fields:
  name: {title: 店名, list: true, search: true, required: true}
  code: {title: 编号, list: true, search: true}
  owner: {title: 经营者, mask: name}
  phone: {title: 电话, encrypt: true}
  address: {title: 地址, list: true, search: true}
  place: {title: 位置, type: point}
  bounds: {title: 范围, type: outline}
  height: {title: 高度, type: number, list: true}
  fee: {title: 费用, type: money}
  made_on: {title: 设置日期, type: date, list: true}
  checked_at: {title: 检查时间, type: datetime}
  safe: {title: 是否安全, type: boolean}
  tags: {title: 标签, type: tags}
  kept_by: {title: 管理单位, type: unit}
  note: {title: 备注}
"""
LIST = "/registers/borrow_umbrella/shop_sign"


def test_a_register_of_fifteen_fields_is_declared_and_used_within_a_minute(town: Town) -> None:
    began = time.monotonic()
    Fleet(town).deploy("shop_sign.yaml", FIFTEEN)
    browser = Browser(town.app, "head")
    form = browser.get(f"{LIST}/new").text
    assert form.count('class="f') >= 15 or all(title in form for title in ("店名", "位置", "范围", "标签", "管理单位", "备注"))
    made = browser.post(f"{LIST}/new", {"key": "0b8e5a1e-0000-4000-8000-000000000001", "data.name": "麦浪面包房", "data.address": "云汀路128号", "data.place.lon": "121.47", "data.place.lat": "31.23", "data.place.datum": "cgcs2000", "data.height": "3.5", "data.fee": "1200", "data.made_on": "2026-11-01", "data.phone": "13900001234"})
    assert made.status_code == 303, made.text[:500]
    listed = browser.get(LIST).text
    assert "麦浪面包房" in listed and "13900001234" not in listed and f"{LIST}/map" in listed
    heads = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(browser.get(f"{LIST}/template.xlsx").data)).get_sheet_by_index(0).to_python()[0]
    assert len([head for head in heads if head]) == 15
    sent = browser.post(f"{LIST}/import", {"file": (io.BytesIO(sheet([["青屿餐厅", 2.5, date(2026, 10, 1)]], head=("店名*", "高度", "设置日期"))), "店招.xlsx")}, content_type="multipart/form-data")
    where = sent.headers.get("HX-Redirect") or sent.location
    town.app.jobs.run_due(town.app)
    browser.post(f"{where}/confirm")
    town.app.jobs.run_due(town.app)
    assert "青屿餐厅" in browser.get(f"{LIST}?f.height.to=3").text
    assert browser.post(f"{LIST}/export").data[:2] == b"PK"
    assert time.monotonic() - began < 60
