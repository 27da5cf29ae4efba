"""A case that stands filed without the walk through 立案: opened directly by the runtime, with its record, number and clock."""
from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from engine.access.parties import PartyInput, save_party_of_case
from engine.deadlines.clocks import By, start_clock
from engine.documents.numbers import give_number
from engine.form_filling.attachments import store_attachment
from engine.kernel.clock import legal_date
from engine.registers.catalogue import get_register
from engine.registers.write_record import write_record
from engine.runtime.start_case import new_case
from engine.storage.tables.cases import case_file
from engine.storage.tables.documents import document
from tests.packs.walk import Bureau, Walker

FACTORY = PartyInput(
    kind="organisation", name="上海云浦麦浪食品有限公司", identifier_kind="credit_code", identifier="91310101MA1FPX1234", phone="13800000000",
    address="云浦区汀兰路 45 号", detail={"representative": "白晓棠"},
)
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


class CaseWalker(Walker):
    """A walker on a filed case of the town: officer, head, staff, section_head, chief are its people."""

    town: Any

    def approve(self, *steps: tuple[str, str]) -> None:
        """Let everybody of the four-level chain agree, or the given (login, node) pairs."""
        for login, node in steps or (("head", "office_review"), ("section_head", "section_head_review"), ("chief", "agency_approval")):
            self.do(login, node)

    def to_the_chief(self) -> None:
        self.approve(("head", "office_review"), ("section_head", "section_head_review"))

    def due(self, clock: str = "case_filing.case_handling") -> date | None:
        found: date | None = self.clock_row(clock)["due_on"]
        return found

    def clock_row(self, clock: str) -> Any:
        return next(row for row in self.clocks() if row["clock"] == clock)

    def records(self, table: str) -> list[dict[str, Any]]:
        """Rows of ``reg.<table>`` on this case, oldest first."""
        with self.app.db.connect() as connection:
            found = connection.exec_driver_sql(f"SELECT * FROM reg.{table} WHERE case_id = %s ORDER BY created_at, id", (self.case_id,))
            return [dict(row) for row in found.mappings()]

    def proof(self, login: str = "officer", field: str = "attachments") -> list[dict[str, str]]:
        """The value of a files field with one uploaded PDF."""
        with self.app.db.begin() as connection:
            kept = store_attachment(
                connection, self.app.blobs, actor=self.actor(login), case_id=self.case_id, task_id=None, field=field, file_name="证明材料.pdf", data=PDF, at=self.at,
            )
        return [{"id": str(kept.id)}]

    @property
    def today(self) -> date:
        return legal_date(self.at)

    def served(self, **how: Any) -> None:
        """The paper that waits is handed over today and signed for."""
        self.seal()
        self.do("officer", "choose_route", "submit", {"route": "offline"})
        self.do("officer", "serve_offline", "submit", {
            "mode": "direct", "direct_result": "signed", "receiver_kind": "representative", "receiver": "白晓棠", "signed_on": legal_date(self.at).isoformat(),
            "receipt": self.proof(field="receipt"), **how,
        })

    def seal(self) -> None:
        """What the rendering job does, without its seconds: the issued papers of the case count as sealed."""
        with self.app.db.begin() as connection:
            connection.execute(document.update().where(document.c.case_id == self.case_id, document.c.state == "issued", document.c.sealed_sm3.is_(None)).values(sealed_sm3="0" * 64))

    def notices(self, login: str) -> list[str]:
        with self.app.db.connect() as connection:
            found = connection.exec_driver_sql("SELECT text FROM notice WHERE person_id = %s", (self.actor(login).person_id,))
            return [row.text for row in found]


def filed_case(town: Any, *, cause: str = "经营超过保质期的食品") -> CaseWalker:
    """A penalty case of station one under investigation since today, in the hands of ``officer``."""
    logins = ("officer", "officer_two", "head", "staff", "section_head", "joint_staff", "joint_head", "chief", "other_officer", "other_head",
              "legal_staff", "legal_head", "city_legal_head", "archivist")
    walk = CaseWalker(town.app, Bureau(units=town.units, actors={login: town.actor(login) for login in logins}))
    walk.town = town
    walk.case_id = _open(walk, cause)
    return walk


def _open(walk: CaseWalker, cause: str) -> UUID:
    app, officer, at = walk.app, walk.actor("officer"), walk.at
    record = {"cause": cause, "source": "complaint", "violation": "food_expired", "domain": "food_safety", "filed_on": legal_date(at).isoformat(),
              "officer_one": str(officer.person_id), "officer_two": str(walk.actor("officer_two").person_id)}
    with app.db.begin() as connection:
        case = new_case(app, connection, kind="case_filing.case", title=cause, unit_id=officer.unit_id, actor=officer, at=at, handler_id=officer.person_id)
        number = give_number(connection, rule=app.catalogue.number("case_filing.case_number"), unit_id=case["unit_id"], at=at, case_id=case["id"])
        connection.execute(case_file.update().where(case_file.c.id == case["id"]).values(number=number.text))
        register, table = get_register(app.library, "case_filing.penalty_case")
        write_record(connection, register=register, table=table, record_id=case["id"], values=record, case_id=case["id"], unit_id=case["unit_id"],
                     district_id=case["district_id"], keys=app.keys, at=at, by_id=officer.person_id, by_name=officer.name)
        start_clock(connection, case_id=case["id"], clock="case_filing.case_handling", start_on=legal_date(at), by=By(at=at), unit_id=case["unit_id"],
                    district_id=case["district_id"])
    id: UUID = case["id"]
    return id


def add_party(case: CaseWalker, given: PartyInput = FACTORY) -> None:
    """``given`` is a party of the case."""
    assert case.case_id is not None
    with case.app.db.begin() as connection:
        save_party_of_case(connection, case.app.keys, given=given, case_id=case.case_id, at=case.at)
