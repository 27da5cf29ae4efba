"""A document as a Word file: title page, chapters, tables with borders, page numbers."""
from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any

import docx
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_BREAK
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor

from engine.inspection.papers.blocks import Block

DEEPEST = 4
SMALL, DENSE = 10, 5
"""A table of more than DENSE columns is set smaller."""


def write_word(blocks: Iterable[Block], *, title: str, under: str) -> bytes:
    """``under`` stands below the title: of which platform, which version, made when."""
    paper = docx.Document()
    _dress(paper)
    top = paper.add_paragraph(style="Title")
    top.add_run(title)
    top.alignment = paper.add_paragraph(under).alignment = WD_ALIGN_PARAGRAPH.CENTER
    paper.paragraphs[-1].add_run().add_break(WD_BREAK.PAGE)
    for block in blocks:
        _write(paper, block)
    _number_pages(paper)
    kept = io.BytesIO()
    paper.save(kept)
    return kept.getvalue()


def _dress(paper: Any) -> None:
    for name in ("Normal", "Title", *(f"Heading {level}" for level in range(1, DEEPEST + 1))):
        style = paper.styles[name]
        style.font.name, style.font.color.rgb = "宋体", RGBColor(0, 0, 0)
        style.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), "宋体" if name == "Normal" else "黑体")
    paper.styles["Normal"].font.size = Pt(11)
    section = paper.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.left_margin = section.right_margin = Cm(2.5)


def _write(paper: Any, block: Block) -> None:
    if block.kind == "heading":
        paper.add_heading(block.text, level=min(block.level, DEEPEST))
    elif block.kind == "item":
        paper.add_paragraph(block.text, style="List Bullet")
    elif block.kind == "code":
        run = paper.add_paragraph().add_run(block.text)
        run.font.name, run.font.size = "Consolas", Pt(9)
    elif block.kind == "picture" and block.file is not None and block.file.exists():
        paper.add_picture(str(block.file), width=Cm(15))
        paper.add_paragraph(block.text).alignment = WD_ALIGN_PARAGRAPH.CENTER
    elif block.kind == "table":
        _table(paper, block)
    elif block.text:
        paper.add_paragraph(block.text)


def _table(paper: Any, block: Block) -> None:
    """Built as XML at once: cell by cell through the library a list of two thousand rows takes minutes."""
    made = paper.add_table(rows=0, cols=len(block.rows[0]), style="Table Grid")
    size = str((SMALL if len(block.rows[0]) <= DENSE else SMALL - 2) * 2)
    for number, row in enumerate(block.rows):
        line = OxmlElement("w:tr")
        if number == 0:
            repeat = OxmlElement("w:trPr")
            repeat.append(OxmlElement("w:tblHeader"))
            line.append(repeat)
        for text in row:
            line.append(_cell(text, size, bold=number == 0))
        made._tbl.append(line)
    paper.add_paragraph()


def _cell(text: str, size: str, *, bold: bool) -> Any:
    cell, paragraph, run, look, words = (OxmlElement(f"w:{name}") for name in ("tc", "p", "r", "rPr", "t"))
    if bold:
        look.append(OxmlElement("w:b"))
    points = OxmlElement("w:sz")
    points.set(qn("w:val"), size)
    look.append(points)
    words.text = "".join(letter for letter in text if letter >= " ")
    words.set(qn("xml:space"), "preserve")
    run.extend([look, words])
    paragraph.append(run)
    cell.append(paragraph)
    return cell


def _number_pages(paper: Any) -> None:
    foot = paper.sections[0].footer.paragraphs[0]
    foot.alignment = WD_ALIGN_PARAGRAPH.CENTER
    field = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), "PAGE")
    foot._p.append(field)
