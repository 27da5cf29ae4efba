"""A form as programs read it: a JSON Schema with x-gc, rights per field, values, buttons."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from engine.form_filling.model import Form
from engine.form_filling.prefill import initial_data
from engine.runtime.secrets import open_secrets
from engine.web import task_form
from engine.web.api.topic import Told
from engine.web.context import application

SCHEMA = "https://json-schema.org/draft/2020-12/schema"


class FormTold(Told):
    """一张表：栏目、这一步对各栏的权限"""

    name: str = Field(description="表单名", json_schema_extra={"example": "case_filing.clue_handling"})
    title: str = Field(description="表单标题")
    hash: str = Field(description="表单版本；提交时带上，版本变了会得到 stale_revision")
    definition: dict[str, Any] = Field(
        alias="schema", serialization_alias="schema",
        description="JSON Schema 2020-12；各栏的 x-gc 写明控件（widget）、字典（dictionary）、显示条件（when）、必填条件（require）、计算公式（compute）等",
    )
    rights: dict[str, str] = Field(description="各栏的权限：write 可填，read 只读；不让看的栏不出现")


class OutcomeTold(Told):
    """一个按钮"""

    value: str = Field(description="提交时写在 outcome 里", json_schema_extra={"example": "approve"})
    title: str = Field(description="按钮上的字", json_schema_extra={"example": "同意"})
    kind: str = Field(description="submit 往下办，return 退回，reject 不同意")
    opinion: str = Field(description="意见：required 必填，optional 选填，none 不要")
    irreversible: bool = Field(description="true 表示办了不能撤回")


def form_told(form: Form, rights: Mapping[str, str]) -> FormTold:
    """The form as a step shows it: fields kept from the reader are not there."""
    seen = {name: field for name, field in form.fields.items() if rights.get(name, "write") != "hide"}
    schema = {
        "$schema": SCHEMA, "title": form.title, "type": "object",
        "x-gc": {"groups": [{"title": g.title, "fields": [name for name in g.fields if name in seen]} for g in form.groups], "help": form.help},
        "properties": {name: {**field.schema, "x-gc": {**field.gc, "widget": field.kind}} for name, field in seen.items()},
        "required": [name for name, field in seen.items() if field.required],
    }
    return FormTold(name=form.name, title=form.title, hash=form.hash, schema=schema, rights={name: rights.get(name, "write") for name in seen})


def values_of(opened: task_form.Open, draft: Mapping[str, Any] | None) -> dict[str, Any]:
    """What stands in the fields now: the draft, else what the platform already has; what may only be read comes from the platform."""
    if opened.form is None or opened.context is None:
        return {}
    held = {name: value for name, value in opened.context.known.items() if opened.rights.get(name) == "read" and value is not None}
    typed = open_secrets(application().keys, {name: value for name, value in draft.items() if not name.startswith("$")}) if draft is not None else None
    values = {**(initial_data(opened.form, context=opened.context) if typed is None else typed), **held}
    return {name: value for name, value in values.items() if name in opened.form.fields and opened.rights.get(name, "write") != "hide"}


def outcomes_told(opened: task_form.Open) -> list[OutcomeTold]:
    return [OutcomeTold.model_validate(outcome) for outcome in opened.outcomes]
