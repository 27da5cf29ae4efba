"""Parties and what is sent to them: who they are, papers on their page, the one-time code on the paper, 已送达."""
from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from engine.access import parties, party_papers
from engine.documents.queries import documents_of_case, get_document
from engine.documents.serve import mark_served as serve_document
from engine.kernel.clock import legal_date
from engine.kernel.errors import BusinessError, Invalid
from engine.kernel.names import pack_of, qualify
from engine.runtime.handlers import service_task
from engine.runtime.task_context import TaskContext

MOST = 40


def _paper(context: TaskContext, document_id: str) -> Any:
    row = get_document(context.connection, UUID(document_id))
    if row.case_id != context.case_id:
        raise BusinessError("no_document", "要送达的文书不是本案的。")
    return row


def _title(row: Any) -> str:
    return f"《{row.title}》{f'（{row.number}）' if row.number else ''}"


@service_task(title="取出文书", mode="inline", pure=True, help="没有签发的文书不能送达。")
def describe_document(context: TaskContext, *, document_id: str) -> dict[str, Any]:
    """``paper`` (title and number in words), ``number``, ``issued_on``; raises Invalid unless the document is issued."""
    row = _paper(context, document_id)
    if row.state not in ("issued", "served"):
        raise Invalid(f"文书{_title(row)}还没有签发用印，或者已经撤回，不能送达。")
    return {"paper": _title(row), "number": row.number or "", "issued_on": legal_date(row.issued_at).isoformat()}


@service_task(title="取出当事人", mode="inline", pure=True, help="本案只有一个当事人时，不用指明是谁；文书送给别的机关的，写它的名称。")
def describe_party(context: TaskContext, *, party_id: str = "", recipient: str = "") -> dict[str, Any]:
    """``party_id``, ``name``, ``kind`` (person or organisation), ``address``, ``representative`` of a party of this case; raises Invalid.

    ``recipient`` names an authority that is no party of the case: then there is no ``party_id``.
    """
    if recipient:
        return {"party_id": None, "name": recipient, "kind": "organisation", "address": "", "representative": ""}
    found = _parties(context)
    chosen = [row for row in found if not party_id or str(row.party_id) == party_id]
    if len(chosen) != 1:
        raise Invalid("本案没有登记当事人，请先登记。" if not found else "本案没有这个当事人。" if party_id else "本案有几个当事人，请指明是哪一个。")
    row = chosen[0]
    detail = row.snapshot.get("detail") or {}
    return {"party_id": str(row.party_id), "name": row.snapshot["name"], "kind": row.snapshot["kind"], "address": row.snapshot.get("address", ""),
            "representative": detail.get("representative", "")}


def _parties(context: TaskContext) -> list[Any]:
    return [row for row in parties.parties_of(context.connection, case_id=context.case_id) if row.role == "party"]


@service_task(title="列出文书和当事人", mode="inline", pure=True, help="供选择用：本案已签发的文书、当事人。没有可以送达的文书时不能发起。")
def list_documents_and_parties(context: TaskContext) -> dict[str, Any]:
    """``documents`` and ``parties`` of the case as lists of {id, title}, the newest ``MOST``."""
    papers = [row for row in documents_of_case(context.connection, case_id=context.case_id) if row.state in ("issued", "served")][-MOST // 2:]
    found = _parties(context)
    if not found:
        raise Invalid("本案没有登记当事人，请先登记。")
    return {"documents": [{"id": str(row.id), "title": _title(row)[:40]} for row in papers],
            "parties": [{"id": str(row.party_id), "title": row.snapshot["name"][:40]} for row in found[:MOST // 2]]}


@service_task(title="列出要送达的文书和受送达人", mode="inline", pure=True)
def pair_documents(
    context: TaskContext, *, document_id: str = "", documents: list[str] | None = None, parties: list[str] | None = None, recipient: str = "",
) -> dict[str, Any]:
    """``pairs``: {document_id, party_id, recipient} of every document and every party (all parties of the case by default).

    With ``recipient``, an authority that is no party, of every document and that authority.
    """
    papers = list(dict.fromkeys([*([document_id] if document_id else []), *(documents or [])]))
    if papers and recipient:
        return {"pairs": [{"document_id": paper, "party_id": None, "recipient": recipient} for paper in papers]}
    people = list(dict.fromkeys(parties or [str(row.party_id) for row in _parties(context)]))
    if not papers or not people:
        raise Invalid("没有要送达的文书。" if not papers else "本案没有登记当事人，请先登记。")
    return {"pairs": [{"document_id": paper, "party_id": one, "recipient": None} for paper in papers for one in people]}


@service_task(title="发到当事人端", mode="inline", reversible=False, help="文书放到这个当事人的页面上，并给出一次性的签收码和网址，印在给当事人的纸上。")
def send_to_party(context: TaskContext, *, document_id: str, party_id: str = "", clock: str = "") -> dict[str, Any]:
    """``code``, ``link``, ``sent_on``. ``clock`` names the parameter that says how many days the code holds (thirty by default).

    Without ``party_id`` it goes to the only party of the case.
    """
    party_id = party_id or describe_party(context)["party_id"]
    row = _paper(context, document_id)
    days = int(context.parameter(qualify(clock, pack_of(context.process)))) if clock else 30
    party_papers.send_paper(
        context.connection, party_id=UUID(party_id), document_id=row.id, case_id=context.case_id, instance_id=context.instance_id, at=context.at,
    )
    code = party_papers.make_code(
        context.connection, party_id=UUID(party_id), case_id=context.case_id, at=context.at, until=context.at + timedelta(days=days),
    )
    return {"code": code, "link": f"{context.app.settings.public_url}/party/code/{code}", "sent_on": context.today.isoformat()}


@service_task(title="从当事人端收回", mode="inline", reversible=False, help="线上没有签收：文书从当事人端收回，改走别的方式。")
def close_paper(context: TaskContext, *, document_id: str, party_id: str) -> None:
    """The paper may no longer be signed on the party's page."""
    party_papers.end_paper(context.connection, party_id=UUID(party_id), document_id=UUID(document_id), state="lapsed", at=context.at)


@service_task(title="记为已送达", mode="inline", reversible=False, help="文书状态改为已送达，从此不能撤回；当事人在当事人端可以看到。")
def mark_served(context: TaskContext, *, document_id: str, party_id: str = "") -> None:
    """Document and paper are served, on nobody's page without ``party_id``; raises Conflict while the seal is not on."""
    row = _paper(context, document_id)
    serve_document(context.connection, document_id=row.id, at=context.at)
    if not party_id:
        return
    party_papers.serve_paper(
        context.connection, party_id=UUID(party_id), document_id=row.id, case_id=context.case_id, instance_id=context.instance_id, at=context.at,
    )


