"""A case through the pages: started, refused and kept, submitted once, returned, taken back; the pages' budget of statements."""
from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event, func, select, update

from engine.storage.tables.cases import case_file
from engine.storage.tables.runtime import act, draft
from tests.engine.web.site import Site
from tests.packs.case_filing import clues

CLUE = {"data.source": "complaint", "data.received_on": "2026-11-19", "data.title": "反映云汀路无照经营", "data.content": "门口有人无照卖早点。",
        "data.reporter_kind": "none"}
START = "/start/case_filing/clue_intake"


@contextmanager
def counted(site: Site) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    event.listen(site.app.db, "before_cursor_execute", note)
    yield seen
    event.remove(site.app.db, "before_cursor_execute", note)


def acts(site: Site) -> int:
    with site.app.db.connect() as connection:
        return connection.scalar(select(func.count()).select_from(act)) or 0


def key_of(page: str) -> str:
    found = re.search(r'name="key" value="([^"]+)"', page)
    assert found is not None
    return found[1]


def test_a_case_starts_from_the_page_and_the_next_step_is_offered(site: Site) -> None:
    site.sign_in("officer")
    assert "登记案源线索" in site.get("/start").text
    answer = site.post(START, page=START, fetch=True, key=key_of(site.get(START).text), outcome="submit", **CLUE)
    assert re.fullmatch(r"/tasks/[0-9a-f-]{36}", answer.json["location"])
    page = site.get(answer.json["location"]).text
    for words in ("反映云汀路无照经营", "现在在 <b>你</b> 手里", "承办人核查处理", "拟立案", "还剩", "办理经过"):
        assert words in page


def test_the_same_submission_twice_is_one_act(site: Site) -> None:
    site.sign_in("officer")
    key = key_of(site.get(START).text)
    first, second = (site.post(START, page=START, fetch=True, key=key, outcome="submit", **CLUE).json for _ in range(2))
    assert first == second
    assert acts(site) == 1


def test_a_refused_form_comes_back_with_what_was_typed_and_is_a_draft(site: Site) -> None:
    walk = site.walker()
    clues.register(walk)
    task_id = walk.task("verify")["id"]
    site.sign_in("officer")
    page = f"/tasks/{task_id}"
    answer = site.post(f"{page}/complete", page=page, outcome="file", key="a-key-of-a-test", **{"data.findings": "现场有摊位，无照。"})
    assert answer.status_code == 422
    for words in ("改好就能提交", "现场有摊位，无照。", "aria-invalid"):
        assert words in answer.text
    with site.app.db.connect() as connection:
        assert connection.scalar(select(draft.c.data))["findings"] == "现场有摊位，无照。"
    assert "现场有摊位，无照。" in site.get(page).text


def test_a_draft_of_two_windows_is_told_apart(site: Site) -> None:
    walk = site.walker()
    clues.register(walk)
    page = f"/tasks/{walk.task('verify')['id']}"
    site.sign_in("officer")
    first = site.post(f"{page}/draft", page=page, fetch=True, rev="0", **{"data.findings": "甲"})
    stale = site.post(f"{page}/draft", page=page, fetch=True, rev="0", **{"data.findings": "乙"})
    assert first.json["rev"] == 1
    assert (stale.status_code, stale.json["error"]["code"]) == (409, "stale_revision")


def test_two_people_on_one_form_are_told_of_each_other(site: Site) -> None:
    walk = site.walker()
    clues.apply_for_filing(walk)
    walk.do("office_head", "office_review")
    page = f"/tasks/{walk.task('section_review')['id']}"
    told = []
    for login in ("staff", "joint_staff"):
        site.sign_in(login)
        told.append(site.post(f"{page}/draft", page=page, fetch=True, rev="0", opinion="初审意见").json["others"])
    assert told[0] == [] and len(told[1]) == 1
    assert told[1][0] in site.get(page).text


def test_a_return_lists_legal_targets_and_goes_to_the_chosen_one(site: Site) -> None:
    walk = site.walker()
    clues.apply_for_filing(walk)
    walk.do("office_head", "office_review")
    page = f"/tasks/{walk.task('section_review')['id']}"
    site.sign_in("staff")
    listed = site.get(f"{page}/returns").text
    assert "周启衡" in listed
    assert "撤销“办案机构负责人审核”" in listed
    silent = site.post(f"{page}/return", page=page, fetch=True, to_node="draft", opinion="", key=key_of(listed))
    assert (silent.status_code, "写明理由" in silent.json["error"]["message"]) == (422, True)
    site.post(f"{page}/return", page=page, fetch=True, to_node="draft", opinion="地址漏写门牌。", key=key_of(listed))
    assert walk.waiting() == {"draft"}
    site.sign_in("officer")
    desk = site.get("/desk").text
    assert "退回再办" in desk
    assert "地址漏写门牌。" in desk


def test_what_was_just_done_can_be_taken_back_from_the_case(site: Site) -> None:
    walk = site.walker()
    clues.apply_for_filing(walk)
    site.sign_in("officer")
    page = f"/cases/{walk.case_id}"
    text = site.get(page).text
    address = re.search(r'action="(/acts/[^"]+/withdraw)"', text)
    assert address is not None
    assert "撤回我的“提交审核”" in text
    site.post(address[1], page=page, fetch=True, key="withdraw-key")
    assert walk.waiting() == {"draft"}


def test_a_stranger_sees_neither_the_case_nor_its_materials(site: Site) -> None:
    walk = site.walker()
    clues.register(walk)
    site.sign_in("stranger")
    case = f"/cases/{walk.case_id}"
    paths = [case, f"{case}/forms", f"{case}/documents", f"{case}/attachments", f"{case}/links", f"{case}/log", f"{case}/file.pdf"]
    assert {path: site.get(path).status_code for path in paths} == dict.fromkeys(paths, 404)
    assert "反映麦浪面包房" not in site.get("/cases?state=all").text
    assert "没有找到" in site.get("/search?q=麦浪").text
    assert site.get("/incidents").status_code == 403


def test_search_finds_by_number_party_and_address_in_any_width(site: Site) -> None:
    walk = site.walker()
    clues.apply_for_filing(walk)
    with site.app.db.begin() as connection:
        connection.execute(update(case_file).values(address="云浦区云汀路128号底层"))
    site.sign_in("officer")
    for query in ("0001号", "麦浪食品", "云汀路 128", "麦浪 云汀路１２８"):
        assert "反映麦浪面包房" in site.get("/search", query_string={"q": query}).text, query
    assert "没有找到" in site.get("/search?q=不存在的词").text


def test_the_procedure_page_tells_form_and_role_of_each_step(site: Site) -> None:
    site.sign_in("agency_head")
    page = site.get("/processes/approval/chain").text
    for words in ("办案机构负责人审核", "审核", "办案机构负责人", "第 1 版", "版本"):
        assert words in page
    refused = site.client.post("/processes/deploy", data={"csrf": site.token("/processes"), "pack": "approval", "file": (_file(b"<broken"), "chain.bpmn")})
    assert refused.status_code == 422
    assert "正在用的版本没有变" in refused.text


def _file(content: bytes) -> Any:
    import io

    return io.BytesIO(content)


def test_desk_and_case_page_stay_within_their_statements(site: Site) -> None:
    walk = site.walker()
    clues.apply_for_filing(walk)
    clues.up_to_the_agency_head(walk)
    site.sign_in("agency_head")
    paths = {"/desk": 6, f"/cases/{walk.case_id}": 14, "/cases": 8, "/search?q=麦浪": 12}  # cases, records of each register, documents, parties
    for path, budget in paths.items():
        site.get(path)
        with counted(site) as seen:
            assert site.get(path).status_code == 200
        assert len(seen) <= budget, (path, len(seen))


def test_every_page_of_the_rail_opens_for_everyone(site: Site) -> None:
    walk = site.walker()
    clues.apply_for_filing(walk)
    for login in ("officer", "staff", "agency_head"):
        site.sign_in(login)
        for path in ("/desk", "/desk?box=sent", "/desk?box=done", "/cases?state=all", "/start", "/registers", "/registers/case_filing/clue", "/processes", "/notices",
                     "/me", "/me/tokens", "/me/phrases", "/me/posts", "/notices/badge"):
            assert site.get(path).status_code == 200, (login, path)


def test_a_token_is_shown_once_and_ends_when_revoked(site: Site) -> None:
    site.sign_in("officer")
    made = site.post("/me/tokens", page="/me/tokens", title="工单转线索", days="30").text
    found = re.search(r">(gc_[\w-]+)<", made)
    assert found is not None
    assert found[1] not in site.get("/me/tokens").text
    bearer = {"Authorization": f"Bearer {found[1]}"}
    outside = site.flask.test_client()
    assert outside.get("/me/csrf", headers=bearer).json["person"] == str(site.bureau.actors["officer"].person_id)
    address = re.search(r'action="(/me/tokens/[^"]+/revoke)"', site.get("/me/tokens").text)
    assert address is not None
    site.post(address[1], page="/me/tokens")
    assert outside.get("/me/csrf", headers=bearer).status_code == 401
