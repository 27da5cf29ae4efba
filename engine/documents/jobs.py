"""Work for the workers: rendering drafts, rendering and sealing issued documents.

Each job may run any number of times, at once or after a crash: the result is made without a lock and kept only if the
document still stands at the revision it was made of and has none yet.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import Connection, Row, select, update

from engine.documents.anchors import Place, find_anchors
from engine.documents.compose import compose
from engine.documents.draft import RENDER_DRAFT, template_of
from engine.documents.issue import RENDER_AND_SEAL
from engine.documents.pictures import pictures_of
from engine.documents.queries import find_document, lock_document, signatures_of, snapshot_of_row
from engine.documents.render import render_pdf
from engine.documents.seals import private_key_of
from engine.documents.services import Services
from engine.documents.store import PDF, store
from engine.documents.versions import set_rendering
from engine.kernel.errors import Unavailable
from engine.kernel.gm import sm3_hex
from engine.kernel.gm.certificates import read_certificate
from engine.storage.tables.documents import document, document_signature, seal

if TYPE_CHECKING:
    from engine.documents.sign import Stamp

SAMPLE, DRAFT = "样张", "草稿"


def verify_url(app: Services, check_code: str) -> str:
    """The public address in the QR code."""
    return f"{app.settings.public_url}/v/{check_code}"


def fonts_folder(app: Services) -> Path:
    """Where an office puts its licensed fonts."""
    return Path(app.settings.data_dir) / "fonts"


def render_draft(app: Services, *, document_id: str) -> None:
    """Make the preview of a draft's newest revision."""
    with app.db.connect() as connection:
        row = find_document(connection, UUID(document_id))
    if row is None or row.state != "draft" or row.rendered_rev == row.rev:
        return
    composed = compose(template_of(app, row), snapshot_of_row(row), check_code="", verify_url="", watermark=DRAFT, find_image=pictures_of(app, row))
    pdf = render_pdf(composed.html, fonts=fonts_folder(app))
    with app.db.begin() as connection:
        now = lock_document(connection, row.id)
        if now.state == "draft" and now.rev == row.rev:
            _keep(app, connection, now, pdf)


def render_and_seal(app: Services, *, document_id: str) -> None:
    """Render an issued document, sign it for each signer in turn, and put the unit's seal on last."""
    with app.db.connect() as connection:
        row = find_document(connection, UUID(document_id))
        signatures = signatures_of(connection, document_id=row.id, rev=row.rev) if row is not None else []
        seals = {s.id: s for s in connection.execute(select(seal).where(seal.c.id.in_([s.seal_id for s in signatures])))}
    if row is None or row.state != "issued" or row.sealed_sm3:
        return
    watermark = SAMPLE if app.settings.environment == "demo" else ""
    composed = compose(
        template_of(app, row), snapshot_of_row(row), check_code=row.check_code, verify_url=verify_url(app, row.check_code),
        watermark=watermark, find_image=pictures_of(app, row), signed={one.anchor: one.image_sm3 for one in signatures if one.kind == "personal" and one.image_sm3},
    )
    plain = render_pdf(composed.html, fonts=fonts_folder(app))
    order = {anchor: index for index, anchor in enumerate(composed.anchors)}
    signatures.sort(key=lambda signature: (signature.kind == "unit", order.get(signature.anchor, 0)))
    sealed, steps = _sign_all(app, row, plain, signatures, seals)
    with app.db.begin() as connection:
        now = lock_document(connection, row.id)
        if now.state == "issued" and now.rev == row.rev and not now.sealed_sm3:
            _keep(app, connection, now, sealed, sealed=True)
            for id, values in steps:
                connection.execute(update(document_signature).where(document_signature.c.id == id).values(**values))


JOBS: Mapping[str, Callable[..., None]] = {RENDER_AND_SEAL: render_and_seal, RENDER_DRAFT: render_draft}


def _keep(app: Services, connection: Connection, row: Row[Any], pdf: bytes, *, sealed: bool = False) -> None:
    at = row.issued_at or row.updated_at
    sm3 = store(app, connection, pdf, content_type=PDF, at=at)
    values: dict[str, Any] = {"pdf_sm3": sm3, "rendered_rev": row.rev} | ({"sealed_sm3": sm3} if sealed else {})
    connection.execute(update(document).where(document.c.id == row.id).values(**values))
    set_rendering(connection, document_id=row.id, rev=row.rev, pdf_sm3=sm3)


def _sign_all(
    app: Services, row: Row[Any], pdf: bytes, signatures: list[Row[Any]], seals: Mapping[UUID, Row[Any]]
) -> tuple[bytes, list[tuple[UUID, dict[str, Any]]]]:
    from engine.documents.sign import sign_pdf  # what it brings stays out of the web workers

    places, steps = find_anchors(pdf), []
    for order, signature in enumerate(signatures, start=1):
        place = places.get(signature.anchor)
        if place is None:
            raise Unavailable(f"文书《{row.title}》里找不到落章位置 {signature.anchor}，请检查模板")
        before = sm3_hex(pdf)
        seal_row = seals[signature.seal_id]
        pdf = sign_pdf(pdf, _stamp(app, row, signature, seal_row, place, order))
        serial = read_certificate(seal_row.certificate).serial
        steps.append((signature.id, {"sm3_before": before, "sm3_after": sm3_hex(pdf), "certificate_serial": serial}))
    return pdf, steps


def _stamp(app: Services, row: Row[Any], signature: Row[Any], seal_row: Row[Any], place: Place, order: int) -> Stamp:
    from engine.documents.sign import PERSONAL_SIZE_MM, UNIT_SIZE_MM, Stamp

    unit = signature.kind == "unit"
    return Stamp(
        field=f"{signature.kind}_{order}", place=place, image=app.blobs.get(seal_row.image_sm3), private=private_key_of(app.keys, seal_row),
        certificate=seal_row.certificate, name=seal_row.title, reason="用印" if unit else "签名", at=row.issued_at,
        size_mm=UNIT_SIZE_MM if unit else PERSONAL_SIZE_MM, centred=unit,
    )
