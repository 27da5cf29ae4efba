"""Template and snapshot to one HTML page, ready for the renderer. Pure: no database, no files but our own style sheet."""
from __future__ import annotations

import base64
import html
import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import segno
from jinja2 import TemplateError
from jinja2.sandbox import SecurityError
from markupsafe import Markup, escape

from engine.documents.template import Template, environment
from engine.kernel.errors import Invalid
from engine.kernel.names import is_name

ANCHOR_PREFIX = "gc-anchor-"
_TAGS = re.compile(r"<[^>]*>")
_BEFORE_QUOTE = re.compile("(?<=[\u3001-\u9fff，；：])(?=[“‘])")
_AFTER_QUOTE = re.compile("(?<=[”’])(?=[\u4e00-\u9fff])")


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """What a document is made from: plain JSON as stored in ``document.data``, plus number and date once issued."""

    data: Mapping[str, Any] = field(default_factory=dict)
    case: Mapping[str, Any] = field(default_factory=dict)
    unit: Mapping[str, Any] = field(default_factory=dict)
    handling_unit: Mapping[str, Any] = field(default_factory=dict)
    opinions: tuple[Mapping[str, Any], ...] = ()
    blocks: Mapping[str, str] = field(default_factory=dict)
    number: str | None = None
    today: date | None = None


@dataclass(frozen=True, kw_only=True)
class Composed:
    """The page as HTML, the anchors in it, and each correctable block's text as it stands."""

    html: str
    anchors: tuple[str, ...]
    blocks: Mapping[str, str]


def compose(
    template: Template, snapshot: Snapshot, *, check_code: str, verify_url: str, watermark: str = "",
    find_image: Callable[[str], bytes] | None = None, signed: Mapping[str, str] | None = None,
) -> Composed:
    """``watermark`` lies across every page; ``verify_url`` becomes the QR code of the last page, none when it is empty.

    ``signed`` gives the SM3 of the signature of whoever signs at an anchor, for the foot of every page where the template has one.

    Raises Invalid when the body can't be filled in with this snapshot.
    """
    marks = _Marks(snapshot, find_image, _deputies(template, snapshot.opinions))
    body = _fill(template, snapshot, marks)
    number = snapshot.number or ""
    page = _PAGE.format(
        title=escape(f"{template.title} {number}".strip()), style=_style(template, watermark), layout=template.layout,
        foot=_foot(number, strip=_strip(template, snapshot, marks, signed or {})), body=body, last=_foot(number, check_code, verify_url),
    )
    return Composed(html=page, anchors=tuple(dict.fromkeys(marks.anchors)), blocks=marks.blocks)


def simple_page(title: str, body: str) -> str:
    """A page in the table layout around ready-made HTML, without number or code: catalogues, printed forms."""
    return _PAGE.format(title=escape(title), style=_base_style(), layout="table", foot=_foot(""), body=body, last="")


def deputy_words(opinion: Mapping[str, Any]) -> str:
    """What follows the name of a deputy: for whom; '' where somebody acts in their own name."""
    return f"（代 {opinion['for']}）" if opinion.get("for") else ""


def opinion_anchor(template: Template, opinions: tuple[Mapping[str, Any], ...], index: int) -> str | None:
    """The anchor at which opinion ``index`` is signed: the last opinion of a declared node, or each one."""
    if template.sign_all_opinions:
        return f"opinion_{index}"
    node = opinions[index].get("node")
    if any(later.get("node") == node for later in opinions[index + 1 :]):
        return None
    return next((spec.anchor for spec in template.signatures if spec.node == node), None)


def _deputies(template: Template, opinions: tuple[Mapping[str, Any], ...]) -> dict[str, str]:
    """anchor → what stands behind the signature there."""
    found = {opinion_anchor(template, opinions, index): deputy_words(one) for index, one in enumerate(opinions)}
    return {anchor: words for anchor, words in found.items() if anchor and words}


class _Marks:
    """The functions that a body may call, and what they saw."""

    def __init__(self, snapshot: Snapshot, find_image: Callable[[str], bytes] | None, deputies: Mapping[str, str]) -> None:
        self.anchors: list[str] = []
        self.blocks: dict[str, str] = {}
        self._corrected = snapshot.blocks
        self._find_image = find_image
        self._deputies = deputies

    def anchor(self, name: str) -> Markup:
        if not is_name(str(name)):
            raise ValueError(f"落章位置的名称不合规：{name}")
        if name in self.anchors:
            return Markup("")
        self.anchors.append(name)
        return Markup('<span class="gc-anchor gc-anchor-{0}" id="{1}{0}"></span>{2}').format(name, ANCHOR_PREFIX, self._deputies.get(name, ""))

    def block(self, name: str, default: Any = "", caller: Callable[[], Any] | None = None) -> Markup:
        text = self._corrected.get(name)
        if text is None:
            text = _plain(caller() if caller else default)
        self.blocks[name] = text
        return Markup("").join(Markup("<p>{}</p>").format(line) for line in text.splitlines() if line.strip())

    def image(self, sm3: str, width: float = 40) -> Markup:
        """A stored picture by its SM3, or an uploaded one of the case by its id, ``width`` in mm; nothing when there is none."""
        if not sm3 or self._find_image is None:
            return Markup("")
        found = self._find_image(str(sm3))
        if not found:
            return Markup("")
        data = base64.b64encode(found).decode("ascii")
        return Markup('<img src="data:image/png;base64,{}" style="width:{}mm">').format(data, float(width))


def _fill(template: Template, snapshot: Snapshot, marks: _Marks) -> str:
    context = {
        "title": template.title, "signers": [spec.node for spec in template.signatures], "data": snapshot.data, "case": snapshot.case, "unit": snapshot.unit, "handling_unit": snapshot.handling_unit or snapshot.unit,
        "certificate": lambda person: (snapshot.data.get("$certificates") or {}).get(str(person), ""),
        "number": snapshot.number or "", "today": snapshot.today, "anchor": marks.anchor, "block": marks.block, "image": marks.image, "qr": qr_picture,
        "opinions": [_opinion(template, snapshot, marks, index) for index in range(len(snapshot.opinions))],
    }
    try:
        body = environment().from_string(template.body).render(context)
    except (TemplateError, SecurityError, ValueError, TypeError, ArithmeticError) as error:
        raise Invalid(f"文书《{template.title}》没有生成：{error}", code="document_fill") from error
    # The layout engine never breaks a line beside a quotation mark; Chinese text breaks before “ and after ”.
    return _AFTER_QUOTE.sub("&#8203;", _BEFORE_QUOTE.sub("&#8203;", body))


class _Opinion(dict[str, Any]):
    """One opinion; its signature is marked where the body prints it, else the name stands there in type."""

    def __init__(self, values: Mapping[str, Any], sign: Callable[[], Markup]) -> None:
        super().__init__(values)
        self._sign = sign

    def __getitem__(self, key: str) -> Any:
        return self._sign() if key == "signature" else super().__getitem__(key)


def _opinion(template: Template, snapshot: Snapshot, marks: _Marks, index: int) -> _Opinion:
    values = snapshot.opinions[index]
    name = opinion_anchor(template, snapshot.opinions, index)
    signed = name is not None and values.get("signed", True)
    return _Opinion(values, lambda: marks.anchor(str(name)) if signed else Markup("{}{}").format(values.get("person", ""), deputy_words(values)))


def _plain(value: Any) -> str:
    """Text without tags, one line per paragraph."""
    text = html.unescape(_TAGS.sub("", str(value))) if isinstance(value, Markup) else str(value)
    return "\n".join(line.strip() for line in text.splitlines() if line.strip())


def _strip(template: Template, snapshot: Snapshot, marks: _Marks, signed: Mapping[str, str]) -> Markup:
    """Who signs each page (逐页签名), at its foot; the last page bears the signatures themselves."""
    made = Markup("")
    for one in template.every_page:
        drawn = [snapshot.data.get(one.field)] if one.field else [signed.get(anchor) for anchor in one.anchors]
        pictures = Markup("").join(marks.image(str(sm3), 22) if sm3 else Markup('<i class="gc-blank"></i>') for sm3 in drawn)
        made += Markup("<span>{}：{}</span>").format(one.title, pictures)
    return Markup('<div class="gc-every">{}</div>').format(made) if made else made


def _foot(number: str, check_code: str = "", verify_url: str = "", *, strip: Markup = Markup("")) -> str:  # noqa: B008 - a constant
    line = strip + Markup("<span>{}</span>").format(number)
    if not verify_url:
        return f'<div class="gc-foot">{line}</div>'
    words = Markup("<span>{}<br>扫码核验真伪<br>核验码 {}</span>").format(number, check_code)
    return f'<div class="gc-foot gc-foot-last"><img class="gc-qr" alt="核验二维码" src="{qr_data_uri(verify_url)}">{words}</div>'


def qr_picture(text: Any, width: float = 30) -> Markup:
    """The QR code of ``text``, ``width`` in mm; nothing without a text."""
    return Markup('<img class="gc-code" alt="二维码" src="{}" style="width:{}mm">').format(qr_data_uri(str(text)), float(width)) if text else Markup("")


def qr_data_uri(text: str) -> str:
    """The QR code of ``text`` as an SVG data URI, error correction M, quiet zone of 2."""
    out = io.BytesIO()
    segno.make(text, error="m", micro=False).save(out, kind="svg", border=2, xmldecl=False, svgns=True, omitsize=True)
    return "data:image/svg+xml;base64," + base64.b64encode(out.getvalue()).decode("ascii")


@cache
def _base_style() -> str:
    return (Path(__file__).parent / "style.css").read_text(encoding="utf-8")


def _style(template: Template, watermark: str) -> str:
    style = _base_style() + f"@page {{ size: {template.page} portrait }}\n"
    if watermark:
        svg = _WATERMARK.format(escape(watermark))
        style += f'@page {{ background: url("data:image/svg+xml,{quote(svg)}") center / 100% 100% no-repeat }}\n'
    return style


_WATERMARK = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 210 297"><text x="105" y="165" transform="rotate(-24 105 160)" '
    'text-anchor="middle" font-family="Noto Serif CJK SC" font-size="34" letter-spacing="10" fill="#f1f1f1">{}</text></svg>'
)
_PAGE = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><title>{title}</title><style>{style}</style></head>
<body class="gc-{layout}">{foot}
{body}
{last}</body></html>
"""
