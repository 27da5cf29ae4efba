"""X.509 certificates signed with SM2 over SM3 (GM/T 0015), issued and checked without the openssl program.

``openssl verify -vfyopt distid:1234567812345678`` accepts them.
"""
from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

from asn1crypto import core, keys, x509

from engine.kernel.gm import oids as _oids  # noqa: F401  (teaches asn1crypto the OIDs)
from engine.kernel.gm.encoding import public_key_info
from engine.kernel.gm.sm2 import sm2_sign, sm2_verify
from engine.kernel.gm.sm3 import sm3

_ALGORITHM = {"algorithm": "sm2_sm3"}


class CertificateInvalid(ValueError):
    """A certificate is broken, out of date, or not issued by our authority; the message is Chinese."""


@dataclass(frozen=True, kw_only=True)
class Authority:
    """A certificate authority: its 32-byte private key and its certificate (DER)."""

    private: bytes
    certificate: bytes


@dataclass(frozen=True, kw_only=True)
class CertificateFacts:
    """What a certificate says. Instants are aware, ``serial`` is lower-case hex, ``public`` 65 bytes."""

    name: str
    organisation: str
    issuer: str
    serial: str
    public: bytes
    valid_from: datetime
    valid_until: datetime
    is_authority: bool


def issue_root(*, private: bytes, public: bytes, name: str, valid_from: datetime, valid_until: datetime) -> bytes:
    """A self-signed authority certificate (DER) that may issue leaves only."""
    subject = _name(name, name)
    extensions = [
        _extension("basic_constraints", {"ca": True, "path_len_constraint": 0}, critical=True),
        _extension("key_usage", {"key_cert_sign", "crl_sign"}, critical=True),
        _extension("key_identifier", _key_identifier(public)),
    ]
    return _signed(private, _body(subject, subject, public, valid_from, valid_until, extensions))


def issue_leaf(*, authority: Authority, public: bytes, name: str, organisation: str, valid_from: datetime, valid_until: datetime, seals: bool = False) -> bytes:
    """A certificate (DER) for ``name`` of ``organisation``, issued by ``authority``: to sign with, or to seal for when it ``seals``."""
    issuer = x509.Certificate.load(authority.certificate)
    extensions = [
        _extension("basic_constraints", {"ca": False}, critical=True),
        _extension("key_usage", {"key_encipherment", "data_encipherment"} if seals else {"digital_signature", "non_repudiation"}, critical=True),
        _extension("key_identifier", _key_identifier(public)),
        _extension("authority_key_identifier", {"key_identifier": issuer.key_identifier}),
    ]
    body = _body(_name(name, organisation), issuer.subject, public, valid_from, valid_until, extensions)
    return _signed(authority.private, body)


def read_certificate(der: bytes) -> CertificateFacts:
    """The facts of a certificate; raises CertificateInvalid when it can't be read or its key is not SM2."""
    try:
        certificate = x509.Certificate.load(der, strict=True)
        body = certificate["tbs_certificate"]
        curve = certificate.public_key["algorithm"]["parameters"].native
        validity = body["validity"]
        subject, issuer = certificate.subject.native, certificate.issuer.native
        facts = CertificateFacts(
            name=str(subject.get("common_name", "")), organisation=str(subject.get("organization_name", "")),
            issuer=str(issuer.get("common_name", "")), serial=f"{certificate.serial_number:x}",
            public=bytes(certificate.public_key["public_key"]), valid_from=validity["not_before"].native,
            valid_until=validity["not_after"].native, is_authority=bool(certificate.ca),
        )
    except (ValueError, TypeError, KeyError) as error:
        raise CertificateInvalid("证书无法读取") from error
    if curve != "sm2p256v1":
        raise CertificateInvalid("证书的密钥不是 SM2")
    return facts


def check_issued(der: bytes, *, root: bytes, at: datetime) -> CertificateFacts:
    """The facts of a leaf that ``root`` (DER) issued and that is valid at ``at``; raises CertificateInvalid otherwise."""
    facts, issuer = read_certificate(der), read_certificate(root)
    leaf, parent = x509.Certificate.load(der), x509.Certificate.load(root)
    if leaf.issuer.dump() != parent.subject.dump():
        raise CertificateInvalid("证书不是本平台签发的")
    algorithms = {leaf["signature_algorithm"]["algorithm"].native, leaf["tbs_certificate"]["signature"]["algorithm"].native}
    if algorithms != {"sm2_sm3"}:
        raise CertificateInvalid("证书的签名算法不是 SM2")
    if not sm2_verify(issuer.public, leaf["tbs_certificate"].dump(), bytes(leaf["signature_value"])):
        raise CertificateInvalid("证书的签名不对，不是本平台签发的")
    if facts.is_authority or "digital_signature" not in (leaf.key_usage_value.native if leaf.key_usage_value else ()):
        raise CertificateInvalid("证书不是用于签名的证书")
    if not facts.valid_from <= at <= facts.valid_until:
        raise CertificateInvalid("签名时证书不在有效期内")
    return facts


def certificates_in(text: bytes) -> tuple[bytes, ...]:
    """Every certificate (DER) of a PEM text; raises ValueError for what is none."""
    from asn1crypto import pem

    return tuple(der for label, _, der in pem.unarmor(text, multiple=True) if label == "CERTIFICATE")


def to_pem(der: bytes, label: str) -> str:
    """PEM text with ``label`` such as CERTIFICATE."""
    from asn1crypto import pem

    return str(pem.armor(label, der).decode("ascii"))


def _body(
    subject: x509.Name, issuer: x509.Name, public: bytes, valid_from: datetime, valid_until: datetime, extensions: list[dict[str, object]]
) -> x509.TbsCertificate:
    return x509.TbsCertificate({
        "version": "v3", "serial_number": secrets.randbits(126) | 1 << 126, "signature": _ALGORITHM, "issuer": issuer,
        "validity": {"not_before": _time(valid_from), "not_after": _time(valid_until)}, "subject": subject,
        "subject_public_key_info": keys.PublicKeyInfo.load(public_key_info(public)), "extensions": extensions,
    })


def _signed(private: bytes, body: x509.TbsCertificate) -> bytes:
    signature = sm2_sign(private, body.dump())
    return bytes(x509.Certificate({"tbs_certificate": body, "signature_algorithm": _ALGORITHM, "signature_value": signature}).dump())


def _name(name: str, organisation: str) -> x509.Name:
    return x509.Name.build({"country_name": "CN", "organization_name": organisation[:64], "common_name": name[:64]})


def _time(at: datetime) -> x509.Time:
    at = at.astimezone(UTC).replace(microsecond=0)
    if at.year >= 2050:
        return x509.Time({"general_time": core.GeneralizedTime(at)})
    return x509.Time({"utc_time": core.UTCTime(at)})


def _extension(name: str, value: object, *, critical: bool = False) -> dict[str, object]:
    return {"extn_id": name, "critical": critical, "extn_value": value}


def _key_identifier(public: bytes) -> bytes:
    return sm3(public)[:20]
