"""A notice goes online first, then by hand, then by announcement; what the party says of it goes to the legal unit and its answer back. Served papers are found again."""
from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest
from PIL import Image

from engine.form_filling.attachments import store_attachment
from engine.kernel.clock import FixedClock
from engine.web.flask_app import create_flask
from tests.browser import Browser
from tests.packs.ordinary_case import answers
from tests.packs.ordinary_case.case import OrdinaryCase
from tests.packs.ordinary_case.test_ways import HEAVY
from tests.packs.serving_documents.outside import Outsider
from tests.packs.serving_documents.test_online import HEAD, code_of


def sent_online(case: OrdinaryCase) -> None:
    case.do("officer", "prepare_notice", "submit", answers.notice(hearing=True))
    case.do("chief", "approve_notice")
    case.do("officer", "choose_route", "submit", {"route": "online"})


@pytest.mark.requirement("PEN-1172", "PEN-1276")
def test_a_notice_is_served_online_by_hand_and_by_announcement(case: OrdinaryCase, clock: FixedClock) -> None:
    flask = create_flask(case.app)
    case.investigated(**HEAVY)
    sent_online(case)
    case.run_jobs()
    party = signed_online(case, flask)
    (reply,) = {link for link in party.links() if "/tasks/" in link}
    assert party.act(reply, "submit", wants="statement", statement="货已下架。").status_code == 303
    assert case.holders("review") == {"legal_staff"}
    case.statement_reviewed("reopen")
    case.run_jobs()
    assert "复核意见书" in party.get("/party").text

    case.investigated(**HEAVY)
    sent_online(case)
    case.wait(7)
    assert case.waiting() == {"serve_offline"}
    case.seal()
    day = (case.today - timedelta(days=1)).isoformat()
    case.do("officer", "serve_offline", "submit", {
        "mode": "direct", "direct_result": "signed", "receiver_kind": "representative", "receiver": "白晓棠", "signed_on": day, "receipt": case.proof(field="receipt"),
    })
    served = case.records("serving_documents__service_record")[-1]
    assert (served["mode"], served["served_on"].isoformat(), case.holders("record_reply")) == ("direct", day, {"officer"})
    case.answered("hearing")
    assert case.holders("arrange") == {"legal_staff"}
    case.heard("uphold", accepted=False)
    case.evidence_is(False)

    case.investigated(**HEAVY)
    sent_online(case)
    case.wait(7)
    announced(case)
    assert "在等 <b>公告送达期间" in Browser(case.app, "officer", flask=flask).get(f"/cases/{case.case_id}").text
    before = case.clock_row("case_filing.case_handling")["due_on"]
    case.wait(32)
    served = case.records("serving_documents__service_record")[-1]
    assert (served["mode"], served["state"]) == ("announcement", "served")
    # The thirty days of the announcement don't count for the case.
    assert case.clock_row("case_filing.case_handling")["due_on"] - before >= timedelta(days=29)
    case.silent()
    assert case.waiting() == {"legal_review"} or case.waiting() == {"evidence_gate"}
    found(Browser(case.app, "officer", flask=flask), case, served["paper"])


def signed_online(case: OrdinaryCase, flask: Any) -> Outsider:
    """The head of the factory signs with the code on the paper; the officer is told."""
    party = Outsider(case.app, **HEAD, flask=flask)
    assert party.post("/party/code", code=code_of(case)).status_code == 303  # type: ignore[arg-type]
    (step,) = {link for link in party.links() if "/tasks/" in link}
    assert party.act(step, "sign", read="true", consent="true", address="云浦区汀兰路 45 号").status_code == 303
    assert any("已送达" in words for words in case.notices("officer"))
    return party


def announced(case: OrdinaryCase) -> None:
    """Nobody is found: announced on paper, with the approval of two heads."""
    case.do("officer", "serve_offline", "unreachable", {}, opinion="找不到人。")
    case.do("officer", "apply_announcement", "submit", {"ground": "missing", "course": "两次上门，无人。", "content": "请到本局领取。"})
    case.do("head", "review_announcement", "approve", {"comment": "同意。"})
    case.do("chief", "approve_announcement", "approve", {"channel": "posting", "comment": "同意。"})
    case.seal()
    drawn = io.BytesIO()
    Image.new("RGB", (320, 240), "white").save(drawn, "JPEG")
    with case.app.db.begin() as connection:
        kept = store_attachment(connection, case.app.blobs, actor=case.actor("officer"), case_id=case.case_id, task_id=None, field="photos", file_name="张贴.jpg", data=drawn.getvalue(), at=case.at)
    case.do("officer", "record_posting", "submit", {"published_on": case.today.isoformat(), "posted_by": "顾明川、程砚白", "places": "本局公告栏", "photos": [{"id": str(kept.id)}]})


def found(officer: Browser, case: OrdinaryCase, paper: str) -> None:
    """By document, by case, by recipient, by mode and by day; what doesn't fit is left out."""
    listed = "/registers/serving_documents/service_record"
    number = case.case()["number"]
    for query in (f"q={paper}", f"q={number}", "q=经营超过", "q=麦浪", "f.mode=announcement", f"f.served_on.from={case.today - timedelta(days=60)}&f.mode=announcement", "f.paper=告知书"):
        assert paper.split("（")[1][:-1] in officer.get(f"{listed}?{query}").text, query
    for query in ("q=催告书", "f.mode=mailed", f"f.served_on.from={case.today + timedelta(days=1)}", "f.paper=决定书"):
        assert paper.split("（")[1][:-1] not in officer.get(f"{listed}?{query}").text, query
