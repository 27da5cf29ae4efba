"""The duty directory: taken from two sources, checked, approved, published as a version; versions compared; who may see it ruled in the browser."""
from __future__ import annotations

import json
import urllib.request
from typing import Any

import pytest
from sqlalchemy import select

from engine.documents.queries import find_document
from engine.registers.catalogue import get_register
from engine.registers.filters import read_asked
from engine.runtime.export_register import export_list
from engine.runtime.queries import registers as query
from engine.storage.tables.documents import document
from engine.storage.tables.organisation import account
from tests.browser import Browser
from tests.packs.enforcement_base.outside import Outside, outside
from tests.packs.walk import Walker

__all__ = ["outside"]
RENEW = "duty_directory.renew"
CONTACT, VERSION = "duty_directory.contact", "duty_directory.version"


class Directory:
    def __init__(self, walk: Walker, outside: Outside) -> None:
        self.walk, self.app, self.outside = walk, walk.app, outside
        outside.start("premises_system")

    def collected(self, **choice: Any) -> list[dict[str, Any]]:
        """Start a new version; what the form of the check opens with."""
        self.walk.start("a_staff", RENEW, {"title": "十一月通讯录", "posts": "leaders", "premises": True, **choice})
        self.walk.run_jobs()
        page = Browser(self.app, "a_staff").get(f"/tasks/{self.walk.task('check')['id']}", follow_redirects=True).get_data(as_text=True)
        assert "周启衡" in page and "云浦区一中队" in page
        return [dict(one) for one in self.facts()["collected"]]

    def facts(self) -> dict[str, Any]:
        from engine.runtime.begin import load_machine
        from engine.storage.tables.runtime import instance

        with self.app.db.connect() as connection:
            row = connection.execute(select(instance).where(instance.c.case_id == self.walk.case_id)).mappings().one()
        return dict(load_machine(self.app, dict(row), self.walk.at).facts(self.walk.task("check")["engine_id"]))

    def publish(self, contacts: list[dict[str, Any]]) -> None:
        self.walk.do("a_staff", "check", "submit", {"contacts": contacts}, opinion="")
        self.walk.do("a_head", "approve", "approve", opinion="同意发布。")
        self.walk.run_jobs()

    def rows(self, register: str, *pairs: tuple[str, str], login: str = "a1_officer") -> list[dict[str, str]]:
        declared, table = get_register(self.app.library, register)
        with self.app.db.connect() as connection:
            asked = read_asked(declared, [*pairs, *(("col", name) for name in declared.fields)], on=self.app.clock.today())
            return [dict(row.cells) for row in query.listed(connection, actor=self.walk.actor(login), register=declared, table=table, asked=asked).rows]


@pytest.fixture
def directory(squads: Walker, outside: Outside) -> Directory:
    return Directory(squads, outside)


@pytest.mark.requirement("CMD-079")
@pytest.mark.requirement("CMD-080")
@pytest.mark.requirement("CMD-081")
@pytest.mark.requirement("CMD-082")
def test_a_directory_is_taken_checked_approved_published_and_compared(directory: Directory) -> None:
    walk = directory.walk
    found = {one["name"]: one for one in directory.collected()}
    assert (found["周启衡"]["phone"], found["周启衡"]["room"], found["周启衡"]["duty"], found["周启衡"]["source"]) == ("021-60010001", "东街 1 号 201 室", "负责人", "officers")
    assert found["门卫室"]["source"] == "premises" and found["叶知行"]["phone"] == "" and "陆知微" not in found and "顾明川" not in found
    by_hand = {"name": "舒望", "unit_name": "云浦区志愿队", "post": "队长", "phone": "021-60010002", "source": "manual"}
    walk.do("a_staff", "check", "submit", {"contacts": [*found.values(), by_hand]}, opinion="")
    assert walk.waiting() == {"approve"} and directory.rows(CONTACT) == []
    walk.back("a_head", "approve", "check", "请补上执法科的电话。")
    found["叶知行"]["phone"] = "021-60010003"
    directory.publish([*found.values(), by_hand])
    assert walk.case()["state"] == "closed" and len(directory.rows(CONTACT)) == len(found) + 1
    first = directory.rows(VERSION)[0]
    assert (first["number"], first["total"]) == ("1", str(len(found) + 1)) and "没有写明负责人：云浦区志愿队" in first["advice"].replace("、云浦区", "：云浦区") and "共用一个电话" in first["advice"]
    with directory.app.db.connect() as connection:
        paper = find_document(connection, connection.execute(select(document.c.id).where(document.c.case_id == walk.case_id)).scalar_one())
    assert paper is not None
    assert paper.number and paper.state == "issued" and paper.pdf_sm3
    declared, _ = get_register(directory.app.library, CONTACT)
    asked = read_asked(declared, [("f.valid", "in_force")], on=directory.app.clock.today())
    assert export_list(directory.app, actor=walk.actor("a1_officer"), register=CONTACT, asked=asked, at=walk.at).sm3

    moved = [{"name": "周启衡", "unit_name": "云浦区一中队", "post": "中队长", "room": "东街 9 号", "phone": "021-60010001"}]
    body = json.dumps({"occupants": moved}).encode()
    urllib.request.urlopen(urllib.request.Request(f"{directory.outside.urls['premises_system']}/occupants", data=body, method="PUT"), timeout=5).close()
    again = directory.collected()
    assert "门卫室" not in {one["name"] for one in again}
    directory.publish(again)
    second = next(row for row in directory.rows(VERSION) if row["number"] == "2")
    assert "周启衡 云浦区一中队（办公用房由东街 1 号 201 室改为东街 9 号）" in second["changes"] and "门卫室" in second["changes"] and "超过两成" in second["advice"] and "没有电话" in second["advice"]
    assert {row["version"] for row in directory.rows(CONTACT, ("f.valid", "in_force"))} == {"2"} and {row["version"] for row in directory.rows(CONTACT, ("f.valid", "ended"))} == {"1"}


@pytest.mark.requirement("CMD-080")
def test_what_the_leader_refuses_is_not_published(directory: Directory) -> None:
    found = directory.collected(premises=False)
    assert {one["source"] for one in found} == {"officers"}
    directory.walk.do("a_staff", "check", "submit", {"contacts": found}, opinion="")
    directory.walk.do("a_head", "approve", "refuse", opinion="暂不发布。")
    assert directory.walk.case()["state"] == "refused" and directory.rows(CONTACT) == []


@pytest.mark.requirement("CMD-083")
def test_who_sees_the_directory_on_the_phone_is_ruled_in_the_browser(directory: Directory) -> None:
    directory.publish(directory.collected())
    app, page = directory.app, "/registers/duty_directory/contact?f.valid=in_force"
    with app.db.begin() as connection:
        connection.execute(account.update().where(account.c.login == "b1_second").values(rights=["security"]))
    phone = {"User-Agent": "Mozilla/5.0 (Linux; Android 14) Mobile"}

    def seen(login: str) -> str:
        return Browser(app, login).get(page, headers=phone).get_data(as_text=True)

    assert "021-60010001" in seen("a1_officer") and "周启衡" in seen("a1_officer") and "周启衡" not in seen("b1_officer")
    security, roles = Browser(app, "b1_second"), "/admin/rights/roles"
    rule = {"reason": "通讯录查看规则", "kind": "field", "field": f"{CONTACT}.phone", "level": "mask"}
    assert security.post(f"{roles}/everybody/grant", {**rule, "key": "directory-1"}).status_code == 303
    assert security.post(f"{roles}/duty_directory.keeper/grant", {**rule, "level": "read", "key": "directory-2"}).status_code == 303
    assert "021-60010001" not in seen("a1_officer") and "周启衡" in seen("a1_officer") and "021-60010001" in seen("a_staff")
    assert security.post(f"{roles}/everybody/grant", {"reason": "只给负责人", "kind": "closed", "register": CONTACT, "action": "read", "scope": "own", "key": "directory-3"}).status_code == 303
    assert security.post(f"{roles}/duty_directory.leader/grant", {"reason": "只给负责人", "kind": "register", "register": CONTACT, "action": "read", "scope": "agency", "key": "directory-4"}).status_code == 303
    assert "周启衡" not in seen("a1_officer") and "周启衡" in seen("a_head")
