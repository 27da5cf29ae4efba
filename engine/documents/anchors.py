"""Where in a PDF the anchors of its template are: named destinations that the renderer wrote."""
from __future__ import annotations

import ctypes
from dataclasses import dataclass

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from engine.documents.compose import ANCHOR_PREFIX


@dataclass(frozen=True, kw_only=True)
class Place:
    """A point on a page: ``page`` from 0, ``x`` and ``y`` in points from the lower left corner."""

    page: int
    x: float
    y: float


def find_anchors(pdf: bytes) -> dict[str, Place]:
    """Every anchor of the document by its name."""
    document = pdfium.PdfDocument(pdf)
    try:
        found = {}
        for index in range(pdfium_c.FPDF_CountNamedDests(document)):
            name, destination = _named_destination(document, index)
            if name.startswith(ANCHOR_PREFIX):
                place = _place(document, destination)
                if place:
                    found[name.removeprefix(ANCHOR_PREFIX)] = place
        return found
    finally:
        document.close()


def _named_destination(document: pdfium.PdfDocument, index: int) -> tuple[str, object]:
    size = ctypes.c_long(0)
    pdfium_c.FPDF_GetNamedDest(document, index, None, size)
    buffer = ctypes.create_string_buffer(max(size.value, 2))
    destination = pdfium_c.FPDF_GetNamedDest(document, index, buffer, size)
    return buffer.raw[: max(size.value - 2, 0)].decode("utf-16-le"), destination


def _place(document: pdfium.PdfDocument, destination: object) -> Place | None:
    page = pdfium_c.FPDFDest_GetDestPageIndex(document, destination)
    has_x, has_y, has_zoom = ctypes.c_int(), ctypes.c_int(), ctypes.c_int()
    x, y, zoom = ctypes.c_float(), ctypes.c_float(), ctypes.c_float()
    good = pdfium_c.FPDFDest_GetLocationInPage(destination, has_x, has_y, has_zoom, x, y, zoom)
    if page < 0 or not good or not has_x.value or not has_y.value:
        return None
    return Place(page=page, x=x.value, y=y.value)
