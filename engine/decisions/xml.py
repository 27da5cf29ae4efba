"""DMN files as trees: bounded, without entities, document types or network."""
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lxml import etree

from engine.decisions.errors import DecisionError

MAX_BYTES = 5_000_000
MAX_ELEMENTS = 200_000
_MAX_DEPTH = 120
NAMESPACES = frozenset({
    "http://www.omg.org/spec/DMN/20151101/dmn.xsd", "http://www.omg.org/spec/DMN/20180521/MODEL/",
    "https://www.omg.org/spec/DMN/20191111/MODEL/", "https://www.omg.org/spec/DMN/20211108/MODEL/",
    "https://www.omg.org/spec/DMN/20230324/MODEL/", "https://www.omg.org/spec/DMN/20240513/MODEL/",
})
Element = Any


def read(xml: bytes) -> Element:
    """The root element of a DMN 1.1–1.6 file; raises DecisionError."""
    if len(xml) > MAX_BYTES:
        raise DecisionError(f"决策文件超过 {MAX_BYTES // 1_000_000} MB")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, remove_comments=True,
                             remove_pis=True, huge_tree=False)
    try:
        root = etree.fromstring(xml, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        where = "" if not xml.strip() else f"：{str(error).split(' (<string>')[0]}"
        raise DecisionError(f"决策文件不是完整的 XML{where or '：文件是空的'}") from None
    if b"<!DOCTYPE" in xml or root.getroottree().docinfo.doctype:  # type: ignore[union-attr]
        raise DecisionError("决策文件不能含有 DOCTYPE")
    name = etree.QName(root)
    if name.localname != "definitions" or name.namespace not in NAMESPACES:
        raise DecisionError("不是 DMN 决策文件：根元素应是 DMN 的 definitions")
    _bounded(root)
    return root


def _bounded(root: Element) -> None:
    depth = count = 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        count += event == "start"
        if depth > _MAX_DEPTH or count > MAX_ELEMENTS:
            raise DecisionError("决策文件太大或嵌套太深")


def tag(element: Element) -> str:
    """The name without its namespace."""
    return etree.QName(element).localname


def is_dmn(element: Element) -> bool:
    return isinstance(element.tag, str) and etree.QName(element).namespace in NAMESPACES


def kids(element: Element, *names: str) -> Iterator[Element]:
    """Children in DMN's namespace, of these names (or all)."""
    for child in element:
        if is_dmn(child) and (not names or tag(child) in names):
            yield child


def kid(element: Element, *names: str) -> Element | None:
    """The first such child, or None."""
    return next(kids(element, *names), None)


def text_of(element: Element | None) -> str:
    """The text of the ``text`` child, or of the element itself; "" when there is none."""
    if element is None:
        return ""
    inner = kid(element, "text")
    return ("".join((element if inner is None else inner).itertext()) or "").strip()


def label_of(element: Element) -> str:
    return element.get("name") or element.get("label") or element.get("id") or tag(element)
