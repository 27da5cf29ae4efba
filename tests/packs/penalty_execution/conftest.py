"""A served decision with a fine of 5000 元 whose execution has begun."""
from __future__ import annotations

from typing import Any

import pytest

from tests.packs.filed import filed_case
from tests.packs.serving_documents.conftest import FACTORY, ServedCase, add_party

FINE = "5000.00"
DIRECT = {"mode": "direct", "direct_result": "signed", "receiver_kind": "representative", "receiver": "白晓棠", "signed_on": "2026-11-20"}


@pytest.fixture
def case(town: Any) -> ServedCase:
    """Served on 2026-11-20: payment until 2026-12-07 (the fifteenth day is a Saturday), litigation until 2027-05-20."""
    walk = filed_case(town)
    served = ServedCase(walk.app, walk.bureau)
    served.town, served.case_id, served.parties = town, walk.case_id, {}
    add_party(served, "factory", FACTORY)
    paper = served.paper()
    served.serve(paper)
    served.do("officer", "serve_offline", "submit", {**DIRECT, "receipt": served.proof(field="receipt")})
    served.matter("officer", "penalty_execution.penalty_execution", {"document": paper, "party": served.parties["factory"], "fine": FINE})
    return served
