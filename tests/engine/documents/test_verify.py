"""What a stranger with the paper in hand is told."""
from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from engine.documents.anchors import Place
from engine.documents.drawing import draw_unit_seal
from engine.documents.sign import Stamp, sign_pdf
from engine.documents.verify import AskedTooOften, Verdict, normalise_code, too_many, verify_code, verify_file, verify_pdf
from engine.documents.void import undo_document
from engine.kernel.gm import KeyRing, sm2_generate
from engine.storage.tables.documents import verification


def ask(bureau: Any, code: str, upload: bytes | None = None) -> Verdict:
    with bureau.app.db.begin() as connection:
        return verify_code(bureau.app, connection, code=code, at=bureau.app.clock.now(), network="203.0.113.7", upload=upload)


def undo(bureau: Any, row: Any) -> None:
    with bureau.app.db.begin() as connection:
        undo_document(connection, document_id=row.id, reason="认定事实有误", at=bureau.app.clock.now())


def test_a_sealed_document_is_genuine_and_its_party_masked(bureau: Any) -> None:
    row = bureau.sealed()
    verdict = ask(bureau, row.check_code.lower().replace("-", ""))
    assert (verdict.result, verdict.problem, verdict.number, verdict.pages) == ("genuine", None, row.number, 1)
    assert (verdict.party, verdict.unit, verdict.sm3) == ("上海砚****有限公司", "上海市云浦区市场监督管理局", row.sealed_sm3)
    assert [(s.signer, s.problem) for s in verdict.signatures] == [("执法专用章", None)]


def test_the_file_itself_is_genuine_and_one_flipped_byte_is_altered(bureau: Any) -> None:
    row = bureau.sealed()
    pdf = bureau.pdf(row)
    flipped = bytearray(pdf)
    flipped[len(pdf) // 2] ^= 1
    assert ask(bureau, row.check_code, pdf).result == "genuine"
    altered = ask(bureau, row.check_code, bytes(flipped))
    assert (altered.result, altered.problem) == ("altered", "盖章之后内容被改动")
    other = ask(bureau, row.check_code, bureau.pdf(bureau.sealed()))
    assert (other.result, other.problem) == ("altered", "这个文件不是该核验码对应的文书")
    assert ask(bureau, row.check_code, b"not a pdf").result == "altered"


def test_a_file_without_a_code_is_known_by_its_bytes(bureau: Any) -> None:
    row = bureau.sealed()
    pdf = bureau.pdf(row)
    flipped = bytearray(pdf)
    flipped[300] ^= 1
    with bureau.app.db.begin() as connection:
        seen = {
            name: verify_file(bureau.app, connection, upload=data, at=bureau.app.clock.now(), network="::1")
            for name, data in (("whole", pdf), ("flipped", bytes(flipped)), ("foreign", b"%PDF-1.7 x"))
        }
    assert (seen["whole"][0], seen["whole"][1].result) == (row.check_code, "genuine")
    assert (seen["flipped"][1].result, seen["foreign"][1].result) == ("altered", "unknown")


def test_withdrawn_void_draft_pending_and_unknown_each_have_their_answer(bureau: Any) -> None:
    sealed = bureau.sealed()
    with bureau.app.db.begin() as connection:
        drafted, pending, voided = (bureau.draft(connection) for _ in range(3))
        bureau.issue(connection, pending.id)
        bureau.issue(connection, voided.id)
    undo(bureau, sealed)
    undo(bureau, bureau.row(voided.id))
    withdrawn = ask(bureau, sealed.check_code)
    assert (withdrawn.result, withdrawn.reason, withdrawn.ended_at) == ("withdrawn", "认定事实有误", bureau.app.clock.now())
    assert ask(bureau, sealed.check_code, bureau.pdf(sealed)).result == "withdrawn"
    assert [ask(bureau, d.check_code).result for d in (voided, pending, drafted)] == ["void", "pending", "unknown"]
    assert ask(bureau, "ZZZZ-ZZZZ-ZZ").result == "unknown"
    with bureau.app.db.connect() as connection:
        logged = connection.execute(select(verification.c.result).order_by(verification.c.id)).scalars().all()
    assert sorted(logged) == sorted(["withdrawn", "withdrawn", "void", "pending", "unknown", "unknown"])


def test_a_damaged_or_exchanged_file_in_our_own_store_is_noticed(bureau: Any) -> None:
    row, other = bureau.sealed(), bureau.sealed()
    path = bureau.app.blobs.path(row.sealed_sm3)
    path.write_bytes(bureau.pdf(other))
    assert ask(bureau, row.check_code).result == "altered"
    path.unlink()
    assert "缺失" in (ask(bureau, row.check_code).problem or "")


def test_a_signature_by_a_foreign_authority_or_outside_its_validity_is_refused(bureau: Any, tmp_path: Any) -> None:
    pdf, pair = bureau.pdf(bureau.sealed()), sm2_generate()
    at = bureau.app.clock.now()
    picture = draw_unit_seal(name="上海市云浦区市场监督管理局")

    def forged(ring: KeyRing, shift: timedelta) -> str | None:
        certificate = ring.issue_certificate(
            public=pair.public, name="执法专用章", organisation="上海市云浦区市场监督管理局",
            valid_from=at - timedelta(days=1), valid_until=at + timedelta(days=1),
        )
        stamp = Stamp(
            field="more", place=Place(page=0, x=200, y=200), image=picture, private=pair.private, certificate=certificate,
            name="x", reason="用印", at=at + shift,
        )
        return verify_pdf(bureau.app, sign_pdf(pdf, stamp)).problem

    assert forged(bureau.app.keys, timedelta()) is None
    assert forged(bureau.app.keys, timedelta(days=2)) == "签名时证书不在有效期内"
    assert forged(KeyRing(tmp_path / "other"), timedelta()) == "证书的签名不对，不是本平台签发的"


def test_an_address_that_asks_too_often_is_noticed(bureau: Any) -> None:
    for _ in range(20):
        ask(bureau, "AAAA-AAAA-AA")
    with pytest.raises(AskedTooOften, match="一分钟后再试"):
        ask(bureau, "AAAA-AAAA-AA")
    with bureau.app.db.begin() as connection:
        now = bureau.app.clock.now()
        assert not too_many(connection, network="203.0.113.8", at=now)
        assert not too_many(connection, network="203.0.113.7", at=now + timedelta(minutes=2))


def test_codes_are_read_however_they_are_typed() -> None:
    assert normalise_code(" 7q4k 2m9x d3 ") == "7Q4K-2M9X-D3"
    assert normalise_code("核验码") == ""
