"""A register as its YAML declares it: fields, types, what is listed, searched, encrypted, masked."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from engine.kernel.errors import DeployRefused
from engine.kernel.names import is_name, name_of, pack_of, qualify
from engine.packs.yaml import read_yaml

TYPES = {
    "text": "text", "number": "numeric", "money": "numeric(18,2)", "date": "date", "datetime": "timestamptz", "boolean": "boolean",
    "choice": "text", "choices": "jsonb", "person": "uuid", "unit": "uuid", "party": "uuid", "json": "jsonb",
    "record": "uuid", "files": "jsonb", "tags": "jsonb", "serial": "text", "point": "point", "outline": "jsonb",
}
PLACED = ("point", "outline")
"""Types that a map shows."""
CASE = ("own", "many", "none")
SCOPES = ("case", "unit", "area", "agency", "bureau", "all")
EDIT = ("direct", "process", "none")
MASKS = ("all", "middle", "name")
HIDDEN = "••••"
SORTED = frozenset({"text", "number", "money", "date", "datetime", "boolean", "choice", "serial"})
REGISTER_KEYS = {"title", "case", "fields", "scope", "edit", "editors", "process", "help", "valid", "draws", "imports", "gazetteer", "urges"}
GAZETTEER: Mapping[str, str] = {
    "title": "text", "kind": "choice", "district": "text", "street": "text", "road": "text", "lane": "number", "community": "text", "number": "number", "location": "point",
}
"""What a register of places by name must hold, so that addresses are found in it."""
RESERVED = {"id", "case_id", "unit_id", "district_id", "created_at", "updated_at", "deleted_at", "deleted_reason", "valid"}
FIELD_KEYS = {"title", "type", "dictionary", "list", "search", "encrypt", "mask", "help", "required", "register", "shows", "number", "compress"}


@dataclass(frozen=True, kw_only=True)
class Field:
    """One column. ``encrypt`` stores SM4-GCM bytes. ``mask`` hides all, the middle, or all but the first character from every reader.

    A ``record`` points at one of ``register``, told by that register's text field ``shows``. A ``serial`` is given by the rule
    ``number`` when the record is made. ``files`` with ``compress`` are made smaller after they were uploaded.
    """

    name: str
    title: str
    type: str = "text"
    dictionary: str | None = None
    list: bool = False
    search: bool = False
    encrypt: bool = False
    mask: str | None = None
    help: str = ""
    required: bool = False
    register: str | None = None
    shows: str = ""
    number: str | None = None
    compress: bool = False

    @property
    def sql_type(self) -> str:
        return "bytea" if self.encrypt else TYPES[self.type]

    @property
    def secret(self) -> bool:
        """True when its content must show in no list, filter, order or file."""
        return self.encrypt or self.mask is not None

    @property
    def sorted(self) -> bool:
        """True when a list may be ordered by it: it is listed and its type has an order."""
        return self.list and not self.secret and self.type in SORTED

    @property
    def found(self) -> bool:
        """True when a list may be narrowed by part of its text."""
        return (self.list or self.search) and not self.secret and self.type in ("text", "serial")

    @property
    def filled(self) -> bool:
        """True when people fill it in: in a form."""
        return self.type not in ("party", "json", "serial")

    @property
    def carried(self) -> bool:
        """True when it can be filled in from Excel."""
        return self.filled and self.type != "files"

    def masked(self, text: str) -> str:
        """``text`` as readers may see it."""
        if not text or not self.secret:
            return text
        if self.encrypt or self.mask == "all":
            return HIDDEN
        if self.mask == "name":
            return text[0] + "＊" * (len(text) - 1)
        return f"{text[:3]}{HIDDEN}{text[-4:]}" if len(text) > 10 else HIDDEN


@dataclass(frozen=True, kw_only=True)
class Validity:
    """The date fields between which a record is in force, both ends included; an empty one is open. ``soon`` days before the end it counts as 将到期."""

    start: str | None
    end: str
    soon: int = 30


@dataclass(frozen=True, kw_only=True)
class Register:
    """A declared register; ``table`` is its name in schema ``reg``.

    ``edit``: ``direct`` on the page, ``process`` through the process named in ``process``, ``none`` by acts on cases only.
    ``draws`` is the role that may draw samples from its list. ``imports`` is the role that may bring records in from Excel though
    they are changed through a process; ``urges`` the one that may urge whoever holds a record's case. In a ``gazetteer`` addresses are looked up.
    ``editors`` is the role (``<pack>.<role>``) that may edit directly; without one, everybody who sees the record.
    """

    name: str
    title: str
    case: str
    fields: Mapping[str, Field]
    scope: str = "unit"
    edit: str = "none"
    editors: str | None = None
    process: str | None = None
    help: str = ""
    valid: Validity | None = None
    draws: str | None = None
    imports: str | None = None
    urges: str | None = None
    gazetteer: bool = False

    @property
    def direct(self) -> bool:
        return self.edit == "direct"

    @property
    def creatable(self) -> bool:
        """True when records are made on the page or from Excel: they belong to no case."""
        return self.direct and self.case == "none"

    @property
    def importable(self) -> bool:
        """True when records may come from Excel: made on the page, or by the holders of ``imports``."""
        return self.creatable or self.imports is not None

    @property
    def placed(self) -> list[Field]:
        """What of a record lies on the map, the first first."""
        return [one for one in self.fields.values() if one.type in PLACED]

    @property
    def table(self) -> str:
        return f"{pack_of(self.name)}__{name_of(self.name)}"

    @property
    def listed(self) -> list[Field]:
        """Columns of the list, the first five when none is marked."""
        marked = [f for f in self.fields.values() if f.list]
        return marked or list(self.fields.values())[:5]


def parse_register(content: bytes, *, name: str) -> Register:
    """The register in ``content``; raises DeployRefused with one finding per fault."""
    raw = read_yaml(content, file=f"registers/{name}.yaml")
    findings = list(_faults(raw))
    if findings:
        raise DeployRefused(f"台账 {name} 有 {len(findings)} 处不合要求。", findings=findings)
    pack = pack_of(name)
    fields = {key: _field(key, value, pack) for key, value in raw["fields"].items()}
    case = raw.get("case", "none")
    named: dict[str, Any] = {key: qualify(raw[key], pack) for key in ("editors", "process", "draws", "imports", "urges") if raw.get(key)}
    if raw.get("valid"):
        named["valid"] = Validity(start=raw["valid"].get("from"), end=raw["valid"]["until"], soon=raw["valid"].get("soon", 30))
    named["gazetteer"] = bool(raw.get("gazetteer", False))
    return Register(
        name=name, title=raw["title"], case=case, fields=fields, scope=raw.get("scope", "unit" if case == "none" else "case"), help=str(raw.get("help", "")),
        edit=raw.get("edit", "direct" if case == "none" else "none"), **named,
    )


def _field(name: str, raw: Mapping[str, Any], pack: str) -> Field:
    values = dict(raw)
    for key in ("dictionary", "register", "number"):
        if key in values:
            values[key] = qualify(values[key], pack)
    return Field(name=name, **values)


def _faults(raw: Any) -> list[dict[str, str]]:
    if not isinstance(raw, dict) or not raw.get("title") or not isinstance(raw.get("fields"), dict):
        return [{"element": "register", "rule": "register", "message": "台账要写 title 和 fields。"}]
    found = []

    def fault(element: str, message: str) -> None:
        found.append({"element": element, "rule": "register", "message": message})

    if raw.get("case", "none") not in CASE:
        fault("case", f"case 只能是 {'、'.join(CASE)}。")
    if raw.get("scope", "unit") not in SCOPES or (raw.get("scope") == "case" and raw.get("case", "none") == "none"):
        fault("scope", f"scope 只能是 {'、'.join(SCOPES)}；不属于案件的台账不能写 case。")
    if raw.get("edit", "none") not in EDIT:
        fault("edit", f"edit 只能是 {'、'.join(EDIT)}。")
    if (raw.get("edit") == "process") != bool(raw.get("process")):
        fault("process", "edit: process 要在 process 里写明经哪个流程修改；别的写法不要写 process。")
    if raw.get("imports") and (raw.get("edit") != "process" or raw.get("case", "none") != "none"):
        fault("imports", "imports 只用在 edit: process、不属于案件的台账；直接修改的台账本来就能导入。")
    if raw.get("urges") and raw.get("case", "none") == "none":
        fault("urges", "urges 只用在属于案件的台账上：催的是案件里的人。")
    if set(raw) - REGISTER_KEYS:
        fault("register", f"不认识的写法：{'、'.join(sorted(set(raw) - REGISTER_KEYS))}。")
    if raw.get("gazetteer"):
        _check_gazetteer(raw["fields"], fault)
    if raw.get("valid") is not None:
        _check_validity(raw["valid"], raw["fields"], fault)
    for name, value in raw["fields"].items():
        if not is_name(name) or name in RESERVED or len(name) > 60:
            fault(name, "字段名要用小写英文和下划线，且不能与系统字段重名。")
        elif not isinstance(value, dict) or not value.get("title"):
            fault(name, "字段要写 title。")
        else:
            _check_field(name, value, fault)
    return found


def _check_gazetteer(fields: Mapping[str, Any], fault: Callable[[str, str], None]) -> None:
    for name, kind in GAZETTEER.items():
        one = fields.get(name)
        if not isinstance(one, dict) or one.get("type", "text") != kind or one.get("encrypt") or one.get("mask"):
            fault(name, f"地名库（gazetteer）要有 {kind} 栏目 {name}，不加密、不遮盖。")
        elif name in ("title", "road", "community") and not one.get("list"):
            fault(name, f"地名库按 {name} 查地址，要写 list: true 才有索引。")


def _check_validity(valid: Any, fields: Mapping[str, Any], fault: Callable[[str, str], None]) -> None:
    known = isinstance(valid, dict) and not set(valid) - {"from", "until", "soon"} and valid.get("until")
    if not known or not isinstance(valid.get("soon", 30), int):
        fault("valid", "valid 写成 {from: 日期字段, until: 日期字段, soon: 提前几天算将到期}，until 必写。")
        return
    for end in ("from", "until"):
        one = fields.get(valid.get(end)) if valid.get(end) else {"type": "date"}
        if not isinstance(one, dict) or one.get("type") != "date" or one.get("encrypt"):
            fault("valid", f"valid 的 {end} 要写一个不加密的日期（date）字段。")


def _check_field(name: str, value: Mapping[str, Any], fault: Callable[[str, str], None]) -> None:
    kind = value.get("type", "text")
    if kind not in TYPES:
        fault(name, f"字段类型 {kind} 不认识，可用：{'、'.join(TYPES)}。")
    elif set(value) - FIELD_KEYS:
        fault(name, f"不认识的写法：{'、'.join(sorted(set(value) - FIELD_KEYS))}。")
    elif value.get("mask") is not None and value["mask"] not in MASKS:
        fault(name, f"mask 只能是 {'、'.join(MASKS)}。")
    elif value.get("mask") and kind != "text":
        fault(name, "只有文字（text）能遮盖一部分；别的类型要保密请用 encrypt。")
    elif value.get("encrypt") and kind in ("record", "files", "tags", "serial", *PLACED):
        fault(name, f"{kind} 不能加密。")
    elif (kind == "record") != bool(value.get("register")) or (kind == "record") != bool(value.get("shows")):
        fault(name, "record 要写 register（指向哪个台账）和 shows（用那个台账的哪个文字栏目称呼它）；别的类型不要写。")
    elif kind == "record" and not (is_name(str(value["shows"])) and all(is_name(part) for part in str(value["register"]).split("."))):
        fault(name, "register 写成 <包>.<台账>，shows 写字段名。")
    elif value.get("compress") and kind != "files":
        fault(name, "compress 只用在文件（files）上。")
    elif (kind == "serial") != bool(value.get("number")):
        fault(name, "serial 要写 number（编号规则）；别的类型不要写。")
