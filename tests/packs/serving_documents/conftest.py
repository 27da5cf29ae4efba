"""A filed case in the town with a party and an issued document."""
from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from PIL import Image
from sqlalchemy import select

from engine.access.parties import PartyInput, save_party_of_case
from engine.documents.draft import draft_document
from engine.documents.issue import issue_document
from engine.form_filling.attachments import store_attachment
from engine.storage.tables.cases import case_party
from engine.storage.tables.documents import document
from integrations.portal.simulator import Board, make_server
from tests.packs.filed import CaseWalker, filed_case

FACTORY = PartyInput(
    kind="organisation", name="上海云浦麦浪食品有限公司", identifier_kind="credit_code", identifier="91310101MA1FPX1234", phone="13800000000",
    address="云浦区汀兰路 45 号", detail={"representative": "白晓棠"},
)
PERSON = PartyInput(kind="person", name="王一二", identifier_kind="id_card", identifier="11010519491231002X", phone="13800138000", address="云浦区汀兰路 7 号")


class ServedCase(CaseWalker):
    """A filed case with parties and papers to serve; ``parties`` and ``papers`` are ids."""

    parties: dict[str, str]

    def paper(self, template: str = "coercive_measures.release_decision") -> str:
        """A numbered, sealed document of the case, issued by the chief now; its id."""
        definition = self.app.library.current_ids()["document", template]
        with self.app.db.begin() as connection:
            drafted = draft_document(
                self.app, connection, key=f"test:{template}:{len(self.documents())}", template=template, definition_id=definition, case_id=self.case_id,
                data={"measure_number": "甲号", "ground": "已作出决定", "disposal": "退还。"}, at=self.at, actor_id=self.actor("officer").person_id,
            )
            issue_document(self.app, connection, document_id=drafted.id, actor_id=self.actor("chief").person_id, actor_name="沈砚秋", at=self.at)
        self.run_jobs()
        return str(drafted.id)

    def serve(self, *papers: str, parties: tuple[str, ...] = ("factory",), route: str = "offline") -> None:
        """The officer begins to serve ``papers`` on ``parties``."""
        self.matter("officer", "serving_documents.document_service", {
            "documents": list(papers), "parties": [self.parties[name] for name in parties], "route": route,
        })

    def picture(self) -> list[dict[str, str]]:
        """The value of a photos field with one picture."""
        drawn = io.BytesIO()
        Image.new("RGB", (640, 480), "white").save(drawn, "JPEG")
        with self.app.db.begin() as connection:
            kept = store_attachment(
                connection, self.app.blobs, actor=self.actor("officer"), case_id=self.case_id, task_id=None, field="photos", file_name="张贴.jpg",
                data=drawn.getvalue(), at=self.at,
            )
        return [{"id": str(kept.id)}]

    def state_of(self, paper: str) -> str:
        with self.app.db.connect() as connection:
            return str(connection.scalar(select(document.c.state).where(document.c.id == UUID(paper))))

    def services(self) -> list[dict[str, Any]]:
        return self.records("serving_documents__service_record")


def add_party(case: ServedCase, name: str, given: PartyInput) -> None:
    with case.app.db.begin() as connection:
        link = save_party_of_case(connection, case.app.keys, given=given, case_id=case.case_id, at=case.at)  # type: ignore[arg-type]
        case.parties[name] = str(connection.scalar(select(case_party.c.party_id).where(case_party.c.id == link)))


@pytest.fixture
def case(town: Any) -> ServedCase:
    walk = filed_case(town)
    served = ServedCase(walk.app, walk.bureau)
    served.town, served.case_id, served.parties = town, walk.case_id, {}
    add_party(served, "factory", FACTORY)
    return served


@pytest.fixture
def portal(case: ServedCase, monkeypatch: pytest.MonkeyPatch) -> Iterator[Board]:
    """What stands on a portal on a free port that the connector speaks to."""
    board = Board()
    server = make_server(board=board)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("CONNECTOR_PORTAL_URL", f"http://127.0.0.1:{server.server_port}")
    yield board
    server.shutdown()
    server.server_close()
