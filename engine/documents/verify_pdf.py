"""Full verification of a sealed PDF by our own code: coverage, digest, signature, certificate chain, validity."""
from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from engine.documents.extract import ExtractedSignature, SignatureBroken, extract_signatures
from engine.kernel.gm import sm2_verify, sm3
from engine.kernel.gm.certificates import CertificateInvalid, check_issued


@dataclass(frozen=True, kw_only=True)
class SignatureCheck:
    """One signature: who, when, and why it fails (``problem``, Chinese; None when it holds)."""

    signer: str
    organisation: str
    serial: str
    signed_at: datetime
    valid_until: datetime
    reason: str
    problem: str | None


@dataclass(frozen=True, kw_only=True)
class Verification:
    """``good`` when every signature holds and the last covers the whole file; ``problem`` says in Chinese what does not."""

    good: bool
    problem: str | None
    signatures: tuple[SignatureCheck, ...] = ()


def verify_pdf(pdf: bytes, *, root: bytes) -> Verification:
    """Verify every signature in ``pdf`` against the authority certificate ``root`` (DER)."""
    try:
        signatures = extract_signatures(pdf)
    except SignatureBroken as error:
        return Verification(good=False, problem=str(error))
    if not signatures:
        return Verification(good=False, problem="文件里没有电子签章")
    checks = tuple(_check(pdf, signature, root) for signature in signatures)
    if signatures[-1].end != len(pdf):
        checks = (*checks[:-1], replace(checks[-1], problem="盖章之后又追加了内容"))
    problem = next((check.problem for check in checks if check.problem), None)
    return Verification(good=problem is None, problem=problem, signatures=checks)


def _check(pdf: bytes, signature: ExtractedSignature, root: bytes) -> SignatureCheck:
    signer = signature.signer
    return SignatureCheck(
        signer=signer.name, organisation=signer.organisation, serial=signer.serial, signed_at=signature.signed_at,
        valid_until=signer.valid_until, reason=signature.reason, problem=_problem(pdf, signature, root),
    )


def _problem(pdf: bytes, signature: ExtractedSignature, root: bytes) -> str | None:
    if sm3(signature.covered(pdf)) != signature.digest:
        return "盖章之后内容被改动"
    if not sm2_verify(signature.signer.public, signature.signed_attributes, signature.signature):
        return "签名值不对"
    try:
        check_issued(signature.certificate, root=root, at=signature.signed_at)
    except CertificateInvalid as error:
        return str(error)
    return None
