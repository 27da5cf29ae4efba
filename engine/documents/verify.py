"""Verification for anyone with the paper in hand: by the code on it, or by the file itself."""
from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, func, select

from engine.documents.pages import page_count
from engine.documents.queries import signatures_of
from engine.documents.services import Services
from engine.documents.verify_pdf import SignatureCheck, Verification
from engine.documents.verify_pdf import verify_pdf as verify_against
from engine.documents.words import mask_name
from engine.kernel.errors import GuichengError, NotFound
from engine.kernel.gm import sm3_hex
from engine.kernel.ids import new_id
from engine.storage.tables.documents import document, verification

RESULTS: Mapping[str, str] = {
    "genuine": "真实有效", "altered": "内容被改动", "withdrawn": "已撤回", "void": "已作废", "unknown": "查无此文书", "pending": "正在盖章",
}
MAX_UPLOAD = 20 * 1024 * 1024
PER_MINUTE = 20
_CODE = re.compile(r"[^0-9A-Z]")


class AskedTooOften(GuichengError):
    """One address asked more than PER_MINUTE times within a minute."""

    status = 429
    code = "too_often"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a stranger is told. ``result`` is a key of RESULTS; the rest is empty for an unknown document."""

    result: str
    problem: str | None = None
    title: str = ""
    number: str = ""
    unit: str = ""
    party: str = ""
    issued_at: datetime | None = None
    pages: int = 0
    reason: str = ""
    ended_at: datetime | None = None
    sm3: str = ""
    signatures: tuple[SignatureCheck, ...] = ()
    uploaded: bool = False


def verify_code(app: Services, connection: Connection, *, code: str, at: datetime, network: str, upload: bytes | None = None) -> Verdict:
    """The verdict on the document with a 核验码, compared with ``upload`` when one is given; logged in ``verification``.

    Raises AskedTooOften when ``network`` (the asker's address) asks more than PER_MINUTE times a minute.
    """
    if too_many(connection, network=network, at=at):
        raise AskedTooOften("同一个网络地址核验得太频繁，请一分钟后再试。")
    clean = normalise_code(code)
    row = connection.execute(select(document).where(document.c.check_code == clean)).one_or_none() if clean else None
    verdict = _unknown(upload) if row is None or row.state == "draft" else _judge(app, connection, row, upload)
    connection.execute(verification.insert().values(
        id=new_id(), document_id=row.id if row is not None else None, check_code=clean, result=verdict.result, network=network[:64], at=at
    ))
    return verdict


def verify_file(app: Services, connection: Connection, *, upload: bytes, at: datetime, network: str) -> tuple[str, Verdict]:
    """The 核验码 and verdict for a file without a code: known by its SM3, else judged by its signatures alone."""
    row = connection.execute(select(document.c.check_code).where(document.c.sealed_sm3 == sm3_hex(upload))).one_or_none()
    code = row.check_code if row is not None else ""
    verdict = verify_code(app, connection, code=code, at=at, network=network, upload=upload)
    if not code:
        checked = verify_pdf(app, upload)
        known = [s for s in checked.signatures if s.problem != "证书不是本平台签发的"]
        if known and not checked.good:
            verdict = Verdict(result="altered", problem=checked.problem, signatures=checked.signatures, uploaded=True)
    return code, verdict


def verify_pdf(app: Services, pdf: bytes) -> Verification:
    """Full verification of a sealed PDF against this platform's authority."""
    return verify_against(pdf, root=app.keys.root.certificate)


def normalise_code(code: str) -> str:
    """``7q4k2m9xd3`` as ``7Q4K-2M9X-D3``; empty when it can't be one."""
    clean = _CODE.sub("", code.upper())[:12]
    return "-".join(clean[i : i + 4] for i in range(0, len(clean), 4))


def too_many(connection: Connection, *, network: str, at: datetime) -> bool:
    """Whether an address asked more than PER_MINUTE times in the minute before ``at``."""
    recent = (verification.c.network == network[:64], verification.c.at > at - timedelta(minutes=1))
    query = select(func.count()).select_from(verification).where(*recent)
    return int(connection.execute(query).scalar_one()) >= PER_MINUTE


def count_verifications(connection: Connection, *, document_id: UUID) -> int:
    """How often a document was verified."""
    query = select(func.count()).select_from(verification).where(verification.c.document_id == document_id)
    return int(connection.execute(query).scalar_one())


def _unknown(upload: bytes | None) -> Verdict:
    return Verdict(result="unknown", uploaded=upload is not None)


def _judge(app: Services, connection: Connection, row: Row[Any], upload: bytes | None) -> Verdict:
    checked, pages = _stored(app, row, unsigned=not signatures_of(connection, document_id=row.id, rev=row.rev))
    result, problem = _result(row, checked, upload, app)
    return Verdict(
        result=result, problem=problem, title=row.title, number=row.number or "", unit=row.data["unit"]["name"],
        party=mask_name(row.data["case"].get("subject") or ""), issued_at=row.issued_at, pages=pages, reason=row.reason,
        ended_at=row.withdrawn_at, sm3=row.sealed_sm3 or "", signatures=checked.signatures if checked else (), uploaded=upload is not None,
    )


def _stored(app: Services, row: Row[Any], *, unsigned: bool) -> tuple[Verification | None, int]:
    """The stored file verified again each time: our own store may be damaged too. An unsigned one is known by its SM3 alone."""
    if not row.sealed_sm3:
        return None, 0
    try:
        pdf = app.blobs.get(row.sealed_sm3)
    except NotFound:
        return Verification(good=False, problem="平台保存的文件缺失，请联系制作机关"), 0
    if sm3_hex(pdf) != row.sealed_sm3:
        return Verification(good=False, problem="平台保存的文件损坏，请联系制作机关"), 0
    return Verification(good=True, problem=None) if unsigned else verify_pdf(app, pdf), page_count(pdf)


def _result(row: Row[Any], checked: Verification | None, upload: bytes | None, app: Services) -> tuple[str, str | None]:
    if upload is not None and (not row.sealed_sm3 or sm3_hex(upload) != row.sealed_sm3):
        return "altered", verify_pdf(app, upload).problem or "这个文件不是该核验码对应的文书"
    if row.state in ("withdrawn", "void"):
        return row.state, None
    if checked is None:
        return "pending", None
    return ("genuine", None) if checked.good else ("altered", checked.problem)
