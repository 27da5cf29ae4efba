"""Pages of a PDF as pictures and numbers."""
from __future__ import annotations

import io

import pypdfium2 as pdfium

from engine.kernel.errors import NotFound


def page_count(pdf: bytes) -> int:
    """How many pages a PDF has; 0 when it is none."""
    try:
        document = pdfium.PdfDocument(pdf)
    except pdfium.PdfiumError:
        return 0
    try:
        return len(document)
    finally:
        document.close()


def page_image(pdf: bytes, *, page: int, dots_per_inch: int = 110) -> bytes:
    """Page ``page`` (from 1) as PNG with the seals on it; raises NotFound beyond the last."""
    document = pdfium.PdfDocument(pdf)
    try:
        if not 1 <= page <= len(document):
            raise NotFound("没有这一页。")
        document.init_forms()
        picture = document[page - 1].render(scale=dots_per_inch / 72, may_draw_forms=True).to_pil()
    finally:
        document.close()
    out = io.BytesIO()
    picture.convert("P", palette=1, colors=128).save(out, "PNG", optimize=True)
    return out.getvalue()


def empty_page() -> bytes:
    """A PDF of one blank A4 page: the stand-in for a scan where invented cases need one."""
    out, made = io.BytesIO(), pdfium.PdfDocument.new()
    made.new_page(595, 842)
    made.save(out)
    return out.getvalue()
