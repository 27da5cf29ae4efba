"""Signing in with an SM2 certificate: a challenge is signed, the certificate stands below a trusted root and is bound to an account.

Trusted roots are PEM files in ``data_dir/sign_in_roots``; the platform's own root issues software certificates for the demo
city and counts until a deployment puts its own roots there. Revocation lists (X.509 CRL, ``*.crl`` in DER beside the roots)
are read at every sign-in and must be signed by the root they speak for.
"""
from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from asn1crypto import crl, pem, x509
from sqlalchemy import Connection, Row, insert, select, update
from sqlalchemy.exc import IntegrityError

from engine.access import one_time
from engine.kernel.errors import Conflict, Invalid, NotFound
from engine.kernel.gm import KeyRing, sm2_verify, sm3
from engine.kernel.gm.certificates import CertificateFacts, CertificateInvalid, check_issued, read_certificate
from engine.kernel.ids import new_id
from engine.storage.tables.organisation import account
from engine.storage.tables.sign_in import sign_in_certificate

KIND = "certificate"
LIVES = timedelta(minutes=3)
FOLDER = "sign_in_roots"
REFUSED = "证书登录没有通过。"


@dataclass(frozen=True, kw_only=True)
class Proof:
    """An account that proved itself by its certificate, or why not: ``why`` goes into the record, the reader is told ``refusal``."""

    account_id: UUID | None = None
    refusal: str = ""
    why: str = ""


def new_challenge(connection: Connection, *, site: str, browser: str, at: datetime) -> str:
    """The text to sign, for one browser of one site; it can be answered once within three minutes."""
    token = one_time.new_step(connection, kind=KIND, detail={"browser": browser, "site": site}, at=at, lives=LIVES)
    return f"guicheng-sign-in:{site}:{token}"


def prove(
    connection: Connection, keys: KeyRing, *, challenge: str, certificate: str, signature: str, site: str, browser: str, folder: Path, at: datetime
) -> Proof:
    """Check an answer. The challenge is used up whatever comes of it; nothing about the account is told before the proof is whole."""
    step = one_time.take_step(connection, kind=KIND, token=challenge.rpartition(":")[2], at=at)
    if step is None or step != {"browser": browser, "site": site} or challenge != f"guicheng-sign-in:{site}:{challenge.rpartition(':')[2]}":
        return Proof(refusal="登录用的随机数已经用过、过期或不是在这里取的，请重新登录。", why="随机数无效")
    try:
        der, signed = read_der(certificate), base64.b64decode(signature.strip(), validate=True)
        facts = check_trusted(der, keys, folder=folder, at=at)
    except CertificateInvalid as error:
        return Proof(refusal=f"{REFUSED}{error}。", why=str(error))
    except (ValueError, binascii.Error):
        return Proof(refusal=f"{REFUSED}签名无法读取。", why="签名无法读取")
    if not sm2_verify(facts.public, challenge.encode(), signed):
        return Proof(refusal=f"{REFUSED}签名与证书不符。", why="签名不符")
    t = sign_in_certificate.c
    row = connection.execute(
        select(t.account_id, t.revoked_at, account.c.active).join(account, account.c.id == t.account_id).where(t.print == sm3(der))
    ).one_or_none()
    if row is None or row.revoked_at is not None or not row.active:
        return Proof(refusal=f"{REFUSED}证书没有绑定到账号，或已停用，请联系管理员。", why="没有绑定" if row is None else "已停用")
    return Proof(account_id=row.account_id)


def read_der(text: str) -> bytes:
    """DER of a certificate in PEM or in base 64; raises CertificateInvalid."""
    try:
        raw = text.strip().encode("ascii")
        return bytes(pem.unarmor(raw)[2]) if pem.detect(raw) else base64.b64decode(raw, validate=True)
    except (ValueError, binascii.Error):
        raise CertificateInvalid("证书无法读取") from None


def check_trusted(der: bytes, keys: KeyRing, *, folder: Path, at: datetime) -> CertificateFacts:
    """The facts of a certificate below one of the trusted roots, in date and on no revocation list; raises CertificateInvalid."""
    problem = CertificateInvalid("证书不是由受信任的机构签发的")
    for root in trusted_roots(keys, folder=folder):
        try:
            facts = check_issued(der, root=root, at=at)
        except CertificateInvalid as error:
            if x509.Certificate.load(root).subject.dump() == _issuer(der):
                problem = CertificateInvalid(str(error).replace("本平台", "受信任的机构").replace("签名时证书", "证书"))
            continue
        if _is_listed(der, root, folder):
            raise CertificateInvalid("证书已被签发机构吊销")
        return facts
    raise problem


def trusted_roots(keys: KeyRing, *, folder: Path) -> list[bytes]:
    """DER of the roots in ``folder``; the platform's own where a deployment has put none."""
    found = [der for file in sorted(folder.glob("*.pem")) for _, _, der in pem.unarmor(file.read_bytes(), multiple=True)]
    return found or [keys.root.certificate]


def _issuer(der: bytes) -> bytes:
    try:
        return bytes(x509.Certificate.load(der).issuer.dump())
    except (ValueError, TypeError):
        return b""


def _is_listed(der: bytes, root: bytes, folder: Path) -> bool:
    number, issuer = x509.Certificate.load(der).serial_number, x509.Certificate.load(root)
    for file in sorted(folder.glob("*.crl")):
        listed = crl.CertificateList.load(file.read_bytes())
        body = listed["tbs_cert_list"]
        if body["issuer"].dump() != issuer.subject.dump() or not sm2_verify(read_certificate(root).public, body.dump(), bytes(listed["signature"])):
            continue
        if any(one["user_certificate"].native == number for one in body["revoked_certificates"] or ()):
            return True
    return False


def bind(connection: Connection, keys: KeyRing, *, account_id: UUID, certificate: str, folder: Path, by_name: str, at: datetime, name: str) -> CertificateFacts:
    """Bind a trusted certificate to an account; raises Invalid when it isn't ``name``'s, Conflict when it is bound already."""
    try:
        der = read_der(certificate)
        facts = check_trusted(der, keys, folder=folder, at=at)
        if facts.name != name:
            raise CertificateInvalid("证书上的姓名与账号的姓名不一致")
    except CertificateInvalid as error:
        raise Invalid(f"证书没有绑定：{error}。", fields={"certificate": f"{error}。"}) from None
    try:
        with connection.begin_nested():
            connection.execute(insert(sign_in_certificate).values(
                id=new_id(), account_id=account_id, print=sm3(der), der=der, name=facts.name, issuer=facts.issuer, serial=facts.serial, valid_until=facts.valid_until,
                at=at, by_name=by_name,
            ))
    except IntegrityError:
        raise Conflict("这张证书已经绑定过；停用过的证书不能再用，请换一张。", code="bound_already") from None
    return facts


def revoke(connection: Connection, *, certificate_id: UUID, why: str, at: datetime, account_id: UUID | None = None) -> UUID:
    """Stop a certificate for good; of ``account_id`` only, when given. Whose it was; raises NotFound."""
    t = sign_in_certificate.c
    mine = (t.account_id == account_id,) if account_id is not None else ()
    found: UUID | None = connection.scalar(
        update(sign_in_certificate).where(t.id == certificate_id, t.revoked_at.is_(None), *mine).values(revoked_at=at, revoked_why=why.strip()[:300]).returning(t.account_id)
    )
    if found is None:
        raise NotFound("没有这张证书，或它已经停用。")
    return found


def of_account(connection: Connection, *, account_id: UUID) -> list[Row[Any]]:
    """id, name, issuer, serial, valid_until, at, by_name, revoked_at, revoked_why; the newest first."""
    t = sign_in_certificate.c
    columns = (t.id, t.name, t.issuer, t.serial, t.valid_until, t.at, t.by_name, t.revoked_at, t.revoked_why)
    return list(connection.execute(select(*columns).where(t.account_id == account_id).order_by(t.at.desc())))
