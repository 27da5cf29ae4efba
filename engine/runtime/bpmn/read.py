"""Read a BPMN file without entities, network access or unbounded memory."""
from __future__ import annotations

import re

from lxml import etree

from engine.kernel.errors import DeployRefused, TooLarge
from engine.runtime.bpmn.errors import finding
from engine.runtime.bpmn.names import bpmn, local
from engine.runtime.bpmn.run_trial import MAX_BYTES

MAX_ELEMENTS = 60_000
MAX_DEPTH = 200
_DOCTYPE = re.compile(rb"<!DOCTYPE", re.IGNORECASE)
_TROUBLE = {
    "Excessive depth": "嵌套太深", "Start tag expected": "不是标签，这不像 XML", "Unsupported encoding": "声明的编码不认识", "not proper UTF-8": "有不是 UTF-8 的字节，编码声明和内容不一致",
    "Opening and ending tag mismatch": "开始和结束的标签对不上", "Premature end": "文件不完整，标签没有结束", "Extra content": "根元素之后还有内容", "not defined": "用了没有定义的前缀或实体",
    "redefined": "有重复的属性", "expected '>'": "标签没有写完", "XML declaration allowed only": "XML 声明不在开头", "huge": "内容过大",
}


def read_bpmn(data: bytes) -> etree._Element:
    """The root ``definitions`` of a BPMN 2.0 file of at most 2 MB; raises TooLarge or DeployRefused with one finding."""
    if len(data) > MAX_BYTES:
        raise TooLarge(f"流程图文件超过 {MAX_BYTES // 1024 // 1024} MB，请拆分成多个流程后再部署。")
    root = _parse(data)
    if getattr(root.getroottree().docinfo, "doctype", ""):
        raise _refused("entities", "文件带有 DOCTYPE 声明，出于安全不予读取；请用流程设计器重新导出。")
    if root.tag != bpmn("definitions"):
        raise _refused("not_bpmn", f"这不是 BPMN 2.0 文件：根元素是“{local(root)}”（命名空间 {etree.QName(root).namespace or '没有写'}），应为 BPMN 2.0 的 definitions。请用流程设计器导出 BPMN 2.0 XML。")
    _bounded(root)
    return root


def _parse(data: bytes) -> etree._Element:
    if _DOCTYPE.search(data[:4096].replace(b"\0", b"")):
        raise _refused("entities", "文件带有 DOCTYPE 声明，出于安全不予读取；请用流程设计器重新导出。")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False, remove_comments=True, remove_pis=True)
    try:
        return etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise _refused("not_xml", f"文件不是完好的 XML：{_said(error, data)}。请用流程设计器重新导出。") from None


def _said(error: Exception, data: bytes) -> str:
    """What is wrong and where, for people."""
    text = str(error)
    if not data.strip(b"\0 \r\n\t"):
        return "文件是空的"
    line, column = getattr(error, "position", (0, 0))
    where = f"第 {line} 行第 {column} 列" if line else ""
    for told, said in _TROUBLE.items():
        if told in text:
            return f"{where}{said}"
    return f"{where}读不下去（{text.split(', line ')[0][:120]}）"


def _bounded(root: etree._Element) -> None:
    count, stack = 0, [(root, 1)]
    while stack:
        element, depth = stack.pop()
        count += 1
        if depth > MAX_DEPTH:
            raise _refused("too_deep", f"文件的嵌套超过 {MAX_DEPTH} 层，请简化子流程的层次。")
        if count > MAX_ELEMENTS:
            raise _refused("too_many", f"文件的元素超过 {MAX_ELEMENTS} 个，请拆分成多个流程。")
        stack.extend((child, depth + 1) for child in element)


def _refused(rule: str, message: str) -> DeployRefused:
    return DeployRefused(message, findings=[finding("", rule, message)])
