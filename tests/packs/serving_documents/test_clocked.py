"""Timers of serving follow their clock: what stands still gives no default, what is extended moves the end. A drawn signature is on the 送达回证."""
from __future__ import annotations

import io
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from PIL import Image, ImageDraw

from engine.access.actors import SEE_ALL
from engine.deadlines.clocks import By, exclude_span, resume_clock, suspend_clock
from engine.kernel.clock import SHANGHAI, FixedClock
from engine.runtime.fire_due_timers import fire_due_timers
from engine.runtime.queries.stuck import REASONS, Limits, find_stuck
from tests.packs.serving_documents.conftest import ServedCase
from tests.packs.serving_documents.test_online import bound
from tests.packs.serving_documents.test_reply import notified


def move(case: ServedCase, change: Any, **more: Any) -> Any:
    """One change of the only clock that runs for serving."""
    (name,) = [row["clock"] for row in case.clocks() if row["clock"].startswith("serving_documents.") and row["state"] in ("running", "suspended")]
    with case.app.db.begin() as connection:
        return change(connection, case_id=case.case_id, clock=name, by=By(at=case.at, ground="测试"), **more)


def go(case: ServedCase, clock: FixedClock, day: int) -> None:
    clock.set(datetime(2026, 11, day, 9, tzinfo=SHANGHAI))
    fire_due_timers(case.app, clock.now())


def test_signing_online_waits_as_long_as_its_clock_does(case: ServedCase, clock: FixedClock) -> None:
    case.serve(case.paper(), route="online")
    with case.app.db.connect() as connection:
        late = Limits(settled=case.at, untouched=case.at, suspended=case.at, silent=case.at)
        nobody = next(reason for reason in REASONS if reason.key == "nobody")
        assert find_stuck(connection, actor=replace(case.actor("chief"), rights=frozenset({SEE_ALL})), limits=late, reason=nobody) == []  # the party has it
    go(case, clock, 23)
    move(case, suspend_clock, on=date(2026, 11, 23))
    go(case, clock, 26)
    assert case.waiting() == {"sign_online"}
    assert move(case, resume_clock, on=date(2026, 11, 26)).due_on == date(2026, 11, 30)
    go(case, clock, 30)
    assert case.waiting() == {"sign_online"}
    clock.set(datetime(2026, 12, 1, 9, tzinfo=SHANGHAI))
    assert fire_due_timers(case.app, clock.now()) == 1
    assert case.waiting() == {"serve_offline"}


def test_the_right_to_answer_lasts_as_long_as_its_clock(case: ServedCase, clock: FixedClock) -> None:
    notified(case)
    go(case, clock, 24)
    assert move(case, exclude_span, first=date(2026, 11, 23), last=date(2026, 11, 24)).due_on == date(2026, 11, 27)
    go(case, clock, 27)
    assert case.waiting() == {"reply_online", "record_reply"}
    go(case, clock, 28)
    assert case.waiting() == set()


def test_the_drawn_signature_is_on_the_receipt(case: ServedCase) -> None:
    case.serve(case.paper(), route="online")
    factory = bound(case)
    (step,) = {link for link in factory.links() if "/tasks/" in link}
    drawn, picture = io.BytesIO(), Image.new("RGBA", (300, 120), (0, 0, 0, 0))
    ImageDraw.Draw(picture).line([(10, 100), (150, 20), (290, 90)], fill="black", width=6)
    picture.save(drawn, "PNG")
    drawn.seek(0)
    kept = factory.post(f"/party/attachments?task={step[-36:]}", page=step, field="signature", file=(drawn, "签名.png"))
    assert kept.status_code == 201, kept.text
    done = factory.act(step, "sign", read="true", consent="true", address="云浦区汀兰路 45 号", signature=str(kept.json["id"]))
    assert done.status_code == 303
    receipt = next(paper for paper in case.documents() if paper["title"] == "送达回证")
    assert receipt["data"]["data"]["signature"] == kept.json["id"]
    case.run_jobs()
    with case.app.db.connect() as connection:
        sealed = connection.exec_driver_sql("SELECT sealed_sm3 FROM document WHERE id = %s", (receipt["id"],)).scalar_one()
    assert b"/Subtype /Image" in case.app.blobs.get(sealed) or b"/Subtype/Image" in case.app.blobs.get(sealed)
