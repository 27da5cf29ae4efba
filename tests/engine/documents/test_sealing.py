"""From a draft to a sealed PDF that anybody can check with other programs."""
from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pypdfium2 as pdfium
import zxingcpp
from asn1crypto import x509
from gmssl import sm2
from sqlalchemy import select

from engine.documents.anchors import find_anchors
from engine.documents.extract import ExtractedSignature, extract_signatures
from engine.documents.jobs import render_and_seal
from engine.documents.pages import page_count, page_image
from engine.documents.verify import verify_pdf
from engine.kernel.gm.certificates import to_pem
from engine.kernel.gm.encoding import public_key_info
from engine.kernel.gm.provider import DISTID, get_provider
from engine.storage.tables.documents import document_signature


def text_of(pdf: bytes) -> str:
    document = pdfium.PdfDocument(pdf)
    return "\n".join(page.get_textpage().get_text_bounded() for page in document).replace("\u200b", "").replace("\r", "").replace("\n", "")


def openssl_accepts(folder: Path, signature: ExtractedSignature, signed: bytes) -> bool:
    (folder / "public.pem").write_text(to_pem(public_key_info(signature.signer.public), "PUBLIC KEY"))
    (folder / "signature.der").write_bytes(signature.signature)
    (folder / "attributes.der").write_bytes(signed)
    options = ["-sigopt", "distid:1234567812345678", "-signature", "signature.der"]
    command = ["openssl", "dgst", "-sm3", "-verify", "public.pem", *options, "attributes.der"]
    return subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode == 0


def test_an_issued_document_becomes_a_sealed_pdf_with_number_pages_and_code(bureau: Any) -> None:
    row = bureau.sealed()
    pdf, text = bureau.pdf(row), text_of(bureau.pdf(row))
    assert (row.state, row.number, row.sealed_sm3, row.rendered_rev) == ("issued", "沪市监云处〔2026〕000001号", row.pdf_sm3, row.rev)
    amount = "伍万零壹佰捌拾元整（50,180.00元）"
    for words in ("上海市云浦区市场监督管理局", row.number, amount, "2026年11月20日", f"核验码 {row.check_code}", "第 1 页"):
        assert words in text
    assert text.count(row.number) == page_count(pdf) + 1
    found = zxingcpp.read_barcodes(pdfium.PdfDocument(pdf)[page_count(pdf) - 1].render(scale=3).to_pil())
    assert [code.text for code in found] == [f"https://example.invalid/gc/v/{row.check_code}"]


def test_openssl_and_gmssl_verify_the_extracted_signature_and_refuse_a_flipped_byte(bureau: Any, tmp_path: Path) -> None:
    (signature,) = extract_signatures(bureau.pdf(bureau.sealed()))
    flipped = bytearray(signature.signed_attributes)
    flipped[-1] ^= 1
    assert openssl_accepts(tmp_path, signature, signature.signed_attributes)
    assert not openssl_accepts(tmp_path, signature, bytes(flipped))
    gmssl = get_provider("gmssl")
    assert gmssl.sm2_verify(signature.signer.public, signature.signed_attributes, signature.signature, DISTID)
    assert not gmssl.sm2_verify(signature.signer.public, bytes(flipped), signature.signature, DISTID)
    assert gmssl.sm3(signature.covered(bureau.pdf(bureau.row(_only_id(bureau))))) == signature.digest


def test_gmssl_alone_verifies_the_signature_by_its_own_message_digest(bureau: Any) -> None:
    (signature,) = extract_signatures(bureau.pdf(bureau.sealed()))
    machine = sm2.CryptSM2(private_key="", public_key="", asn1=True)
    machine.public_key = x509.Certificate.load(signature.certificate).public_key["public_key"].native[1:].hex()
    assert machine.verify_with_sm3(signature.signature.hex(), signature.signed_attributes)
    assert not machine.verify_with_sm3(signature.signature.hex(), signature.signed_attributes + b"\0")


def test_any_flipped_byte_of_the_file_fails_verification(bureau: Any) -> None:
    pdf = bureau.pdf(bureau.sealed())
    assert verify_pdf(bureau.app, pdf).good
    (signature,) = extract_signatures(pdf)
    start, end = signature.byte_range[1], signature.byte_range[2]
    for place in (100, len(pdf) // 3, len(pdf) // 2, start - 2, start + 400, start + 1500, end - 10, end + 30, len(pdf) - 3):
        altered = bytearray(pdf)
        altered[place] ^= 1
        checked = verify_pdf(bureau.app, bytes(altered))
        assert not checked.good and checked.problem, place
    for longer in (pdf + b"\n", pdf[:-1], pdf + b"%%EOF\n"):
        assert not verify_pdf(bureau.app, longer).good


def test_approvers_sign_in_person_first_and_the_unit_seals_last(bureau: Any, tmp_path: Path) -> None:
    row = bureau.sealed("form", opinions=bureau.opinions())
    pdf = bureau.pdf(row)
    checked = verify_pdf(bureau.app, pdf)
    assert checked.good
    assert [(s.signer, s.reason) for s in checked.signatures] == [("顾明川", "签名"), ("沈砚秋", "签名"), ("公章", "用印")]
    assert set(find_anchors(pdf)) == {"opinion_0", "opinion_1", "seal"}
    assert all(openssl_accepts(tmp_path, s, s.signed_attributes) for s in extract_signatures(pdf))
    with bureau.app.db.connect() as connection:
        rows = connection.execute(select(document_signature).where(document_signature.c.document_id == row.id)).all()
    chain = {r.sm3_before: r.sm3_after for r in rows}
    assert sorted(r.kind for r in rows) == ["personal", "personal", "unit"]
    assert set(chain.values()) - set(chain) == {row.sealed_sm3}
    assert {r.certificate_serial for r in rows} == {s.serial for s in checked.signatures}


def test_the_seal_is_red_ink_at_its_anchor(bureau: Any) -> None:
    pdf = bureau.pdf(bureau.sealed())
    place = find_anchors(pdf)["seal"]
    document = pdfium.PdfDocument(pdf)
    document.init_forms()
    page = document[place.page]
    picture, scale = page.render(scale=2).to_pil().convert("RGB"), 2
    x, y = place.x * scale, (page.get_height() - place.y) * scale
    colours = [picture.getpixel((int(x + dx), int(y + dy))) for dx in range(-12, 13, 2) for dy in range(-12, 13, 2)]
    assert sum(red > 150 and green < 90 for red, green, _ in colours) > 40


def test_rendering_and_sealing_twice_changes_nothing(bureau: Any) -> None:
    row = bureau.sealed()
    render_and_seal(bureau.app, document_id=str(row.id))
    assert bureau.row(row.id) == row


def test_a_job_that_comes_after_a_withdrawal_leaves_the_document_alone(bureau: Any) -> None:
    from engine.documents.void import undo_document

    with bureau.app.db.begin() as connection:
        drafted = bureau.draft(connection)
        bureau.issue(connection, drafted.id)
        assert undo_document(connection, document_id=drafted.id, reason="退回承办人", at=bureau.app.clock.now()) == "void"
    bureau.app.jobs.run_due(bureau.app)
    assert (bureau.row(drafted.id).state, bureau.row(drafted.id).sealed_sm3) == ("void", None)


def test_a_page_becomes_a_picture(bureau: Any) -> None:
    assert page_image(bureau.pdf(bureau.sealed()), page=1)[:8] == b"\x89PNG\r\n\x1a\n"


def _only_id(bureau: Any) -> Any:
    from engine.storage.tables.documents import document

    with bureau.app.db.connect() as connection:
        return connection.execute(select(document.c.id)).scalar_one()
