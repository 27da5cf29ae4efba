"""The whole case as one PDF: a catalogue, then forms and documents, with running page numbers.

The copy carries the seals as pictures only; each original stays the one that is verified. Workers only, for the HTML parts.
"""
from __future__ import annotations

import ctypes
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
from markupsafe import Markup, escape

from engine.documents.compose import simple_page
from engine.documents.pages import page_count
from engine.documents.render import render_pdf

_RIGHT, _TOP, _SIZE = 40.0, 34.0, 11.0


@dataclass(frozen=True, kw_only=True)
class Part:
    """One entry of the catalogue: ``html`` (the inside of a page, to be rendered) or ``pdf`` (a finished file).

    ``date`` and ``note`` stand in the catalogue as they are given, e.g. ``2026-11-20`` and a document's number.
    """

    title: str
    html: str | None = None
    pdf: bytes | None = None
    date: str = ""
    note: str = ""


def build_whole_file(*, heading: str, facts: Sequence[tuple[str, str]], parts: Sequence[Part], fonts: Path | None = None) -> bytes:
    """The merged PDF. ``facts`` are label and value pairs under the heading (案号, 当事人, …); parts keep their order."""
    files = [part.pdf if part.pdf is not None else render_pdf(simple_page(part.title, part.html or ""), fonts=fonts) for part in parts]
    lengths = [page_count(file) for file in files]
    catalogue = _catalogue(heading, facts, parts, lengths, 1, fonts)
    pages = page_count(catalogue)
    if pages > 1:
        catalogue = _catalogue(heading, facts, parts, lengths, pages, fonts)
    return _merge([catalogue, *files])


def _catalogue(
    heading: str, facts: Sequence[tuple[str, str]], parts: Sequence[Part], lengths: Sequence[int], own_pages: int, fonts: Path | None
) -> bytes:
    rows, page = [], own_pages + 1
    for index, (part, length) in enumerate(zip(parts, lengths, strict=True), start=1):
        span = str(page) if length == 1 else f"{page}—{page + length - 1}"
        cells = (str(index), part.title, part.note, part.date, span if length else "缺")
        rows.append("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>")
        page += length
    head = "".join(f"<p class='n'>{escape(label)}：{escape(value)}</p>" for label, value in facts if value)
    table = (
        "<table class='catalogue'><thead><tr><th style='width:3em'>序号</th><th style='width:auto'>材料名称</th><th>文号</th>"
        f"<th>日期</th><th style='width:4em'>页次</th></tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )
    body = Markup("<h1>{}</h1><p class='number'>卷内目录</p>").format(heading) + Markup(head) + Markup(table)
    return render_pdf(simple_page(heading, body), fonts=fonts)


def _merge(files: Sequence[bytes]) -> bytes:
    merged = pdfium.PdfDocument.new()
    try:
        for file in files:
            _append(merged, file)
        font = pdfium_c.FPDFText_LoadStandardFont(merged, b"Helvetica")
        for index in range(len(merged)):
            _number(merged, index, font)
        pdfium_c.FPDFFont_Close(font)
        out = io.BytesIO()
        merged.save(out)
        return out.getvalue()
    finally:
        merged.close()


def _append(merged: pdfium.PdfDocument, file: bytes) -> None:
    """Add every page, with seals pressed into the page: a merged file has no signature fields of its own."""
    source = pdfium.PdfDocument(file)
    try:
        source.init_forms()
        for page in source:
            pdfium_c.FPDFPage_Flatten(page, pdfium_c.FLAT_NORMALDISPLAY)
            page.close()
        merged.import_pages(source)
    finally:
        source.close()


def _number(merged: pdfium.PdfDocument, index: int, font: object) -> None:
    """The running number in the upper right corner."""
    page = merged[index]
    width, height = page.get_size()
    text = pdfium_c.FPDFPageObj_CreateTextObj(merged, font, _SIZE)
    words = (str(index + 1) + "\0").encode("utf-16-le")
    pdfium_c.FPDFText_SetText(text, ctypes.cast(ctypes.create_string_buffer(words), ctypes.POINTER(ctypes.c_ushort)))
    pdfium_c.FPDFPageObj_Transform(text, 1, 0, 0, 1, width - _RIGHT, height - _TOP)
    pdfium_c.FPDFPage_InsertObject(page, text)
    pdfium_c.FPDFPage_GenerateContent(page)
    page.close()
