"""A document template: a YAML head and a Jinja2 body in a sandbox without files."""
from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

from jinja2 import ChainableUndefined, TemplateSyntaxError, Undefined, meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from engine.documents.pieces import Pieces, parse_piece, put_in
from engine.documents.words import capital, cn_date, cn_datetime, lines, money
from engine.kernel.errors import DeployRefused
from engine.kernel.names import is_name, pack_of, qualify
from engine.packs.yaml import read_yaml

SEAL_KINDS: Mapping[str, str] = {"unit_official": "公章", "unit_enforcement": "执法专用章"}
NAMES = frozenset({"title", "signers", "data", "case", "unit", "handling_unit", "opinions", "number", "today", "anchor", "block", "image", "qr", "certificate", "range", "loop"})
HEAD_KEYS = frozenset({"title", "form", "number", "seal", "signatures", "blocks", "page", "layout", "every_page"})
LAYOUTS = frozenset({"letter", "table"})
ALL_OPINIONS = "opinions"
MAX_BYTES = 200_000


@dataclass(frozen=True, kw_only=True)
class SignatureSpec:
    """The person who did ``node`` signs at ``anchor``; ``required`` refuses to issue when that person has no signature."""

    anchor: str
    node: str
    required: bool = True


@dataclass(frozen=True, kw_only=True)
class BlockSpec:
    """A paragraph that may be corrected before sealing."""

    name: str
    title: str
    max_length: int = 2000


@dataclass(frozen=True, kw_only=True)
class PageSigner:
    """Who signs at the foot of every page but the last: the drawn signature in ``field`` of the form, or those who sign at ``anchors``."""

    title: str
    field: str = ""
    anchors: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Template:
    """What a template file says. ``number`` and ``form`` are qualified or None, ``seal`` is a key of SEAL_KINDS or None."""

    name: str
    title: str
    form: str | None
    number: str | None
    seal: str | None
    signatures: tuple[SignatureSpec, ...]
    sign_all_opinions: bool
    blocks: Mapping[str, BlockSpec]
    page: str
    layout: str
    body: str
    every_page: tuple[PageSigner, ...] = ()


@lru_cache(maxsize=500)
def parse_template(content: bytes, *, name: str, pieces: Pieces = ()) -> Template:
    """The template ``<pack>.<document>`` with ``pieces`` put in; raises DeployRefused with one finding per fault."""
    head, body = _split(content, name)
    body = put_in(body, pack=pack_of(name), pieces=pieces)
    findings = [*_head_findings(head), *_body_findings(body)]
    template = None if findings else _build(head, body, name)
    if template:
        findings = _anchor_findings(template)
    if template is None or findings:
        raise DeployRefused(f"文书模板 {name} 有 {len(findings)} 处不合要求。", findings=findings)
    return template


def check_piece(content: bytes, *, name: str) -> str:
    """The title of the piece ``<pack>.<piece>``; raises DeployRefused with one finding per fault."""
    piece = parse_piece(content, name=name)
    findings = _body_findings(piece.body, piece.values)
    if findings:
        raise DeployRefused(f"文书片段 {name} 有 {len(findings)} 处不合要求。", findings=findings)
    return piece.title


@lru_cache(maxsize=1)
def environment() -> ImmutableSandboxedEnvironment:
    """The sandbox: autoescape, no loader (so no include or extends), our filters added."""
    made = ImmutableSandboxedEnvironment(autoescape=True, loader=None, undefined=ChainableUndefined, trim_blocks=True, lstrip_blocks=True)
    for name, write in (("money", money), ("capital", capital), ("cn_date", cn_date), ("cn_datetime", cn_datetime), ("lines", lines)):
        made.filters[name] = partial(_blank_for_nothing, write)
    return made


def _blank_for_nothing(write: Callable[[Any], str], value: Any) -> str:
    """An answer that was not given prints as nothing."""
    return write(None if isinstance(value, Undefined) else value)


def _split(content: bytes, name: str) -> tuple[dict[str, Any], str]:
    if len(content) > MAX_BYTES:
        raise DeployRefused(f"文书模板 {name} 超过 {MAX_BYTES // 1000} KB。")
    try:
        lines = content.decode("utf-8-sig").splitlines(keepends=True)
    except UnicodeDecodeError:
        raise DeployRefused(f"文书模板 {name} 不是 UTF-8 编码。") from None
    marks = [index for index, line in enumerate(lines) if line.strip() == "---"][:2]
    if len(marks) < 2 or marks[0] != 0:
        raise DeployRefused(f"文书模板 {name} 开头应有两行 --- 之间的 YAML 说明。")
    head = read_yaml("".join(lines[1 : marks[1]]).encode(), file=name)
    if not isinstance(head, dict):
        raise DeployRefused(f"文书模板 {name} 的 YAML 说明应是键和值。")
    return head, "".join(lines[marks[1] + 1 :])


def _finding(element: str, message: str) -> dict[str, str]:
    return {"element": element, "rule": "document", "message": message}


def _head_findings(head: Mapping[str, Any]) -> list[dict[str, str]]:
    found = [_finding(key, f"不认识的键 {key}") for key in head if key not in HEAD_KEYS]
    if not isinstance(head.get("title"), str) or not head["title"].strip():
        found.append(_finding("title", "缺少标题 title"))
    if head.get("seal") not in (None, *SEAL_KINDS):
        found.append(_finding("seal", f"印章应是 {'、'.join(SEAL_KINDS)} 之一，或不写"))
    if head.get("page", "A4") not in ("A4", "A3"):
        found.append(_finding("page", "纸张只支持 A4、A3"))
    if head.get("layout", "letter") not in LAYOUTS:
        found.append(_finding("layout", "版式应是 letter（公文）或 table（表格）"))
    signatures = head.get("signatures", [])
    if signatures != ALL_OPINIONS and not (isinstance(signatures, list) and all(_good_signature(s) for s in signatures)):
        found.append(_finding("signatures", "signatures 应写 opinions，或 [{anchor: …, node: …}]"))
    pages = head.get("every_page", [])
    if not isinstance(pages, list) or not all(_good_page_signer(one) for one in pages):
        found.append(_finding("every_page", "every_page 应写 [{title: 谁, field: 表单里签名的字段}] 或 [{title: 谁, anchors: [落章位置]}]"))
    blocks = head.get("blocks", {})
    if not isinstance(blocks, dict) or not all(is_name(str(k)) and _good_block(v) for k, v in blocks.items()):
        found.append(_finding("blocks", "blocks 应写 {名称: 标题}，或 {名称: {title: 标题, max_length: 字数}}"))
    return found


def _good_signature(value: Any) -> bool:
    return (
        isinstance(value, dict) and {"anchor", "node"} <= set(value) <= {"anchor", "node", "required"}
        and is_name(str(value["anchor"])) and is_name(str(value["node"])) and isinstance(value.get("required", True), bool)
    )


def _good_page_signer(value: Any) -> bool:
    if not isinstance(value, dict) or not isinstance(value.get("title"), str) or set(value) not in ({"title", "field"}, {"title", "anchors"}):
        return False
    return all(is_name(str(one)) for one in value.get("anchors", [value.get("field")]))


def _good_block(value: Any) -> bool:
    if isinstance(value, str):
        return True
    known = isinstance(value, dict) and set(value) <= {"title", "max_length"}
    return known and isinstance(value.get("title"), str) and isinstance(value.get("max_length", 1), int)


def _body_findings(body: str, values: Iterable[str] = ()) -> list[dict[str, str]]:
    try:
        tree = environment().parse(body)
    except TemplateSyntaxError as error:
        return [_finding(f"第 {error.lineno} 行", f"模板写错了：{error.message}")]
    known = environment().filters
    found = [_finding(n.name, f"没有过滤器 {n.name}") for n in tree.find_all(nodes.Filter) if n.name not in known]
    if any(True for _ in meta.find_referenced_templates(tree)):
        found.append(_finding("include", '模板不能引用别的文件，只能写 {% include "<包>.<片段>" %} 引用文书片段；片段里不能再引用'))
    if found:
        return found
    unknown = sorted(meta.find_undeclared_variables(tree) - NAMES - set(values))
    return [_finding(name, f"模板里用了不存在的名称 {name}") for name in unknown]


def _build(head: Mapping[str, Any], body: str, name: str) -> Template:
    pack, signatures = pack_of(name), head.get("signatures", [])
    blocks = {key: _block(key, value) for key, value in head.get("blocks", {}).items()}
    return Template(
        name=name, title=head["title"].strip(), page=head.get("page", "A4"), layout=head.get("layout", "letter"), seal=head.get("seal"),
        form=qualify(head["form"], pack) if head.get("form") else None, body=body,
        number=qualify(head["number"], pack) if head.get("number") else None,
        sign_all_opinions=signatures == ALL_OPINIONS,
        signatures=() if signatures == ALL_OPINIONS else tuple(SignatureSpec(**s) for s in signatures),
        blocks=blocks, every_page=tuple(PageSigner(title=one["title"], field=one.get("field", ""), anchors=tuple(one.get("anchors", ()))) for one in head.get("every_page", [])),
    )


def _block(name: str, value: Any) -> BlockSpec:
    if isinstance(value, str):
        return BlockSpec(name=name, title=value)
    return BlockSpec(name=name, title=value["title"], max_length=value.get("max_length", 2000))


def _anchor_findings(template: Template) -> list[dict[str, str]]:
    """Every seal and signature needs its place in the body; opinions bring their own through ``opinion.signature``."""
    anchors, blocks = _constant_calls(template.body, "anchor"), _constant_calls(template.body, "block")
    wanted = {spec.anchor for spec in template.signatures} | ({"seal"} if template.seal else set())
    placed = anchors | ({spec.anchor for spec in template.signatures} if ".signature" in template.body else set())
    found = [_finding(name, f'正文里缺少落章位置 {{{{ anchor("{name}") }}}}') for name in sorted(wanted - placed)]
    paged = {anchor for one in template.every_page for anchor in one.anchors}
    found += [_finding(name, f"every_page 里的落章位置没有在 signatures 里声明：{name}") for name in sorted(paged - {spec.anchor for spec in template.signatures})]
    found += [_finding(name, f"正文里的 block 没有在 blocks 里声明：{name}") for name in sorted(blocks - set(template.blocks))]
    found += [_finding(name, f"blocks 里声明的段落正文没有用：{name}") for name in sorted(set(template.blocks) - blocks)]
    return found


def _constant_calls(body: str, function: str) -> set[str]:
    return {
        str(call.args[0].value)
        for call in environment().parse(body).find_all(nodes.Call)
        if isinstance(call.node, nodes.Name) and call.node.name == function and call.args and isinstance(call.args[0], nodes.Const)
    }
