"""A graph of a case as ``processes/<pack>/graphs/<name>.yaml`` declares it; docs/content.md is the grammar."""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.expressions import compile_expression
from engine.expressions.errors import FeelError
from engine.kernel.errors import DeployRefused
from engine.kernel.names import is_name, pack_of, qualify
from engine.packs.yaml import read_yaml
from engine.registers.declaration import Register

KEYS = {"title", "kind", "told_with", "nodes", "edges", "words"}
SOURCES: Mapping[str, tuple[set[str], set[str]]] = {
    "parties": (set(), set()),
    "record": ({"register", "field"}, {"beside"}),
    "answers": ({"forms", "field"}, {"dictionary"}),
    "detail": ({"of", "key"}, set()),
    "paper": ({"templates", "field"}, set()),
    "documents": ({"templates"}, set()),
    "clocks": ({"clocks"}, set()),
    "right": ({"text", "law"}, {"how", "clock", "when"}),
}
"""Source → (what it must say, what it may say) beside title, source and told."""
LONGEST = 24
Known = Callable[[str, str], bool]


@dataclass(frozen=True, kw_only=True)
class Group:
    """Nodes of one kind. ``told``: what of it a party reads: None nothing, () all, else these fields of the record only.

    ``more`` holds what the source needs (register, field, beside, forms, dictionary, of, key, templates, clocks, text, law, how, clock, when).
    """

    name: str
    title: str
    source: str
    told: tuple[str, ...] | None
    more: Mapping[str, Any]
    level: int = 0


@dataclass(frozen=True, kw_only=True)
class Edge:
    """Every node of ``start`` hangs together with every node of ``end``."""

    start: str
    end: str
    title: str


@dataclass(frozen=True, kw_only=True)
class Saying:
    """One paragraph of the explanation to a party: ``say`` is FEEL over the groups, told when ``when`` holds."""

    title: str
    say: str
    when: str


@dataclass(frozen=True, kw_only=True)
class Graph:
    """``told_with``: the documents with which a party gets its explanation; empty means never."""

    name: str
    title: str
    kind: str
    told_with: tuple[str, ...]
    groups: Mapping[str, Group]
    edges: tuple[Edge, ...]
    words: tuple[Saying, ...]


def parse_graph(content: bytes, *, name: str, register: Callable[[str], Register | None], known: Known) -> Graph:
    """The graph in ``content``; ``known(kind, name)`` says whether a document or form is there. Raises DeployRefused with a finding per fault."""
    raw, pack, faults = read_yaml(content, file=f"graphs/{name}.yaml"), pack_of(name), list[str]()
    raw = raw if isinstance(raw, Mapping) else {}
    if not raw.get("title") or not isinstance(raw.get("kind"), str) or set(raw) - KEYS:
        faults.append(f"图谱要写 title、kind（哪一类案件），可写 {'、'.join(sorted(KEYS))}。")
    nodes = raw.get("nodes")
    if not isinstance(nodes, Mapping) or not nodes or len(nodes) > LONGEST:
        faults.append(f"nodes 写 1 到 {LONGEST} 组节点。")
        nodes = {}
    groups = {str(one): _group(str(one), told, pack, nodes, register, known, faults) for one, told in nodes.items()}
    edges = tuple(_edge(one, groups, faults) for one in _list(raw.get("edges"), "edges", faults))
    words = tuple(_saying(one, groups, faults) for one in _list(raw.get("words"), "words", faults))
    told_with = _templates(raw.get("told_with") or [], pack, known, "told_with", faults)
    levels = _levels(groups, edges, faults)
    if faults:
        raise DeployRefused(f"图谱 {name} 有 {len(faults)} 处不合要求：{faults[0]}", findings=[{"element": name, "rule": "graph", "message": one} for one in faults])
    placed = {one: Group(**{**vars(group), "level": levels[one]}) for one, group in groups.items()}
    return Graph(name=name, title=str(raw["title"]), kind=qualify(raw["kind"], pack), told_with=told_with, groups=placed, edges=edges, words=words)


def _list(raw: Any, what: str, faults: list[str]) -> list[Mapping[str, Any]]:
    found = raw or []
    if not isinstance(found, list) or not all(isinstance(one, Mapping) for one in found):
        faults.append(f"{what} 写成列表，每项是一组键值。")
        return []
    return found


def _group(name: str, raw: Any, pack: str, nodes: Mapping[str, Any], register: Callable[[str], Register | None], known: Known, faults: list[str]) -> Group:
    raw = raw if isinstance(raw, Mapping) else {}
    source = str(raw.get("source"))
    if not is_name(name) or source not in SOURCES or not raw.get("title"):
        faults.append(f"节点 {name} 要写 title 和 source（{'、'.join(SOURCES)} 之一），名称用小写字母和下划线。")
        return Group(name=name, title="", source="parties", told=None, more={})
    must, may = SOURCES[source]
    given = set(raw) - {"title", "source", "told"}
    if must - given or given - must - may:
        faults.append(f"节点 {name}（{source}）要写 {'、'.join(sorted(must)) or '不用别的'}，可写 {'、'.join(sorted(may)) or '没有'}。")
    more = {key: value for key, value in raw.items() if key in must | may}
    if source == "record":
        more["register"] = _check_record(name, more, pack, register, raw.get("told"), faults)
    if "templates" in must:
        more["templates"] = _templates(more.get("templates"), pack, known, f"节点 {name} 的 templates", faults)
    if source == "clocks":
        more["clocks"] = tuple(qualify(str(one), pack) for one in more.get("clocks") or [])
    if more.get("clock"):
        more["clock"] = qualify(str(more["clock"]), pack)
    if source == "answers":
        more["forms"] = _known_names(more.get("forms"), pack, known, "form", f"节点 {name} 的 forms", faults)
        more["dictionary"] = qualify(str(more["dictionary"]), pack) if more.get("dictionary") else None
    if source == "detail" and (nodes.get(str(more.get("of"))) or {}).get("source") not in ("record", "answers"):
        faults.append(f"节点 {name} 的 of 写一个 source 是 record 或者 answers 的节点：它的字典里取 key。")
    if "when" in more:
        _feel(more["when"], set(nodes), f"节点 {name} 的 when", faults)
    return Group(name=name, title=str(raw["title"]), source=source, told=_told(raw.get("told"), name, faults), more=more)


def _told(raw: Any, name: str, faults: list[str]) -> tuple[str, ...] | None:
    if raw in (None, False):
        return None
    if raw is True:
        return ()
    if isinstance(raw, list) and raw:
        return tuple(str(one) for one in raw)
    faults.append(f"节点 {name} 的 told 写 true，或者写当事人看得到的字段的列表。")
    return None


def _check_record(name: str, more: Mapping[str, Any], pack: str, register: Callable[[str], Register | None], told: Any, faults: list[str]) -> str:
    full = qualify(str(more.get("register")), pack)
    found = register(full)
    wanted = [more.get("field"), *(more.get("beside") or []), *(told if isinstance(told, list) else [])]
    if found is None or found.case == "none":
        faults.append(f"节点 {name}：没有台账 {full}，或者它不随案件。")
    elif missing := [str(one) for one in wanted if one not in found.fields or found.fields[str(one)].encrypt]:
        faults.append(f"节点 {name}：台账 {full} 没有字段 {'、'.join(missing)}，或者它是加密的。")
    return full


def _templates(raw: Any, pack: str, known: Known, what: str, faults: list[str]) -> tuple[str, ...]:
    return _known_names(raw, pack, known, "document", what, faults)


def _known_names(raw: Any, pack: str, known: Known, kind: str, what: str, faults: list[str]) -> tuple[str, ...]:
    names = tuple(qualify(str(one), pack) for one in raw) if isinstance(raw, list) else ()
    if not isinstance(raw, list) or (missing := [one for one in names if not known(kind, one)]):
        faults.append(f"{what} 写{'文书' if kind == 'document' else '表单'}的列表；没有：{'、'.join(missing) if isinstance(raw, list) else raw}。")
    return names


def _edge(raw: Mapping[str, Any], groups: Mapping[str, Group], faults: list[str]) -> Edge:
    ends = [str(raw.get("from")), str(raw.get("to"))]
    if set(raw) != {"from", "to", "title"} or any(one not in groups for one in ends):
        faults.append(f"边要写 from、to（都是 nodes 里的名称）和 title：{dict(raw)}")
    return Edge(start=ends[0], end=ends[1], title=str(raw.get("title", "")))


def _saying(raw: Mapping[str, Any], groups: Mapping[str, Group], faults: list[str]) -> Saying:
    if set(raw) - {"title", "say", "when"} or not raw.get("title") or not raw.get("say"):
        faults.append("words 的每段要写 title 和 say（FEEL），可写 when。")
    for key in ("say", "when"):
        if raw.get(key):
            _feel(raw[key], {*groups}, f"“{raw.get('title')}”的 {key}", faults)
    return Saying(title=str(raw.get("title", "")), say=str(raw.get("say", "null")), when=str(raw.get("when", "true")))


def _feel(text: Any, names: set[str], where: str, faults: list[str]) -> None:
    try:
        unknown = compile_expression(str(text), names=names | {"bureau"}).names - names - {"bureau"}
    except FeelError as error:
        faults.append(f"{where} 不是 FEEL：{error}")
        return
    if unknown:
        faults.append(f"{where} 里有认不出的名称：{'、'.join(sorted(unknown))}。")


def _levels(groups: Mapping[str, Group], edges: Sequence[Edge], faults: list[str]) -> dict[str, int]:
    """Group → its column: one beyond the furthest that leads to it."""
    levels = dict.fromkeys(groups, 0)
    for _ in groups:
        moved = {edge.end: levels[edge.start] + 1 for edge in edges if edge.end in levels and levels.get(edge.start, -1) >= levels[edge.end]}
        if not moved:
            return levels
        levels.update(moved)
    faults.append("edges 不能绕成圈。")
    return levels
