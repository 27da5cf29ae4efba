"""What may happen to a document, and what may not."""
from __future__ import annotations

from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from engine.documents.correct import correct_document
from engine.documents.draft import draft_blocks
from engine.documents.seals import (
    check_pin,
    create_personal_seal,
    create_unit_seal,
    find_personal_seal,
    grant_seal,
    revoke_seal,
    set_seal_policy,
)
from engine.documents.serve import mark_served
from engine.documents.use_seal import sealer_of, seals_usable_by
from engine.documents.versions import versions_of
from engine.documents.void import undo_document, void_document
from engine.documents.withdraw import withdraw_document
from engine.kernel.errors import Conflict, Forbidden, Invalid, StaleRevision
from engine.kernel.gm import SealBroken, sm2_public_key
from engine.kernel.gm.certificates import read_certificate
from engine.storage.tables.documents import document_signature, number_book, seal, seal_permission
from tests.engine.documents.test_sealing import text_of


def correct(bureau: Any, connection: Any, drafted: Any, **changes: Any) -> int:
    text = "经查，货值金额47,600.00元。\n\n 当事人主动召回4辆。 "
    values = {"block": "facts", "text": text, "rev": drafted.rev, "at": bureau.app.clock.now()}
    return correct_document(
        bureau.app, connection, document_id=drafted.id, actor_id=bureau.people["gu"], actor_name="顾明川", **(values | changes)
    )


def test_a_draft_is_previewed_without_number_and_code(bureau: Any) -> None:
    with bureau.app.db.begin() as connection:
        drafted = bureau.draft(connection)
    bureau.app.jobs.run_due(bureau.app)
    row = bureau.row(drafted.id)
    text = text_of(bureau.pdf(row))
    assert (row.state, row.number, row.rendered_rev, row.sealed_sm3) == ("draft", None, 1, None)
    assert "草" in text
    assert "扫码核验" not in text


def test_a_correction_replaces_a_declared_paragraph_and_keeps_what_stood_there(bureau: Any) -> None:
    with bureau.app.db.begin() as connection:
        drafted = bureau.draft(connection)
        assert draft_blocks(bureau.app, connection, document_id=drafted.id)["facts"].startswith("经查，当事人购进电动自行车20辆")
        rev = correct(bureau, connection, drafted)
    bureau.app.jobs.run_due(bureau.app)
    with bureau.app.db.begin() as connection:
        versions = versions_of(connection, document_id=drafted.id)
        bureau.issue(connection, drafted.id)
    bureau.app.jobs.run_due(bureau.app)
    assert rev == 2
    assert [(v.title, v.by_name) for v in versions] == [("修改稿", "顾明川"), ("初稿", "顾明川")]
    assert versions[0].change["before"].startswith("经查，当事人购进电动自行车20辆，货值金额47,600.00元。\n当事人")
    assert versions[0].change["after"] == "经查，货值金额47,600.00元。\n当事人主动召回4辆。"
    assert "经查，货值金额47,600.00元。当事人主动召回4辆。" in text_of(bureau.pdf(bureau.row(drafted.id)))


def test_corrections_that_are_late_stale_or_of_another_paragraph_are_refused(bureau: Any) -> None:
    with bureau.app.db.begin() as connection:
        drafted = bureau.draft(connection)
        correct(bureau, connection, drafted)
        for wrong, changes in ((StaleRevision, {}), (Invalid, {"rev": 2, "block": "title"}), (Invalid, {"rev": 2, "text": " "}),
                               (Invalid, {"rev": 2, "text": "字" * 2001})):
            with pytest.raises(wrong):
                correct(bureau, connection, drafted, **changes)
        bureau.issue(connection, drafted.id)
        with pytest.raises(Conflict, match="已经签发"):
            correct(bureau, connection, drafted, rev=3)


def test_markup_in_answers_and_corrections_is_text(bureau: Any) -> None:
    with bureau.app.db.begin() as connection:
        drafted = bureau.draft(connection, data={"party": "<img src=file:///etc/passwd>", "value": "1", "total": "1"})
        correct(bureau, connection, drafted, text="<script>x</script>{{ data }}")
    bureau.app.jobs.run_due(bureau.app)
    text = text_of(bureau.pdf(bureau.row(drafted.id)))
    assert "<img src=file:///etc/passwd>" in text
    assert "<script>x</script>{{ data }}" in text


def test_a_redo_of_the_node_replaces_the_draft_but_never_an_issued_document(bureau: Any) -> None:
    with bureau.app.db.begin() as connection:
        first = bureau.draft(connection, key="i:n:t")
        again = bureau.draft(connection, key="i:n:t")
        bureau.issue(connection, again.id)
        with pytest.raises(Conflict, match="先撤回"):
            bureau.draft(connection, key="i:n:t")
        undo_document(connection, document_id=again.id, reason="退回承办人", at=bureau.app.clock.now())
        fresh = bureau.draft(connection, key="i:n:t")
    assert (again.id, again.rev, again.replaced) == (first.id, 2, True)
    assert (fresh.id != first.id, fresh.replaced) == (True, False)


def test_only_whoever_has_the_permission_on_that_day_may_use_a_seal(bureau: Any) -> None:
    with bureau.app.db.begin() as connection:
        drafted = bureau.draft(connection)
        for who, name in ((bureau.people["lu"], "陆望舒"), (None, "系统")):
            with pytest.raises(Forbidden, match="没有使用这枚执法专用章的权限"):
                bureau.issue(connection, drafted.id, actor_id=who, actor_name=name)
        grant_seal(
            connection, seal_id=bureau.seals["unit_enforcement"], person_id=bureau.people["lu"], valid_from=date(2026, 11, 1),
            valid_until=date(2026, 11, 19), source="用印审批单",
        )
        with pytest.raises(Forbidden):
            bureau.issue(connection, drafted.id, actor_id=bureau.people["lu"], actor_name="陆望舒")
        assert connection.execute(select(number_book)).all() == []
        day_before = bureau.app.clock.now() - timedelta(days=1)
        early = bureau.issue(connection, drafted.id, actor_id=bureau.people["lu"], actor_name="陆望舒", at=day_before)
    assert early.number == "沪市监云处〔2026〕000001号"


def test_a_post_in_another_unit_gives_no_permission(bureau: Any) -> None:
    with bureau.app.db.begin() as connection:
        connection.execute(delete(seal_permission))
        grant_seal(connection, seal_id=bureau.seals["unit_enforcement"], post="officer", valid_from=date(2025, 1, 1))
        with pytest.raises(Forbidden):
            bureau.issue(connection, bureau.draft(connection).id, actor_id=bureau.people["gu"], actor_name="顾明川")
        sealer = sealer_of(connection, person_id=bureau.people["gu"], name="顾明川", on=date(2026, 11, 20))
        assert seals_usable_by(connection, sealer=sealer, on=date(2026, 11, 20)) == []


def test_the_bureaus_policy_chooses_between_its_seals(bureau: Any) -> None:
    def used(template_policy: str, kind: str) -> str:
        with bureau.app.db.begin() as connection:
            set_seal_policy(
                connection, unit_id=bureau.units["district"], template=template_policy, seal_kind=kind, valid_from=date(2026, 1, 1)
            )
            issued = bureau.issue(connection, bureau.draft(connection).id)
            row = connection.execute(select(seal.c.kind).join(document_signature, document_signature.c.seal_id == seal.c.id).where(
                document_signature.c.document_id == issued.id
            ))
            return str(row.scalar_one())

    assert used("*", "unit_official") == "unit_official"
    assert used("sample.letter", "unit_enforcement") == "unit_enforcement"


def test_a_missing_seal_or_signature_is_named_and_nothing_is_numbered(bureau: Any) -> None:
    with bureau.app.db.begin() as connection:
        connection.execute(update(seal).where(seal.c.person_id == bureau.people["gu"]).values(state="revoked"))
        form = bureau.draft(connection, "form")
        with pytest.raises(Invalid, match="顾明川还没有有效的个人签名"):
            bureau.issue(connection, form.id, opinions=bureau.opinions())
        revoke_seal(connection, seal_id=bureau.seals["unit_official"])
        with pytest.raises(Invalid, match="没有有效的公章"):
            bureau.issue(connection, form.id)
        assert connection.execute(select(number_book)).all() == []


def test_an_unsealed_document_becomes_void_with_its_number_kept_as_void(bureau: Any) -> None:
    with bureau.app.db.begin() as connection:
        drafted = bureau.draft(connection)
        bureau.issue(connection, drafted.id)
        void_document(connection, document_id=drafted.id, reason="内容有误", at=bureau.app.clock.now())
        rows = connection.execute(select(number_book.c.text, number_book.c.state, number_book.c.reason)).all()
    assert rows == [("沪市监云处〔2026〕000001号", "void", "内容有误")]


def test_a_sealed_document_is_withdrawn_and_a_served_one_stays(bureau: Any) -> None:
    first, second = bureau.sealed(), bureau.sealed()
    with bureau.app.db.begin() as connection:
        with pytest.raises(Conflict, match="只能撤回"):
            void_document(connection, document_id=first.id, reason="x", at=bureau.app.clock.now())
        with pytest.raises(Invalid, match="写明理由"):
            withdraw_document(connection, document_id=first.id, reason=" ", at=bureau.app.clock.now())
        assert undo_document(connection, document_id=first.id, reason="会审退回", at=bureau.app.clock.now()) == "withdrawn"
        assert undo_document(connection, document_id=first.id, reason="会审退回", at=bureau.app.clock.now()) == "withdrawn"
        mark_served(connection, document_id=second.id, at=bureau.app.clock.now())
        with pytest.raises(Conflict, match="已经送达"):
            undo_document(connection, document_id=second.id, reason="x", at=bureau.app.clock.now())
        assert set(connection.execute(select(number_book.c.state)).scalars()) == {"used"}


def test_keys_of_seals_are_wrapped_and_bound_to_their_row(bureau: Any) -> None:
    from engine.documents.seals import private_key_of

    with bureau.app.db.connect() as connection:
        rows = connection.execute(select(seal)).all()
    for row in rows:
        assert sm2_public_key(private_key_of(bureau.app.keys, row)) == read_certificate(row.certificate).public
    moved: Any = SimpleNamespace(id=rows[1].id, private_key=rows[0].private_key)
    with pytest.raises(SealBroken):
        private_key_of(bureau.app.keys, moved)


def test_the_pin_of_a_personal_signature_is_checked_and_a_new_one_replaces_the_old(bureau: Any) -> None:
    day = date(2026, 11, 20)
    with bureau.app.db.begin() as connection:
        check_pin(connection, person_id=bureau.people["gu"], pin="246810", on=day)
        with pytest.raises(Forbidden, match="签章密码不正确"):
            check_pin(connection, person_id=bureau.people["gu"], pin="246811", on=day)
        with pytest.raises(Invalid):
            create_personal_seal(
                bureau.app, connection, person_id=bureau.people["gu"], pin="1", valid_from=day, valid_until=day, at=bureau.app.clock.now()
            )
        new = create_personal_seal(
            bureau.app, connection, person_id=bureau.people["gu"], pin=None, valid_from=day, valid_until=day, at=bureau.app.clock.now()
        )
        found = find_personal_seal(connection, person_id=bureau.people["gu"], on=day)
        assert found is not None
        assert found.id == new


def test_a_scanned_seal_must_be_a_picture(bureau: Any) -> None:
    with bureau.app.db.begin() as connection, pytest.raises(Invalid, match="印模图片不能用"):
        create_unit_seal(
            bureau.app, connection, unit_id=bureau.units["city"], kind="unit_official", valid_from=date(2026, 1, 1),
            valid_until=date(2027, 1, 1), at=bureau.app.clock.now(), image=b"%PDF-1.7",
        )
