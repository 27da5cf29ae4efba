"""城管: a squad's case goes the same ordinary way, from the clue to the decision, with its own bureau's people, numbers and heads of papers."""
from __future__ import annotations

from typing import Any

import pytest

from engine.access.actors import find_actor_by_login
from engine.access.staffing import create_account, create_person, create_unit, give_post
from engine.documents.plain_text import plain_text
from engine.documents.queries import get_document
from engine.documents.seals import create_personal_seal, create_unit_seal, grant_seal
from engine.kernel.clock import FixedClock
from engine.runtime.begin_process import begin_process
from tests.packs.case_filing import clues
from tests.packs.ordinary_case import answers
from tests.packs.ordinary_case.case import OrdinaryCase
from tests.packs.walk import Bureau
from tests.town import SINCE, UNTIL

UNITS = (
    ("um_city", "city_bureau", None, "上海市示范城市管理行政执法局", "沪城管"), ("um", "district_bureau", "um_city", "云浦区城市管理行政执法局", "沪城管云"),
    ("um_section", "section", "um", "执法科", ""), ("um_legal", "legal_section", "um", "法制科", ""), ("squad", "squad", "um", "云浦区一中队", ""),
)
PEOPLE = (
    ("officer", "钟离岸", "squad", "officer"), ("officer_two", "端木棠", "squad", "officer"), ("head", "令狐青", "squad", "unit_head"), ("staff", "长孙越", "um_section", "section_staff"),
    ("section_head", "宇文澜", "um_section", "section_head"), ("legal_head", "慕容笙", "um_legal", "legal_head"), ("chief", "上官衡", "um", "bureau_head"),
)
AS = {"joint_staff": "legal_head", "joint_head": "legal_head", "legal_staff": "legal_head", "archivist": "staff", "second": "officer_two"}
"""A small bureau: the head of 法制科 does joint review and legal review, 执法科 keeps the files."""
WASTE: dict[str, Any] = {
    "violation": "waste_dumped", "domain": "other", "violated_law": "《城市建筑垃圾管理规定》第十五条", "penalty_law": "《城市建筑垃圾管理规定》第二十六条", "law_version": "waste_2005",
    "discretion": "waste_dumped_light", "fine": "8000.00", "cause": "随意倾倒建筑垃圾",
}


@pytest.fixture
def squad_case(town: Any, clock: FixedClock) -> OrdinaryCase:
    app, bureau, at = town.app, Bureau(), clock.now()
    with app.db.begin() as connection:
        for code, kind, parent, name, word in UNITS:
            bureau.units[code] = create_unit(
                connection, parent_id=bureau.units.get(parent or ""), bureau="urban_management", kind=kind, code=code, name=name, short_name=name[-5:], number_word=word, at=at,
            )
        for place, (login, name, where, post) in enumerate(PEOPLE):
            id = create_person(connection, name=name, pinyin=login, at=at, certificate_number=f"1900{place:04}", certificate_until=UNTIL)
            give_post(connection, person_id=id, unit_id=bureau.units[where], code=post, title=post, valid_from=SINCE, main=True)
            create_account(connection, person_id=id, login=f"um_{login}", password_hash="-", at=at, must_change=False)
            create_personal_seal(app, connection, person_id=id, pin=None, valid_from=SINCE, valid_until=UNTIL, at=at, demo=True)
        for kind in ("unit_enforcement", "unit_official"):
            grant_seal(connection, seal_id=create_unit_seal(app, connection, unit_id=bureau.units["um"], kind=kind, valid_from=SINCE, valid_until=UNTIL, at=at, demo=True), valid_from=SINCE, post="bureau_head")
        for login, *_ in PEOPLE:
            actor = find_actor_by_login(connection, login=f"um_{login}", on=clock.today())
            assert actor is not None
            bureau.actors[login] = actor
    bureau.actors |= {part: bureau.actors[who] for part, who in AS.items()}
    bureau.units["quality_section"] = bureau.units["um_legal"]
    case = OrdinaryCase(app, bureau)
    case.town, case.clock = town, clock
    return case


def test_a_squad_takes_a_case_from_the_clue_to_the_decision(squad_case: OrdinaryCase) -> None:
    case = squad_case
    clues.register(case)
    case.do("officer", "verify", "file", {**clues.HANDLING, "violation": "waste_dumped", "domain": "other"})
    case.chain({**clues.filing(case), "cause": "随意倾倒建筑垃圾", "violation": "waste_dumped", "domain": "other", "violated_law": WASTE["violated_law"]})
    for job in case._rows_of("SELECT args FROM procrastinate_jobs WHERE task_name = 'runtime.begin_process'"):
        begin_process(case.app, **job["args"])
    case.case_id = case.links()["became"]
    assert (case.case()["number"], case.case()["unit_id"]) == ("沪城管云案〔2026〕0001号", case.bureau.units["squad"])

    case.do("officer", "investigate", "finish", {"progress": "已查清。"})
    case.chain(answers.report(**WASTE))
    case.notified()
    case.answered("statement")
    assert "legal_head" in case.holders("review") and "staff" not in case.holders("review")
    case.statement_reviewed("uphold")
    case.decided(**{name: value for name, value in WASTE.items() if name != "domain"})
    assert (case.case()["state"], case.incidents()) == ("serving", [])
    paper = next(one for one in case.documents() if one["template"] == "ordinary_case.penalty_decision")
    with case.app.db.connect() as connection:
        text = plain_text(case.app, get_document(connection, paper["id"]))
    assert paper["number"] == "沪城管云罚〔2026〕0001号"
    assert "云浦区城市管理行政执法局" in text and "市场监督管理局" not in text
