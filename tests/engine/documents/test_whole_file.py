"""The whole case in one PDF."""
from __future__ import annotations

from typing import Any

import pypdfium2 as pdfium

from engine.documents.pages import page_count
from engine.documents.whole_file import Part, build_whole_file
from tests.engine.documents.test_sealing import text_of


def test_catalogue_forms_and_sealed_documents_stand_in_order_with_running_numbers(bureau: Any) -> None:
    row = bureau.sealed()
    long_form = "<table>" + "".join(f"<tr><th>第{n}项</th><td>内容</td></tr>" for n in range(70)) + "</table>"
    merged = build_whole_file(
        heading="销售不合格电动自行车案", facts=[("案号", "沪市监云案〔2026〕0317号"), ("当事人", "上海砚汀车业有限公司")],
        parts=[
            Part(title="线索登记表", html=long_form, date="2026-11-01"),
            Part(title=row.title, pdf=bureau.pdf(row), note=row.number, date="2026-11-20"),
        ],
    )
    document = pdfium.PdfDocument(merged)
    texts = [page.get_textpage().get_text_bounded() for page in document]
    pages = page_count(merged)
    assert pages > 3
    assert f"2—{pages - 1}" in texts[0].replace("\r\n", "")
    assert "卷内目录" in texts[0]
    assert row.number in texts[-1]
    assert [text.replace("\r\n", "\n").strip().split("\n") for text in texts][-1].count(str(pages)) == 1
    assert "当事人：上海砚汀车业有限公司" in text_of(merged)
    seen = document[pages - 1].render(scale=1).to_pil().convert("RGB")
    reds = sum(1 for red, green, _ in seen.getdata() if red > 150 and green < 90)
    assert reds > 300
