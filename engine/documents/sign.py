"""A PDF signature: SM2 over SM3 in a CMS container, its picture at a place on the page, added as a further revision."""
from __future__ import annotations

import asyncio
import io
from dataclasses import dataclass
from datetime import UTC, datetime

from asn1crypto import algos, cms, core, x509
from PIL import Image
from pyhanko.pdf_utils.images import PdfImage
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.layout import AxisAlignment, InnerScaling, Margins, SimpleBoxLayoutRule
from pyhanko.sign.fields import SigFieldSpec
from pyhanko.sign.signers.cms_embedder import PdfCMSEmbedder, SigAppearanceSetup, SigIOSetup, SigObjSetup
from pyhanko.sign.signers.pdf_byterange import SignatureObject
from pyhanko.sign.signers.pdf_cms import Signer
from pyhanko.stamp import StaticStampStyle

from engine.documents.anchors import Place
from engine.kernel.gm import oids as _oids  # noqa: F401  (teaches asn1crypto the OIDs)
from engine.kernel.gm import sm2_sign

POINTS_PER_MM = 72 / 25.4
UNIT_SIZE_MM = (42.0, 42.0)
PERSONAL_SIZE_MM = (32.0, 11.0)
_RESERVED = 8192  # hexadecimal digits


@dataclass(frozen=True, kw_only=True)
class Stamp:
    """One signature to add. ``centred`` puts the picture's middle at the place, else its upper left corner."""

    field: str
    place: Place
    image: bytes
    private: bytes
    certificate: bytes
    name: str
    reason: str
    at: datetime
    size_mm: tuple[float, float] = UNIT_SIZE_MM
    centred: bool = True


def sign_pdf(pdf: bytes, stamp: Stamp) -> bytes:
    """``pdf`` with one more revision that holds the signature and shows its picture; earlier revisions stay byte for byte."""
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    spec = SigFieldSpec(sig_field_name=stamp.field, on_page=stamp.place.page, box=_box(stamp))
    steps = PdfCMSEmbedder(new_field_spec=spec).write_cms(field_name=stamp.field, writer=writer)
    next(steps)
    placeholder = SignatureObject(bytes_reserved=_RESERVED, timestamp=stamp.at, name=stamp.name, reason=stamp.reason)
    appearance = SigAppearanceSetup(style=_style(stamp.image), timestamp=stamp.at, name=stamp.name)
    steps.send(SigObjSetup(sig_placeholder=placeholder, appearance_setup=appearance))
    prepared, output = steps.send(SigIOSetup(md_algorithm="sm3"))
    steps.send(_container(stamp, prepared.document_digest))
    signed: bytes = output.getvalue()
    return signed


class _Sm2Signer(Signer):
    """pyHanko's port to our key: it asks for the raw signature over the signed attributes."""

    def __init__(self, private: bytes, certificate: bytes) -> None:
        super().__init__(
            signing_cert=x509.Certificate.load(certificate), signature_mechanism=algos.SignedDigestAlgorithm({"algorithm": "sm2_sm3"})
        )
        self._private = private

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:
        return bytes(72) if dry_run else sm2_sign(self._private, data)


def _container(stamp: Stamp, digest: bytes) -> cms.ContentInfo:
    signer = _Sm2Signer(stamp.private, stamp.certificate)
    return asyncio.run(signer.async_sign_prescribed_attributes("sm3", _attributes(digest, stamp.at)))


def _attributes(digest: bytes, at: datetime) -> cms.CMSAttributes:
    when = cms.Time({"utc_time": core.UTCTime(at.astimezone(UTC).replace(microsecond=0))})
    return cms.CMSAttributes([
        cms.CMSAttribute({"type": "content_type", "values": ["data"]}),
        cms.CMSAttribute({"type": "signing_time", "values": [when]}),
        cms.CMSAttribute({"type": "message_digest", "values": [digest]}),
    ])


def _style(image: bytes) -> StaticStampStyle:
    picture = Image.open(io.BytesIO(image))
    fit = SimpleBoxLayoutRule(
        x_align=AxisAlignment.ALIGN_MID, y_align=AxisAlignment.ALIGN_MID, margins=Margins.uniform(0),
        inner_content_scaling=InnerScaling.STRETCH_TO_FIT,
    )
    return StaticStampStyle(border_width=0, background=PdfImage(picture), background_opacity=1.0, background_layout=fit)


def _box(stamp: Stamp) -> tuple[int, int, int, int]:
    width, height = (side * POINTS_PER_MM for side in stamp.size_mm)
    left = stamp.place.x - width / 2 if stamp.centred else stamp.place.x
    top = stamp.place.y + height / 2 if stamp.centred else stamp.place.y
    return round(left), round(top - height), round(left + width), round(top)
