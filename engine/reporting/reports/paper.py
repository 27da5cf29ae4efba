"""A report on paper: the same blocks as HTML for the PDF and as a Word file. Charts are drawn here, as SVG; in Word their figures stand as a table with bars."""
from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import docx
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml.ns import qn
from docx.shared import Pt

from engine.reporting.reports.text import Block

WIDTH, LINE, NAME = 640, 26, 150
DENSE = 7
"""A table with more columns is set smaller."""
TALL = 220
SERIF = '"仿宋_GB2312", FangSong_GB2312, "仿宋", FangSong, STFangsong, "Noto Serif CJK SC", serif'
STYLE = """
@page { size: A4; margin: 32mm 26mm 28mm 28mm; @bottom-center { content: "— " counter(page) " —"; font-size: 10.5pt } @top-right { content: "%(mark)s"; font-size: 8pt; color: #555 } }
html { font-family: %(serif)s; color: #000; font-size: 15pt; line-height: 1.8 }
h1 { font-size: 20pt; text-align: center; margin: 0 0 14pt; line-height: 1.4 } h2 { font-size: 16pt; margin: 10pt 0 4pt } p { margin: 0; text-indent: 2em; text-align: justify }
table { border-collapse: collapse; width: 100%%; margin: 6pt 0 12pt; font-size: 11pt; line-height: 1.4 } th, td { border: .6pt solid #000; padding: 3pt 6pt } td.n, th.n { text-align: right } td.w, th.w { white-space: nowrap } tr { break-inside: avoid } h2, .caption { break-after: avoid }
.dense { font-size: 8.5pt } .dense th, .dense td { padding: 3pt 3pt } td.t, th.t { text-align: left }
.caption { text-align: center; text-indent: 0; font-size: 11pt; margin-top: 8pt } svg { display: block; margin: 0 auto 10pt; width: 100%% }
"""


def html_of(blocks: Sequence[Block], parts: Mapping[str, Any], *, title: str, mark: str) -> str:
    """The whole page; ``parts`` is the snapshot's tables and charts, ``mark`` says who issued it and when."""
    body = "".join(_html(block, parts) for block in blocks)
    style = STYLE % {"mark": mark.replace("\\", "").replace('"', ""), "serif": SERIF}
    return f'<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>{escape(title)}</title><style>{style}</style></head><body>{body}</body></html>'


def body_of(blocks: Sequence[Block], parts: Mapping[str, Any]) -> str:
    """The blocks alone, for the page in the browser."""
    return "".join(_html(block, parts) for block in blocks)


def _html(block: Block, parts: Mapping[str, Any]) -> str:
    if block.kind != "part":
        return f"<{block.kind}>{escape(block.text)}</{block.kind}>"
    part = parts.get(block.text)
    if part is None:
        return f"<p>（没有{escape(block.text)}）</p>"
    caption = f'<p class="caption">{escape(block.text)}　{escape(part["title"])}</p>'
    return caption + (_table(part) if part["kind"] == "table" else svg_of(part))


def _table(part: Mapping[str, Any]) -> str:
    def kind(place: int) -> str:
        return "w" if place in part.get("names", ()) else "t" if place in (0, *part.get("words", ())) else "n"

    heads = "".join(f'<th class="{kind(place)}">{escape(head)}</th>' for place, head in enumerate(part["heads"]))
    rows = "".join("<tr>" + "".join(f'<td class="{kind(place)}">{escape(cell)}</td>' for place, cell in enumerate(row)) + "</tr>" for row in part["rows"])
    dense = " dense" if len(part["heads"]) > DENSE else ""
    return f'<div class="wide-table" tabindex="0" role="region" aria-label="{escape(part["title"])}"><table class="table{dense}"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'


def svg_of(part: Mapping[str, Any]) -> str:
    """Lying bars, or a line over time, as inline SVG without anything from outside."""
    return _line_svg(part) if part["kind"] == "line" else _bar_svg(part)


def _bar_svg(part: Mapping[str, Any]) -> str:
    values = [float(value or 0) for value in part["values"]]
    most = max([*values, 1e-9])
    rows = []
    for place, (label, value, said) in enumerate(zip(part["labels"], values, part["said"], strict=True)):
        y = place * LINE
        length = max(value, 0) / most * (WIDTH - NAME - 90)
        rows.append(
            f'<text x="{NAME - 8}" y="{y + 17}" text-anchor="end">{escape(label[:11])}</text><rect x="{NAME}" y="{y + 5}" width="{length:.1f}" height="15" fill="#143f7d"/>'
            f'<text x="{NAME + length + 6:.1f}" y="{y + 17}">{escape(said)}</text>'
        )
    return _svg(part, "".join(rows), max(len(values) * LINE, LINE))


def _line_svg(part: Mapping[str, Any]) -> str:
    values = [float(value or 0) for value in part["values"]]
    most, step = max([*values, 1e-9]), (WIDTH - 40) / max(len(values) - 1, 1)
    points = [(20 + place * step, TALL - 40 - value / most * (TALL - 70)) for place, value in enumerate(values)]
    skip = max(1, len(values) // 8)
    words = "".join(
        f'<text x="{x:.1f}" y="{TALL - 16}" text-anchor="middle">{escape(part["labels"][place][-7:])}</text><text x="{x:.1f}" y="{y - 7:.1f}" text-anchor="middle">{escape(part["said"][place])}</text>'
        for place, (x, y) in enumerate(points) if place % skip == 0 or place == len(points) - 1
    )
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return _svg(part, f'<line x1="20" y1="{TALL - 40}" x2="{WIDTH - 20}" y2="{TALL - 40}" stroke="#888"/><polyline points="{line}" fill="none" stroke="#143f7d" stroke-width="2"/>{words}', TALL)


def _svg(part: Mapping[str, Any], inner: str, height: int) -> str:
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(part["title"])}" font-size="12">{inner}</svg>'


def word_of(blocks: Sequence[Block], parts: Mapping[str, Any], *, title: str, mark: str) -> bytes:
    """The same as a Word file."""
    paper = docx.Document()
    paper.core_properties.title = title
    normal = paper.styles["Normal"]
    normal.font.name, normal.font.size = "仿宋_GB2312", Pt(15)
    normal.element.rPr.rFonts.set(qn("w:eastAsia"), "仿宋_GB2312")
    paper.sections[0].header.paragraphs[0].text = mark
    for block in blocks:
        if block.kind in ("h1", "h2"):
            heading = paper.add_paragraph()
            heading.alignment = WD_ALIGN_PARAGRAPH.CENTER if block.kind == "h1" else WD_ALIGN_PARAGRAPH.LEFT
            run = heading.add_run(block.text)
            run.bold, run.font.size = True, Pt(20 if block.kind == "h1" else 16)
        elif block.kind == "p":
            paper.add_paragraph(block.text).paragraph_format.first_line_indent = Pt(30)
        elif block.text in parts:
            _word_part(paper, block.text, parts[block.text])
    held = io.BytesIO()
    paper.save(held)
    return held.getvalue()


def _word_part(paper: Any, name: str, part: Mapping[str, Any]) -> None:
    paper.add_paragraph(f"{name}　{part['title']}").alignment = WD_ALIGN_PARAGRAPH.CENTER
    heads, rows = (part["heads"], part["rows"]) if part["kind"] == "table" else _as_rows(part)
    table = paper.add_table(rows=1, cols=len(heads), style="Table Grid")
    size = Pt(8) if len(heads) > DENSE else Pt(10.5)
    for cell, head in zip(table.rows[0].cells, heads, strict=True):
        _set(cell, head, size, bold=True)
    for row in rows:
        for cell, text in zip(table.add_row().cells, row, strict=True):
            _set(cell, text, size)


def _set(cell: Any, text: str, size: Any, *, bold: bool = False) -> None:
    run = cell.paragraphs[0].add_run(text)
    run.font.size, run.bold = size, bold


def _as_rows(part: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    most = max([float(value or 0) for value in part["values"]] or [0]) or 1.0
    bars = ["█" * round(max(float(value or 0), 0) / most * 16) for value in part["values"]]
    return ["", part["unit"] or "数", ""], [[label, said, bar] for label, said, bar in zip(part["labels"], part["said"], bars, strict=True)]
