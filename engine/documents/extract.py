"""What the signatures in a PDF say, taken out so that any other program can check them.

``openssl dgst -sm3 -verify public.pem -sigopt distid:1234567812345678 -signature signature.der attributes.der`` checks one
when ``attributes.der`` holds ``signed_attributes`` and ``signature.der`` holds ``signature``.
"""
from __future__ import annotations

import ctypes
import re
from dataclasses import dataclass
from datetime import datetime

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
from asn1crypto import cms

from engine.kernel.gm import oids as _oids  # noqa: F401  (teaches asn1crypto the OIDs)
from engine.kernel.gm.certificates import CertificateFacts, CertificateInvalid, read_certificate

_HEX = re.compile(rb"<([0-9A-Fa-f]*)>\Z")


class SignatureBroken(ValueError):
    """A signature is not in the form that this platform writes; the message is Chinese."""


@dataclass(frozen=True, kw_only=True)
class ExtractedSignature:
    """One signature. ``signed_attributes`` is the DER ``SET OF`` that was signed, ``signature`` DER ``{r, s}``.

    ``digest`` is the SM3 that the signer says the covered bytes have, ``byte_range`` the four numbers that name those bytes.
    """

    byte_range: tuple[int, int, int, int]
    digest: bytes
    signed_attributes: bytes
    signature: bytes
    certificate: bytes
    signer: CertificateFacts
    signed_at: datetime
    reason: str

    def covered(self, pdf: bytes) -> bytes:
        """The bytes that the digest is over."""
        start, length, resume, rest = self.byte_range
        return pdf[start : start + length] + pdf[resume : resume + rest]

    @property
    def end(self) -> int:
        """How far into the file this signature reaches."""
        return self.byte_range[2] + self.byte_range[3]


def extract_signatures(pdf: bytes) -> list[ExtractedSignature]:
    """Every signature, in the order they were made; raises SignatureBroken when one can't be read."""
    try:
        document = pdfium.PdfDocument(pdf)
    except pdfium.PdfiumError as error:
        raise SignatureBroken("这不是一个完整的 PDF 文件") from error
    try:
        count = pdfium_c.FPDF_GetSignatureCount(document)
        found = [_read(pdf, pdfium_c.FPDF_GetSignatureObject(document, index)) for index in range(max(count, 0))]
    finally:
        document.close()
    return sorted(found, key=lambda signature: signature.end)


def _read(pdf: bytes, handle: object) -> ExtractedSignature:
    byte_range = _byte_range(handle)
    container = _container(pdf, byte_range, _contents(handle))
    try:
        return _parse(container, byte_range, _reason(handle))
    except (ValueError, TypeError, KeyError, IndexError, CertificateInvalid) as error:
        raise SignatureBroken("签名数据无法读取") from error


def _byte_range(handle: object) -> tuple[int, int, int, int]:
    numbers = (ctypes.c_int * 4)()
    if pdfium_c.FPDFSignatureObj_GetByteRange(handle, numbers, 4) != 4:
        raise SignatureBroken("签名没有写明它覆盖的范围")
    return numbers[0], numbers[1], numbers[2], numbers[3]


def _contents(handle: object) -> bytes:
    size = pdfium_c.FPDFSignatureObj_GetContents(handle, None, 0)
    buffer = ctypes.create_string_buffer(max(size, 1))
    pdfium_c.FPDFSignatureObj_GetContents(handle, buffer, size)
    return buffer.raw[:size]


def _reason(handle: object) -> str:
    size = pdfium_c.FPDFSignatureObj_GetReason(handle, None, 0)
    buffer = ctypes.create_string_buffer(max(size, 2))
    pdfium_c.FPDFSignatureObj_GetReason(handle, buffer, size)
    return buffer.raw[: max(size - 2, 0)].decode("utf-16-le", "replace")


def _container(pdf: bytes, byte_range: tuple[int, int, int, int], contents: bytes) -> bytes:
    """The CMS bytes, once the gap in the covered range is known to hold them and nothing else."""
    start, length, resume, rest = byte_range
    if start != 0 or length <= 0 or rest <= 0 or resume <= length or resume + rest > len(pdf):
        raise SignatureBroken("签名覆盖的范围不对")
    gap = _HEX.match(pdf[length:resume])
    if not gap or len(gap[1]) % 2 or bytes.fromhex(gap[1].decode("ascii")) != contents:
        raise SignatureBroken("签名所在的位置被改动")
    return contents


def _parse(container: bytes, byte_range: tuple[int, int, int, int], reason: str) -> ExtractedSignature:
    content = cms.ContentInfo.load(container)
    length = len(content.dump())
    if any(container[length:]) or content["content_type"].native != "signed_data":
        raise ValueError("bytes after the container")
    data = content["content"]
    (info,) = data["signer_infos"]
    if info["digest_algorithm"]["algorithm"].native != "sm3" or info["signature_algorithm"]["algorithm"].native != "sm2_sm3":
        raise ValueError("not SM2 over SM3")
    attributes = {attribute["type"].native: attribute["values"] for attribute in info["signed_attrs"]}
    if len(attributes) != len(info["signed_attrs"]) or attributes["content_type"][0].native != "data":
        raise ValueError("signed attributes")
    certificate = _certificate(data, info["sid"])
    return ExtractedSignature(
        byte_range=byte_range, digest=bytes(attributes["message_digest"][0]), signed_attributes=b"\x31" + info["signed_attrs"].dump()[1:],
        signature=bytes(info["signature"]), certificate=certificate, signer=read_certificate(certificate),
        signed_at=attributes["signing_time"][0].native, reason=reason,
    )


def _certificate(data: cms.SignedData, signer: cms.SignerIdentifier) -> bytes:
    wanted = signer.chosen
    for choice in data["certificates"]:
        certificate = choice.chosen
        if certificate.issuer == wanted["issuer"] and certificate.serial_number == wanted["serial_number"].native:
            return bytes(certificate.dump())
    raise ValueError("the signer's certificate is missing")
