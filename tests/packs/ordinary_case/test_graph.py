"""案情图谱: officers see the case as it stands, the party what its paper said, in sentences, with its rights and their last day."""
from __future__ import annotations

import pytest

from engine.storage.tables.cases import case_file
from engine.web.flask_app import create_flask
from tests.browser import Browser
from tests.packs.ordinary_case import answers
from tests.packs.ordinary_case.case import OrdinaryCase
from tests.packs.ordinary_case.test_evidence import take
from tests.packs.ordinary_case.test_notice_served import sent_online, signed_online
from tests.packs.ordinary_case.test_ways import HEAVY
from tests.packs.serving_documents.outside import Outsider

VIOLATED, PENAL = "《中华人民共和国食品安全法》第三十四条第十项", "《中华人民共和国食品安全法》第一百二十四条第一款第五项"


@pytest.mark.requirement("PEN-1158")
def test_the_case_is_taken_apart_for_officers_and_told_to_the_party(case: OrdinaryCase) -> None:
    flask = create_flask(case.app)
    take(case, "site_inspection")
    case.investigated(**HEAVY)
    officer = Browser(case.app, "officer", flask=flask)
    drawn = officer.get(f"/cases/{case.case_id}/graph").text
    for words in ("上海云浦麦浪食品有限公司", "经营超过保质期的食品", VIOLATED, PENAL, "现场检查笔录", "从重", "案件办理期限", "<svg"):
        assert words in drawn, words
    assert "案情图谱" in officer.get(f"/cases/{case.case_id}").text
    assert Browser(case.app, "other_officer", flask=flask).get(f"/cases/{case.case_id}/graph").status_code == 404

    sent_online(case)
    case.run_jobs()
    party = signed_online(case, flask)
    take_more_evidence(case)
    (step,) = {link for link in party.links() if "/tasks/" in link}
    paper = next(link for link in party.links() if "/papers/" in link)
    told = party.get(step).text
    until = case.rights_end()
    for words in ("查明了什么", answers.FACTS, VIOLATED, PENAL, "共 1 份：现场检查笔录", "您可以要求复核", "由此证明", f"到{until.year}年{until.month}月{until.day}日为止", "您可以要求听证", "法制机构"):
        assert words in told, words
    # What officers note after the paper is theirs; so are the case's own terms and the decision.
    assert "后来的证据" not in told and "案件办理期限" not in told
    assert party.get(paper).text.count("您可以要求复核") == 1
    stranger = Outsider(case.app, name="王一二", identifier="11010519491231002X", flask=flask)
    assert stranger.get(paper).status_code == 404

    assert party.act(step, "submit", wants="both", statement="货已下架，请从轻。").status_code == 303
    assert case.holders("arrange") == {"legal_staff"}
    closed = party.get(paper).text
    assert "已经关闭的权利" in closed and "您可以要求听证" not in closed


def take_more_evidence(case: OrdinaryCase) -> None:
    with case.app.db.begin() as connection:
        unit = connection.scalar(case_file.select().with_only_columns(case_file.c.unit_id).where(case_file.c.id == case.case_id))
        connection.exec_driver_sql(
            "INSERT INTO reg.ordinary_case__evidence (id, case_id, unit_id, created_at, updated_at, title) VALUES (gen_random_uuid(), %s, %s, now(), now(), '后来的证据')", (case.case_id, unit),
        )
