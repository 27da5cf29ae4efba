"""A register as its YAML declares it: fields, types, what is listed, searched, encrypted, masked."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.kernel.errors import DeployRefused
from engine.kernel.names import is_name, name_of, pack_of, qualify
from engine.packs.yaml import read_yaml

TYPES = {
    "text": "text", "number": "numeric", "money": "numeric(18,2)", "date": "date", "datetime": "timestamptz", "boolean": "boolean",
    "choice": "text", "choices": "jsonb", "person": "uuid", "unit": "uuid", "party": "uuid", "json": "jsonb",
}
CASE = ("own", "many", "none")
RESERVED = {"id", "case_id", "unit_id", "district_id", "created_at", "updated_at", "deleted_at", "deleted_reason"}
FIELD_KEYS = {"title", "type", "dictionary", "list", "search", "encrypt", "mask", "help", "required"}


@dataclass(frozen=True, kw_only=True)
class Field:
    """One column. ``encrypt`` stores SM4-GCM bytes; ``mask`` is how people without the right see it."""

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

    @property
    def sql_type(self) -> str:
        return "bytea" if self.encrypt else TYPES[self.type]


@dataclass(frozen=True, kw_only=True)
class Register:
    """A declared register; ``table`` is its name in schema ``reg``."""

    name: str
    title: str
    case: str
    fields: Mapping[str, Field]
    scope: str = "case"

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
    return Register(name=name, title=raw["title"], case=raw.get("case", "none"), fields=fields, scope=raw.get("scope", "case"))


def _field(name: str, raw: Mapping[str, Any], pack: str) -> Field:
    values = dict(raw)
    if "dictionary" in values:
        values["dictionary"] = qualify(values["dictionary"], pack)
    return Field(name=name, **values)


def _faults(raw: Any) -> list[dict[str, str]]:
    if not isinstance(raw, dict) or not raw.get("title") or not isinstance(raw.get("fields"), dict):
        return [{"element": "register", "rule": "register", "message": "台账要写 title 和 fields。"}]
    found = []

    def fault(element: str, message: str) -> None:
        found.append({"element": element, "rule": "register", "message": message})

    if raw.get("case", "none") not in CASE:
        fault("case", f"case 只能是 {'、'.join(CASE)}。")
    for name, value in raw["fields"].items():
        if not is_name(name) or name in RESERVED or len(name) > 60:
            fault(name, "字段名要用小写英文和下划线，且不能与系统字段重名。")
        elif not isinstance(value, dict) or not value.get("title"):
            fault(name, "字段要写 title。")
        elif value.get("type", "text") not in TYPES:
            fault(name, f"字段类型 {value.get('type')} 不认识，可用：{'、'.join(TYPES)}。")
        elif set(value) - FIELD_KEYS:
            fault(name, f"不认识的写法：{'、'.join(sorted(set(value) - FIELD_KEYS))}。")
    return found
