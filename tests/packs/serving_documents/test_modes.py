"""Every mode of service, its evidence, and the date that the law gives it."""
from __future__ import annotations

from datetime import date
from typing import Any

from tests.packs.serving_documents.conftest import ServedCase


def record(case: ServedCase, **answers: Any) -> dict[str, Any]:
    """Answers of 线下送达记录 with a receipt and a picture where they are asked for."""
    return {"receipt": case.proof(field="receipt"), **answers}


DIRECT = {"mode": "direct", "direct_result": "signed", "receiver_kind": "representative", "receiver": "白晓棠", "signed_on": "2026-11-20"}


def test_direct_service_is_dated_by_the_receipt_and_marks_the_document_served(case: ServedCase) -> None:
    paper = case.paper()
    case.serve(paper)
    case.do("officer", "serve_offline", "submit", record(case, **DIRECT))

    (row,) = case.services()
    assert (row["mode"], row["served_on"], row["state"], row["receiver"]) == ("direct", date(2026, 11, 20), "served", "白晓棠")
    assert case.state_of(paper) == "served"
    assert "送达回证" in [one["title"] for one in case.documents()]
    assert case.waiting() == set()
