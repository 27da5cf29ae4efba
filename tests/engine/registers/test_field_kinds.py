"""Fields that point at records, tags, files, serial numbers, validity; who sees what; many records at once; two that are one."""
from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from engine.form_filling.attachments import store_attachment
from engine.kernel.errors import DeployRefused, Invalid, NotFound, StaleRevision
from engine.kernel.ids import new_id
from engine.registers.catalogue import get_register
from engine.registers.declaration import parse_register
from engine.registers.filters import read_asked
from engine.runtime.change_many import remove_many, set_on_many
from engine.runtime.deploy_file import deploy_file
from engine.runtime.edit_record import change_record, create_record
from engine.runtime.import_register import check_import, confirm_import, start_import, write_import
from engine.runtime.merge_records import merge_records
from engine.runtime.queries import registers as query
from engine.runtime.queries.attachments import file_for
from engine.runtime.queries.related import pointing_at
from engine.runtime.record_form import answers_of_record
from tests.browser import Browser
from tests.engine.registers.test_excel import sheet
from tests.town import Town

COMPANY, VAN = "borrow_umbrella.company", "borrow_umbrella.van"
COMPANIES = """
title: 运输企业
scope: {scope}
fields:
  name: {{title: 名称, list: true, search: true, required: true}}
  number: {{title: 档案号, type: serial, number: loan_number, list: true, search: true}}
  labels: {{title: 标签, type: tags, list: true}}
  papers: {{title: 材料, type: files}}
  phone: {{title: 电话, encrypt: true}}
  licensed_on: {{title: 发证日期, type: date, list: true}}
  licensed_until: {{title: 有效期至, type: date, list: true}}
valid: {{from: licensed_on, until: licensed_until, soon: 30}}
"""
VANS = """
title: 运输车辆
scope: bureau
fields:
  plate: {title: 车牌, list: true, search: true, required: true}
  company: {title: 所属企业, type: record, register: company, shows: name, list: true}
"""
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


class Fleet:
    def __init__(self, town: Town) -> None:
        self.town = town
        self.app: Any = town.app

    def deploy(self, filename: str, content: str) -> None:
        deploy_file(self.app, actor=self.town.actor("keeper"), pack="borrow_umbrella", filename=filename, content=content.encode(), note="测试", at=self.app.clock.now(), kind="register")

    def add(self, register: str, login: str = "head", **data: Any) -> UUID:
        self.app.clock.advance(timedelta(seconds=1))
        return create_record(self.app, actor=self.town.actor(login), register=register, data=data, key=new_id(), at=self.app.clock.now())

    def read(self, register: str, id: UUID, login: str = "head") -> Any:
        declared, table = get_register(self.app.library, register)
        with self.app.db.connect() as connection:
            return query.one(connection, actor=self.town.actor(login), register=declared, table=table, record_id=id)

    def names(self, register: str, *pairs: tuple[str, str], login: str = "head", on: Any = None) -> list[str]:
        declared, table = get_register(self.app.library, register)
        with self.app.db.connect() as connection:
            page = query.listed(connection, actor=self.town.actor(login), register=declared, table=table, asked=read_asked(declared, pairs, on=on or self.app.clock.today()))
        return [next(iter(row.cells.values())) for row in page.rows]


@pytest.fixture
def fleet(town: Town) -> Fleet:
    fleet = Fleet(town)
    fleet.deploy("company.yaml", COMPANIES.format(scope="unit"))
    fleet.deploy("van.yaml", VANS)
    return fleet


def test_a_field_points_at_a_record_and_the_record_knows_who_points(fleet: Fleet) -> None:
    company = fleet.add(COMPANY, name="城东燃气")
    van = fleet.add(VAN, plate="沪A10001", company=str(company))
    assert fleet.read(VAN, van)[0].cells["company"] == "城东燃气"
    with fleet.app.db.connect() as connection:
        (found,) = pointing_at(fleet.app, connection, actor=fleet.town.actor("head"), register=COMPANY, record_id=company)
        keys = connection.scalars(text("SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND conrelid = 'reg.borrow_umbrella__van'::regclass AND confrelid = 'reg.borrow_umbrella__company'::regclass")).one()
    assert [row[1] for row in found.rows] == ["沪A10001"] and found.field.title == "所属企业" and keys == 1
    with pytest.raises(Invalid) as refused:
        fleet.add(VAN, plate="沪A10002", company=str(new_id()))
    assert "没有这条记录" in refused.value.fields["company"]


def test_a_record_of_another_unit_cannot_be_pointed_at(fleet: Fleet) -> None:
    company = fleet.add(COMPANY, name="城东燃气")
    with pytest.raises(Invalid):
        fleet.add(VAN, plate="沪A10002", login="other_head", company=str(company))


def test_serials_are_given_in_order_also_from_excel(fleet: Fleet, tmp_path: Path) -> None:
    first = fleet.add(COMPANY, name="甲")
    at, head = fleet.app.clock.now(), fleet.town.actor("head")
    data = sheet([[f"企业{n}", "重点、夜间"] for n in range(3)], ["名称*", "标签"])
    made = start_import(fleet.app, actor=head, register=COMPANY, name="a.xlsx", data=data, at=at)
    check_import(fleet.app, transfer_id=str(made))
    confirm_import(fleet.app, actor=head, register=COMPANY, import_id=made, at=at)
    write_import(fleet.app, transfer_id=str(made))
    numbers = [fleet.read(COMPANY, first)[0].cells["number"]]
    numbers += fleet.names(COMPANY, ("f.labels", "重点"), ("col", "number"), ("sort", "number"))
    assert [int(number[-4:-1]) for number in numbers] == [1, 2, 3, 4] and len(set(numbers)) == 4


def test_vans_come_from_excel_by_the_companys_name(fleet: Fleet) -> None:
    fleet.add(COMPANY, name="城东燃气")
    fleet.add(COMPANY, name="同名")
    fleet.add(COMPANY, name="同名")
    head, at = fleet.town.actor("head"), fleet.app.clock.now()
    made = start_import(fleet.app, actor=head, register=VAN, name="v.xlsx", data=sheet([["沪A1", "城东燃气"], ["沪A2", "没有的"], ["沪A3", "同名"]], ["车牌*", "所属企业"]), at=at)
    check_import(fleet.app, transfer_id=str(made))
    with fleet.app.db.connect() as connection:
        problems = connection.execute(text("SELECT problems FROM register_transfer WHERE id = :id"), {"id": made}).scalar_one()
    assert {(p["row"], p["text"]) for p in problems} == {(3, "没有这条记录，请核对。"), (4, "有几条同名的记录，请在台账里逐条登记。")}


def test_tags_narrow_a_list_and_are_added_to_many(fleet: Fleet) -> None:
    ids = [fleet.add(COMPANY, name=name, labels=labels) for name, labels in (("甲", ["重点"]), ("乙", []), ("丙", ["重点", "夜间"]))]
    assert sorted(fleet.names(COMPANY, ("f.labels", "重点"))) == ["丙", "甲"] and fleet.names(COMPANY, ("f.labels", "重点、夜间")) == ["丙"]
    head, at = fleet.town.actor("head"), fleet.app.clock.now()
    results = set_on_many(fleet.app, actor=head, register=COMPANY, ids=[*ids, new_id()], field="labels", value=["夜间"], how="add", reason="夜查", at=at)
    assert [bool(one.message) for one in results] == [False, False, False, True]
    assert sorted(fleet.names(COMPANY, ("f.labels", "夜间"))) == sorted(["甲", "乙", "丙"])
    set_on_many(fleet.app, actor=head, register=COMPANY, ids=ids, field="labels", value=["重点"], how="take", reason="降级", at=at)
    assert fleet.names(COMPANY, ("f.labels", "重点")) == []
    assert fleet.read(COMPANY, ids[2])[1][0].reason == "降级"


@pytest.mark.parametrize(("ids", "reason", "said"), [(0, "原因", "还没有选"), (201, "原因", "最多改 200 条"), (1, " ", "为什么")])
def test_many_records_ask_for_a_choice_and_a_reason(fleet: Fleet, ids: int, reason: str, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        remove_many(fleet.app, actor=fleet.town.actor("head"), register=COMPANY, ids=[new_id() for _ in range(ids)], reason=reason, at=fleet.app.clock.now())


@pytest.mark.parametrize(("valid", "expected"), [("in_force", ["将到期", "有效"]), ("soon", ["将到期"]), ("ended", ["过期"]), ("not_yet", ["未来"])])
def test_validity_narrows_a_list_by_the_day(fleet: Fleet, valid: str, expected: list[str]) -> None:
    today = fleet.app.clock.today()
    for name, start, end in (("有效", -10, 90), ("将到期", -10, 30), ("过期", -90, -1), ("未来", 1, 90)):
        fleet.add(COMPANY, name=name, licensed_on=(today + timedelta(days=start)).isoformat(), licensed_until=(today + timedelta(days=end)).isoformat())
    assert sorted(fleet.names(COMPANY, ("f.valid", valid))) == sorted(expected)


@pytest.mark.parametrize(("scope", "seen"), [
    ("unit", {"officer": True, "other_officer": False, "chief": True, "staff": True}), ("agency", {"officer": True, "other_officer": True, "chief": True, "staff": True}),
    ("bureau", {"other_officer": True, "chief": True}), ("all", {"other_officer": True}),
])
def test_scope_says_who_sees_a_record(town: Town, scope: str, seen: dict[str, bool]) -> None:
    fleet = Fleet(town)
    fleet.deploy("company.yaml", COMPANIES.format(scope=scope))
    id = fleet.add(COMPANY, name="甲", login="officer")
    for login, sees in seen.items():
        assert bool(fleet.names(COMPANY, login=login)) is sees, login
        if not sees:
            with pytest.raises(NotFound):
                fleet.read(COMPANY, id, login)


def test_files_of_a_record_are_seen_by_whoever_sees_the_record(fleet: Fleet) -> None:
    head = fleet.town.actor("head")
    with fleet.app.db.begin() as connection:
        meta = store_attachment(connection, fleet.app.blobs, actor=head, case_id=None, task_id=None, field="papers", file_name="许可证.pdf", data=PDF, at=fleet.app.clock.now())
    id = fleet.add(COMPANY, name="甲", papers=[{"id": meta.id}])
    with fleet.app.db.connect() as connection:
        assert file_for(fleet.app, connection, actor=fleet.town.actor("officer"), attachment_id=UUID(meta.id))["file_name"] == "许可证.pdf"
        with pytest.raises(NotFound):
            file_for(fleet.app, connection, actor=fleet.town.actor("other_officer"), attachment_id=UUID(meta.id))
    page = Browser(fleet.app, "officer").get(f"/registers/borrow_umbrella/company/{id}").text
    assert "许可证.pdf" in page
    with fleet.app.db.begin() as connection:
        other = store_attachment(connection, fleet.app.blobs, actor=fleet.town.actor("officer"), case_id=None, task_id=None, field="papers", file_name="二.pdf", data=PDF + b"2", at=fleet.app.clock.now())
    record, _ = fleet.read(COMPANY, id)
    declared, _ = get_register(fleet.app.library, COMPANY)
    change_record(
        fleet.app, actor=fleet.town.actor("officer"), register=COMPANY, record_id=id, rev=record.rev, reason="补材料", at=fleet.app.clock.now(),
        data={**answers_of_record(declared, record.values), "papers": [{"id": meta.id}, {"id": other.id}]},
    )
    assert [entry["id"] for entry in fleet.read(COMPANY, id)[0].values["papers"]] == [meta.id, other.id]


def test_two_records_become_one_and_what_pointed_moves(fleet: Fleet) -> None:
    keep = fleet.add(COMPANY, name="城东燃气", labels=["重点"], phone="13900000001")
    gone = fleet.add(COMPANY, name="城东燃气公司", labels=["夜间"], phone="13900000002")
    van = fleet.add(VAN, plate="沪A10001", company=str(gone))
    records = {id: fleet.read(COMPANY, id)[0] for id in (keep, gone)}
    given: dict[str, Any] = {"actor": fleet.town.actor("head"), "register": COMPANY, "keep_id": keep, "gone_id": gone, "taken": frozenset({"name", "labels", "phone"}), "at": fleet.app.clock.now()}
    with pytest.raises(Invalid):
        merge_records(fleet.app, **given, reason="", revs={id: record.rev for id, record in records.items()})
    with pytest.raises(StaleRevision):
        merge_records(fleet.app, **given, reason="同一家", revs={keep: "x", gone: records[gone].rev})
    with pytest.raises(NotFound):
        merge_records(fleet.app, **{**given, "actor": fleet.town.actor("other_head")}, reason="同一家", revs={id: record.rev for id, record in records.items()})
    merge_records(fleet.app, **given, reason="同一家", revs={id: record.rev for id, record in records.items()})
    record, history = fleet.read(COMPANY, keep)
    assert record.cells["name"] == "城东燃气公司" and record.cells["labels"] == "重点、夜间" and history[0].reason == "并入“城东燃气公司”：同一家"
    assert fleet.read(VAN, van)[0].values["company"] == keep and fleet.names(COMPANY) == ["城东燃气公司"]
    declared, table = get_register(fleet.app.library, COMPANY)
    with fleet.app.db.connect() as connection:
        sealed = connection.scalar(table.select().with_only_columns(table.c.phone).where(table.c.id == keep))
    assert sealed is not None and fleet.app.keys.decrypt(sealed, b"phone") == b"13900000002"


def test_a_merge_in_the_browser(fleet: Fleet) -> None:
    keep, gone = fleet.add(COMPANY, name="甲"), fleet.add(COMPANY, name="甲（重）")
    browser = Browser(fleet.app, "head")
    page = browser.get(f"/registers/borrow_umbrella/company/{keep}/merge?other={gone}").text
    assert "甲（重）（并入）" in page
    records = {id: fleet.read(COMPANY, id)[0] for id in (keep, gone)}
    answer = browser.post(f"/registers/borrow_umbrella/company/{keep}/merge", {"other": str(gone), "rev": records[keep].rev, "other_rev": records[gone].rev, "reason": "重复登记", "take.name": "mine"})
    assert answer.status_code in (200, 302, 303) and fleet.names(COMPANY) == ["甲"]


def test_ticked_records_are_changed_in_the_browser(fleet: Fleet) -> None:
    ids = [fleet.add(COMPANY, name=name) for name in ("甲", "乙")]
    browser = Browser(fleet.app, "head")
    assert 'form="batch-records"' in browser.get("/registers/borrow_umbrella/company").text
    page = browser.post("/registers/borrow_umbrella/company/many", {"id": [str(id) for id in ids], "field": "labels"}).text
    assert "批量修改 2 条" in page and "加上这些标签" in page
    browser.post("/registers/borrow_umbrella/company/many/set", {"id": [str(id) for id in ids], "field": "labels", "data.labels": "重点", "how": "add", "reason": "夜查"})
    assert sorted(fleet.names(COMPANY, ("f.labels", "重点"))) == ["乙", "甲"]
    browser.post("/registers/borrow_umbrella/company/many/remove", {"id": [str(id) for id in ids], "reason": "搬走"})
    assert fleet.names(COMPANY) == []


def test_who_does_not_keep_the_register_changes_nothing(fleet: Fleet) -> None:
    id = fleet.add(COMPANY, name="甲")
    (result,) = remove_many(fleet.app, actor=fleet.town.actor("chief"), register=COMPANY, ids=[id], reason="清理", at=fleet.app.clock.now())
    assert result.message and fleet.names(COMPANY) == ["甲"]


@pytest.mark.parametrize(("field", "said"), [
    ("{title: 甲, type: record}", "record 要写 register"), ("{title: 甲, type: serial}", "serial 要写 number"), ("{title: 甲, type: tags, encrypt: true}", "不能加密"),
    ("{title: 甲, register: company, shows: name}", "别的类型不要写"),
])
def test_a_wrong_field_is_refused_with_what_to_write(field: str, said: str) -> None:
    with pytest.raises(DeployRefused) as refused:
        parse_register(f"title: 甲\nfields:\n  one: {field}\n".encode(), name="borrow_umbrella.x")
    assert said in refused.value.findings[0]["message"]


@pytest.mark.parametrize("valid", ["{until: name}", "{from: licensed_until}", "{until: licensed_until, soon: 很久}"])
def test_a_wrong_validity_is_refused(valid: str) -> None:
    content = f"title: 甲\nvalid: {valid}\nfields:\n  name: {{title: 名称}}\n  licensed_until: {{title: 至, type: date}}\n"
    with pytest.raises(DeployRefused):
        parse_register(content.encode(), name="borrow_umbrella.x")




def test_a_field_that_records_hold_something_in_is_not_dropped(fleet: Fleet) -> None:
    wide = "title: 箱子\nfields:\n  name: {title: 名称, list: true}\n  weight: {title: 重量, type: number}\n  spare: {title: 备用}\n"
    fleet.deploy("box.yaml", wide)
    id = fleet.add("borrow_umbrella.box", name="甲", weight=3)
    with pytest.raises(DeployRefused) as refused:
        fleet.deploy("box.yaml", "title: 箱子\nfields:\n  name: {title: 名称, list: true}\n")
    (told,) = refused.value.findings
    assert "“重量”有 1 条记录填了内容" in told["message"], "the spare field is empty"
    assert fleet.read("borrow_umbrella.box", id)[0].cells["weight"] == "3"
    fleet.deploy("box.yaml", wide.replace("  spare: {title: 备用}\n", ""))
    with pytest.raises(DeployRefused, match="会丢失数据"):
        fleet.deploy("box.yaml", wide.replace("type: number", "type: text"))
