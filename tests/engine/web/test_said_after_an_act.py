"""What is said after an act that opened no step: who still has to speak in a 会签."""
from __future__ import annotations

from uuid import uuid4

from tests.browser import Browser
from tests.engine.runtime.test_countersign import row_of, start
from tests.town import Town


def test_after_a_vote_one_reads_who_has_still_to_vote(town: Town) -> None:
    start(town)
    told = Browser(town.app, "chief").post(f"/tasks/{row_of(town, 'chief')['id']}/complete", {"key": str(uuid4()), "outcome": "agree"}, follow_redirects=True)
    assert "“集体讨论”已提交。还在等" in told.text and "周启衡" in told.text and "自动步骤。" not in told.text
