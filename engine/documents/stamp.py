"""A mark across every page of a PDF that says who took this copy: drawn once as a picture, laid over the pages. Signed files are never marked."""
from __future__ import annotations

import io
import threading

import pypdfium2 as pdfium
from PIL import Image, ImageDraw

from engine.documents.drawing import font_of

_SIZE, _ANGLE, _INK = 26, 30, (90, 90, 110, 62)
_ACROSS = 0.62
"""The picture's share of a page's width; it stands twice on a page."""
_ONE_AT_A_TIME = threading.Lock()
"""PDFium may be used by one thread of a process at a time."""


def stamp(file: bytes, words: str) -> bytes:
    """``file`` with ``words`` on every page."""
    picture = _picture(words)
    with _ONE_AT_A_TIME:
        document, mark = pdfium.PdfDocument(file), pdfium.PdfDocument.new()
        try:
            _draw(mark, picture)
            once = mark.page_as_xobject(0, document)
            for page in document:
                _lay(page, once, picture.height / picture.width)
                page.close()
            out = io.BytesIO()
            document.save(out)
            return out.getvalue()
        finally:
            mark.close()
            document.close()


def _draw(mark: pdfium.PdfDocument, picture: Image.Image) -> None:
    """One page of one by one point that is nothing but the picture."""
    page, image = mark.new_page(1, 1), pdfium.PdfImage.new(mark)
    image.set_bitmap(pdfium.PdfBitmap.from_pil(picture))
    page.insert_obj(image)
    page.gen_content()
    page.close()


def _lay(page: pdfium.PdfPage, once: pdfium.PdfXObject, ratio: float) -> None:
    width, height = page.get_size()
    wide = width * _ACROSS
    for share in (0.30, 0.72):
        laid = once.as_pageobject()
        laid.set_matrix(pdfium.PdfMatrix().scale(wide, wide * ratio).translate((width - wide) / 2, height * share - wide * ratio / 2))
        page.insert_obj(laid)
    page.gen_content()


def _picture(words: str) -> Image.Image:
    """The words on nothing, aslant, with the smallest frame."""
    font = font_of("Noto Sans CJK SC", _SIZE)
    left, top, right, bottom = font.getbbox(words)
    flat = Image.new("RGBA", (int(right - left) + 8, int(bottom - top) + 8), (255, 255, 255, 0))
    ImageDraw.Draw(flat).text((4 - left, 4 - top), words, font=font, fill=_INK)
    return flat.rotate(_ANGLE, Image.Resampling.BICUBIC, expand=True)
