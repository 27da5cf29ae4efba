"""A filed case that goes the ordinary way: each method is one stage, done by those whose stage it is."""
from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest

from engine.kernel.clock import SHANGHAI, FixedClock
from engine.kernel.errors import Invalid
from engine.runtime.begin_process import begin_process
from engine.runtime.deliver_message import throw_message
from engine.runtime.fire_due_timers import fire_due_timers
from engine.storage.tables.certificates import certificate
from engine.storage.tables.runtime import incident
from tests.packs.filed import CaseWalker, add_party, filed_case
from tests.packs.ordinary_case import answers

CHAIN = (("head", "office_review"), ("staff", "section_review"), ("section_head", "section_head_review"), ("joint_staff", "joint_staff_review"),
         ("joint_head", "joint_head_review"), ("chief", "agency_approval"))


class OrdinaryCase(CaseWalker):
    """``clock`` moves the day; ``kept`` are proofs of service already uploaded."""

    clock: FixedClock

    def go_to(self, day: date) -> None:
        """Nine in the morning of ``day``; what is due by then has happened."""
        self.clock.set(datetime.combine(day, time(9), SHANGHAI))
        fire_due_timers(self.app, self.at)

    def wait(self, days: int) -> None:
        self.go_to(self.today + timedelta(days=days))

    def chain(self, data: dict[str, Any], *, returned: bool = False) -> None:
        """Hand in ``data`` and let everybody of the chain with joint review agree."""
        self.do("officer", "draft", "submit", data)
        self.reviewed()

    def reviewed(self) -> None:
        for login, node in CHAIN:
            if node == "section_head_review":
                self.do(login, node, "joint", {"joint_unit": str(self.bureau.units["quality_section"])})
            else:
                self.do(login, node)

    def investigated(self, handling: str = "penalty", **more: Any) -> None:
        """The investigation ends with an approved report."""
        self.do("officer", "investigate", "finish", {"progress": "已查清。"})
        self.chain(answers.report(handling, **more))

    def notified(self, *, hearing: bool = False) -> None:
        self.do("officer", "prepare_notice", "submit", answers.notice(hearing=hearing))
        self.do("chief", "approve_notice")
        self.served()

    def answered(self, wants: str) -> None:
        self.do("officer", "record_reply", "submit", {"wants": wants, "statement": "货已下架，请从轻。", "received_on": self.today.isoformat(), "attachments": self.proof()})

    def silent(self) -> None:
        """Nobody says anything until the clock has run out."""
        self.go_to(self.rights_end() + timedelta(days=1))

    def rights_end(self) -> date:
        """The last day on which the party may answer."""
        due: date = next(row for row in self.clocks() if row["clock"].startswith("serving_documents.reply/") and row["state"] == "running")["due_on"]
        return due

    def statement_reviewed(self, verdict: str) -> None:
        self.do("legal_staff", "review", "submit", answers.review(verdict))
        self.do("legal_head", "confirm_review")

    def heard(self, verdict: str, *, public: bool = False, accepted: bool = True) -> None:
        """The legal unit arranges the hearing, holds it eight days later, and its record goes to the file."""
        self.hearing_arranged(public=public, accepted=accepted)
        if accepted:
            self.wait(8)
            self.hearing_held(verdict)

    def hearing_arranged(self, *, public: bool = False, accepted: bool = True) -> None:
        self.do("legal_staff", "arrange", "submit", answers.arrangement(self.today, str(self.actor("legal_head").person_id), accepted=accepted, public=public))
        self.do("legal_head", "check_arrangement")
        if public:
            self.do("city_legal_head", "city_review")
        self.do("chief", "sign_arrangement")
        self.served()

    def hearing_held(self, verdict: str) -> None:
        self.do("legal_staff", "hold", "submit", answers.hearing_record(self.today, verdict))
        self.do("officer", "file_record", "submit", {"received_on": self.today.isoformat()})

    def reviewed_by_law(self, conclusion: str = "agree") -> None:
        self.do("legal_staff", "legal_review", "submit", answers.legal(conclusion))
        self.do("legal_head", "confirm_legal_review")

    def evidence_is(self, good: bool = True) -> None:
        self.do("officer", "evidence_gate", "submit", {"complete": good, "compliant": good, **({} if good else {"missing": "补充进货凭证。"})})

    def discussed(self) -> None:
        self.do("officer", "discuss", "submit", answers.discussion(self.today))
        self.do("chief", "confirm_discussion")

    def decided(self, **more: Any) -> None:
        self.evidence_is()
        if "discuss" in self.waiting():
            self.discussed()
        self.chain(answers.decision(**more))

    def executed(self) -> None:
        """The fine is paid in full at the bank, today."""
        (row,) = self.records("ordinary_case__penalty")
        self.do("officer", "next_step", "pay", {})
        self.do("officer", "record_payment", "submit", {
            "paid_on": self.today.isoformat(), "amount": str(row["fine"]), "of_fine": "fine", "way": "bank", "voucher": self.proof(field="voucher"),
        })

    def published(self) -> None:
        """The seventh working day comes."""
        due = self.due("ordinary_case.publicity")
        assert due is not None
        self.go_to(max(due, self.today))

    def closed(self, kind: str = "executed") -> None:
        self.do("officer", "draft", "submit", answers.closing(kind))
        self.approve()

    def archived(self) -> None:
        self.do("officer", "make_archive", "submit", answers.archive(self.today))
        self.do("archivist", "check_archive", "archive", {"complete": True})

    def refused(self, login: str, node: str, data: dict[str, Any], *fields: str, outcome: str = "submit") -> str:
        """The step does not take ``data`` because of exactly these fields; what it said."""
        with pytest.raises(Invalid) as told:
            self.do(login, node, outcome, data)
        assert set(told.value.fields) == set(fields)
        return str(told.value.fields or told.value.message)

    def deliver(self) -> None:
        """Messages that left an act arrive."""
        for job in self._rows_of("SELECT args FROM procrastinate_jobs WHERE task_name = 'runtime.throw_message' AND status = 'todo'"):
            throw_message(self.app, **job["args"])

    def _rows_of(self, statement: str) -> list[Any]:
        with self.app.db.connect() as connection:
            return list(connection.exec_driver_sql(statement).mappings())

    def give_certificate_until(self, login: str, day: date) -> None:
        """The certificate of ``login`` ends on ``day``."""
        with self.app.db.begin() as connection:
            connection.execute(certificate.update().where(certificate.c.person_id == self.actor(login).person_id).values(valid_until=day))

    def incidents(self) -> list[str]:
        return [row["message"] for row in self._rows(incident)]


def ordinary_case(town: Any, clock: FixedClock, *, case_type: str = "ordinary") -> OrdinaryCase:
    """A case that was filed today, with its party, under investigation."""
    filed = filed_case(town)
    with town.app.db.begin() as connection:
        connection.exec_driver_sql("UPDATE reg.case_filing__penalty_case SET case_type = %s WHERE case_id = %s", (case_type, filed.case_id))
    case = OrdinaryCase(filed.app, filed.bureau)
    case.town, case.case_id, case.clock = town, filed.case_id, clock
    add_party(case)
    begin_process(case.app, case_id=str(case.case_id), process="ordinary_case.ordinary_case", at=case.at.isoformat())
    return case
