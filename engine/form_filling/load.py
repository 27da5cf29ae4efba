"""From the parsed JSON of a form to a ``Form``; every fault becomes a finding in Chinese."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import jsonschema_rs

from engine.expressions import Expression, FeelError, compile_expression
from engine.form_filling.layout import lay_out
from engine.form_filling.model import Check, Field, Form
from engine.form_filling.references import resolve
from engine.form_filling.widgets import all_widgets
from engine.kernel.errors import DeployRefused
from engine.kernel.names import pack_of, qualify

Finding = dict[str, Any]
_BY_FORMAT = {"date": "date", "date-time": "datetime"}
_BY_TYPE = {"number": "number", "integer": "number", "boolean": "boolean", "array": "files"}
_SHAPED = {"party": "object", "address": "object", "files": "array", "photos": "array", "held_files": "array", "rows": "array", "choices": "array", "tags": "array", "point": "object", "outline": "object"}
_AUTHORED = {"text", "textarea", "opinion", "number", "date", "datetime", "boolean", "choice"}
GIVEN = frozenset({"today", "now", "case", "outcome", "detail", "parameter", "recorded"})
_LIMITS = ("minItems", "maxItems", "uniqueItems")
KEYS = frozenset(
    "widget dictionary among parent help unit within in role kinds width rows fact field case search compute default when require check accept max_size max_count compress encrypt "
    "prefill suggest format kinds needs address words titles range phrases total title placeholder register shows to say".split()
)


def load_form(
    definition: Mapping[str, Any],
    *,
    name: str,
    hash: str = "",
    common: Callable[[str], Mapping[str, Any]],
    layout: Mapping[str, Any] | None = None,
) -> Form:
    """See ``Form.load``."""
    findings: list[Finding] = []
    whole = resolve(definition, root=definition, common=common, findings=findings)
    properties = whole.get("properties")
    if not isinstance(properties, Mapping) or not properties:
        raise DeployRefused(f"表单 {name} 不能用：没有任何栏（properties）。", findings=[_finding("", "form.empty", "写上 properties。")])
    fields, order = _load_fields(_qualified(properties, name, findings), whole.get("required") or (), set(), findings)
    gc = whole.get("x-gc") or {}
    groups = lay_out(fields, gc, layout or {}, str(whole.get("title") or name), findings)
    if findings:
        raise DeployRefused(f"表单 {name} 不能用：{findings[0]['message']}", findings=findings)
    return Form(
        name=name,
        hash=hash,
        title=str(whole.get("title") or name),
        help=str(gc.get("help", "")),
        fields=fields,
        groups=groups,
        order=order,
        printed_as=gc.get("print"),
    )


def _qualified(properties: Mapping[str, Any], form: str, findings: list[Finding]) -> dict[str, Any]:
    """The same properties with every dictionary and role by its full name, seen from the form's pack."""

    def full(name: str, schema: Any) -> Any:
        if not isinstance(schema, Mapping):
            return schema
        changed = dict(schema)
        if (gc := schema.get("x-gc")) and gc.get("dictionary"):
            try:
                changed["x-gc"] = {**gc, "dictionary": qualify(str(gc["dictionary"]), pack_of(form))}
            except ValueError as problem:
                findings.append(_finding(name, "form.dictionary", str(problem)))
        if (gc := changed.get("x-gc")) and gc.get("role"):
            changed["x-gc"] = {**gc, "role": qualify(str(gc["role"]), pack_of(form))}
        if isinstance(items := schema.get("items"), Mapping) and items.get("properties"):
            changed["items"] = {**items, "properties": {key: full(f"{name}.{key}", value) for key, value in items["properties"].items()}}
        return changed

    return {name: full(name, schema) for name, schema in properties.items()}


def _load_fields(
    properties: Mapping[str, Any], required: Any, above: set[str], findings: list[Finding], path: str = ""
) -> tuple[dict[str, Field], tuple[str, ...]]:
    """Fields by name, and the order in which they settle."""
    names = set(properties) | above
    for missing in set(required) - set(properties):
        findings.append(_finding(f"{path}{missing}", "form.required", f"required 里的“{missing}”没有写在 properties 里。"))
    loaded = {
        name: _load_field(name, schema if isinstance(schema, Mapping) else {}, name in required, names, findings, path)
        for name, schema in properties.items()
    }
    loaded = {name: _addressed(field, loaded, findings, path) for name, field in loaded.items()}
    reads = {name: _reads(field) & set(properties) - {name} for name, field in loaded.items()}
    driven = set().union(*(reads[name] | (set(field.suggest.names) if field.suggest else set()) for name, field in loaded.items()))
    fields = {name: _driving(field) if name in driven else field for name, field in loaded.items()}
    return fields, _settling_order(reads, findings, path)


def _addressed(field: Field, fields: Mapping[str, Field], findings: list[Finding], path: str) -> Field:
    """A point with the field that holds its address: the one that is named, else the first that looks like an address."""
    if field.kind != "point":
        return field
    named = field.gc.get("address")
    if named is None:
        words = [one for one in fields.values() if one.kind in ("text", "textarea")]
        likely = [*(one for one in fields.values() if one.kind == "address"), *(one for one in words if one.name == "address"), *(one for one in words if "地址" in one.title)]
        named = likely[0].name if likely else ""
    elif named and named not in fields:
        findings.append(_finding(f"{path}{field.name}", "form.address", f"address 指的“{named}”不在表里。"))
    return replace(field, gc={**field.gc, "address": named})


def _driving(field: Field) -> Field:
    """The same field, and each of its columns, marked as one that others depend on."""
    columns = {name: _driving(column) for name, column in field.columns.items()}
    return Field(**{**{name: getattr(field, name) for name in Field.__dataclass_fields__}, "drives": True, "columns": columns})


def _load_field(name: str, schema: Mapping[str, Any], required: bool, names: set[str], findings: list[Finding], path: str) -> Field:
    where = f"{path}{name}"
    gc = schema.get("x-gc") or {}
    for unknown in sorted(set(gc) - KEYS):
        findings.append(_finding(where, "form.key", f"x-gc 里没有“{unknown}”这个写法。"))
    kind = _kind(where, schema, gc, findings)
    columns: dict[str, Field] = {}
    order: tuple[str, ...] = ()
    if kind == "rows":
        items = schema.get("items") or {}
        columns, order = _load_fields(items.get("properties") or {}, items.get("required") or (), names, findings, f"{where}.")
        if not columns:
            findings.append(_finding(where, "form.rows", "多行表要在 items.properties 里写各列。"))
    parent = gc.get("parent")
    if parent and parent not in names:
        findings.append(_finding(where, "form.parent", f"parent 指的“{parent}”不在表里。"))
    return Field(
        name=name,
        title=str(schema.get("title") or name),
        kind=kind,
        schema={k: v for k, v in schema.items() if k != "x-gc"},
        gc=gc,
        required=required,
        validator=_validator(where, kind, schema, findings),
        columns=columns,
        order=order,
        compute=_expression(where, "compute", gc, names, findings),
        when=_expression(where, "when", gc, names, findings),
        require=_expression(where, "require", gc, names, findings),
        suggest=_expression(where, "suggest", gc, names, findings),
        default=_expression(where, "default", gc, names, findings),
        checks=_checks(where, gc, names, findings),
    )


def _kind(where: str, schema: Mapping[str, Any], gc: Mapping[str, Any], findings: list[Finding]) -> str:
    """The widget that is named, else the one that follows from type, format, dictionary and enum."""
    said = gc.get("widget")
    if said:
        if said not in all_widgets():
            findings.append(_finding(where, "form.widget", f"没有“{said}”这种控件；有：{'、'.join(all_widgets())}。"))
            return "text"
        return str(said)
    type_ = schema.get("type")
    items = schema.get("items") or {}
    if type_ == "array":
        return "rows" if items.get("properties") else "choices" if gc.get("dictionary") or gc.get("among") or items.get("enum") else "files"
    if type_ == "object":
        findings.append(_finding(where, "form.widget", "type 是 object 的栏要写明 widget（party 或 address）。"))
        return "text"
    if gc.get("dictionary") or gc.get("among") or schema.get("enum"):
        return "choice"
    if schema.get("format") in _BY_FORMAT:
        return _BY_FORMAT[schema["format"]]
    return _BY_TYPE.get(str(type_), "textarea" if int(schema.get("maxLength") or 0) > 200 else "text")


def _validator(where: str, kind: str, schema: Mapping[str, Any], findings: list[Finding]) -> jsonschema_rs.Draft202012Validator:
    """What the author's standard keywords say about a clean value; kinds with a shape of their own check their parts themselves."""
    if kind in _AUTHORED:
        wanted = {key: value for key, value in schema.items() if key not in ("x-gc", "title", "description", "$defs", "$schema")}
    else:
        wanted = {"type": _SHAPED.get(kind, "string")} | {key: schema[key] for key in _LIMITS if key in schema}
    try:
        return jsonschema_rs.Draft202012Validator(wanted, validate_formats=True)
    except Exception as problem:
        findings.append(_finding(where, "form.schema", f"JSON Schema 写法不对：{problem}"))
        return jsonschema_rs.Draft202012Validator(True)


def _expression(where: str, key: str, gc: Mapping[str, Any], names: set[str], findings: list[Finding]) -> Expression | None:
    text = gc.get(key)
    return _compile(where, f"x-gc.{key}", text, names, findings) if isinstance(text, str) else None


def _compile(where: str, what: str, text: str, names: set[str], findings: list[Finding]) -> Expression | None:
    try:
        return compile_expression(text, names=names | GIVEN)
    except FeelError as problem:
        findings.append(_finding(where, "form.feel", f"{what} 的表达式“{text}”写错了：{problem}"))
        return None


def _checks(where: str, gc: Mapping[str, Any], names: set[str], findings: list[Finding]) -> tuple[Check, ...]:
    checks = []
    for entry in gc.get("check") or ():
        test = _compile(where, "x-gc.check", str(entry.get("test", "")), names, findings)
        if not entry.get("message"):
            findings.append(_finding(where, "form.check", "check 要写 message，告诉填表人怎么改。"))
        if test is not None:
            checks.append(Check(test=test, message=str(entry.get("message", ""))))
    return tuple(checks)


def _reads(field: Field) -> set[str]:
    """Names that decide how this field looks: not its checks, which only judge; a column hides a field of the same name."""
    found: set[str] = set()
    for expression in (field.compute, field.when, field.require):
        found |= set(expression.names) if expression else set()
    if field.gc.get("parent"):
        found.add(field.gc["parent"])
    for column in field.columns.values():
        found |= _reads(column) - set(field.columns)
    return found


def _settling_order(reads: Mapping[str, set[str]], findings: list[Finding], path: str) -> tuple[str, ...]:
    """Names so that each comes after those it reads; a circle is a finding."""
    order: list[str] = []
    waiting = dict(reads)
    while waiting:
        ready = [name for name, needs in waiting.items() if not needs & set(waiting)]
        if not ready:
            circle = "、".join(sorted(waiting))
            findings.append(_finding(f"{path}{next(iter(waiting))}", "form.circle", f"这些栏的公式或条件互相等待，绕成了圈：{circle}。"))
            return tuple(reads)
        order += ready
        for name in ready:
            del waiting[name]
    return tuple(order)


def _finding(element: str, rule: str, message: str) -> Finding:
    return {"element": element, "rule": rule, "message": message}
