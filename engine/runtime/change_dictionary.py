"""Entries of a dictionary kept by people: new ones, other words from a day on, ended ones. What a case was opened with stays with it."""
from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from engine.access import audit
from engine.access.actors import Actor
from engine.access.assignment import candidates
from engine.kernel.clock import legal_date
from engine.kernel.errors import Forbidden, Invalid, NotFound
from engine.kernel.names import is_name, pack_of, qualify
from engine.packs.yaml import read_yaml
from engine.reference.dictionaries import Dictionary, add_entry, add_version, end_entry, load_dictionary
from engine.runtime.application import Application

OURS = "origin"
SHARED = "common"
KEEPER_OF_SHARED = "admin"
_CODE = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}\Z")
KINDS: Mapping[type, str] = {bool: "boolean", int: "number", float: "number", list: "list"}


@dataclass(frozen=True, kw_only=True)
class Head:
    """What a dictionary's file says beside its entries: ``editors`` is the role that keeps it, ``words`` call the keys of ``detail``,
    ``parent`` is the dictionary that its entries stand under. A shared one (``shared``) is kept by the system administrators."""

    name: str
    title: str
    editors: str | None = None
    parent: str | None = None
    words: Mapping[str, str] = field(default_factory=dict)

    @property
    def shared(self) -> bool:
        return pack_of(self.name) == SHARED

    @property
    def kept(self) -> bool:
        """True when people keep it on the page."""
        return self.shared or self.editors is not None


@dataclass(frozen=True, kw_only=True)
class DetailField:
    """One value of an entry's detail as people fill it in; ``kind`` is text, number, boolean or list."""

    key: str
    title: str
    kind: str


def listed(app: Application) -> list[str]:
    """Names of all dictionaries that the page shows: those of packs, and the shared ones of forms/common."""
    return sorted([*app.library.names("dictionary"), *(f"{SHARED}.{file.stem}" for file in _shared_folder(app).glob("*.yaml"))])


def _shared_folder(app: Application) -> Path:
    return app.settings.content_root / "forms" / SHARED / "dictionaries"


def read_head(app: Application, name: str) -> Head:
    """The head of ``<pack>.<dictionary>``; raises NotFound."""
    pack = pack_of(name)
    content = (_shared_folder(app) / f"{name.split('.', 1)[1]}.yaml").read_bytes() if pack == SHARED else app.library.current("dictionary", name).content
    read = read_yaml(content, file=name) or {}
    editors, parent = read.get("editors"), read.get("parent")
    return Head(name=name, title=str(read.get("title") or name), editors=qualify(editors, pack) if editors else None,
                parent=qualify(parent, pack) if parent else None, words=read.get("words") or {})


def may_change(connection: Connection, *, head: Head, actor: Actor, on: date) -> bool:
    """True for whoever holds the role that keeps the dictionary, or for system administrators when it is a shared one; another changes with its pack only."""
    if head.shared:
        return KEEPER_OF_SHARED in actor.rights
    if head.editors is None:
        return False
    pairs = candidates(connection, role=head.editors, case_unit_id=actor.unit_id, on=on)
    return not set(actor.posts or ((actor.unit_id, actor.post_code),)).isdisjoint(pairs)


def detail_fields(head: Head, dictionary: Dictionary) -> list[DetailField]:
    """What the entries hold, the keys that have words first."""
    seen: dict[str, str] = {}
    for entry in dictionary.entries.values():
        for one in (entry, *entry.versions):
            for key, value in (one.detail or {}).items():
                if key != OURS and value is not None:
                    seen.setdefault(key, KINDS.get(type(value), "text"))
    order = [key for key in head.words if key in seen] + [key for key in head.words if key not in seen] + [key for key in seen if key not in head.words]
    return [DetailField(key=key, title=str(head.words.get(key, key)), kind=seen.get(key, "text")) for key in order]


def read_detail(fields: list[DetailField], given: Mapping[str, str]) -> dict[str, Any]:
    """The texts of a page as values; raises Invalid with the field's name. What is left empty is not there."""
    read = {}
    for one in fields:
        text = given.get(one.key, "").strip()
        if not text:
            continue
        read[one.key] = _value(one, text)
    return read


def _value(one: DetailField, text: str) -> Any:
    if one.kind == "boolean":
        return text == "是"
    if one.kind == "list":
        return [part.strip() for part in text.split("、") if part.strip()]
    if one.kind == "text":
        return text
    try:
        number = Decimal(text.replace(",", ""))
    except InvalidOperation:
        raise Invalid(f"“{one.title}”要填数字。", fields={f"detail.{one.key}": "请填数字，如 50000。"}) from None
    return int(number) if number == number.to_integral_value() else float(number)


def shown(value: Any) -> str:
    """A value of a detail as the page's field holds it."""
    if isinstance(value, bool):
        return "是" if value else "否"
    return "、".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)


def _ready(app: Application, connection: Connection, *, name: str, actor: Actor, on: date, source: str, title: str, parent: str | None) -> Dictionary:
    """The dictionary, when the actor may change it and the words will do."""
    head = read_head(app, name)
    if not may_change(connection, head=head, actor=actor, on=on):
        raise Forbidden(f"您不负责维护“{head.title}”，没有改动。" + ("请找维护人。" if head.kept else "它随业务包发布，请由流程设计人员改好文件后发布。"))
    if not source.strip():
        raise Invalid("请写明依据。", fields={"source": "请写明法律、规章或者文件的名称和条款。"})
    if not title.strip() or len(title) > 300:
        raise Invalid("请写名称。", fields={"title": "请写名称，不超过三百字。"})
    if parent and head.parent and load_dictionary(connection, dictionary=head.parent).find(parent) is None:
        raise Invalid("没有这个上级。", fields={"parent": "请填上级字典里有的代码。"})
    return load_dictionary(connection, dictionary=name)


def add_to_dictionary(
    app: Application, *, actor: Actor, name: str, code: str, title: str, parent: str | None, detail: Mapping[str, Any], valid_from: date, source: str, at: datetime
) -> None:
    """A new entry, offered from ``valid_from`` on. Raises Forbidden, Invalid."""
    if not (_CODE.match(code) if pack_of(name) == SHARED else is_name(code) and len(code) <= 60):
        raise Invalid("代码不合要求。", fields={"code": "代码用小写字母、数字和下划线，字母开头（共用的字典也可以用数字开头，可以有短横），不超过六十个字符。"})
    with app.db.begin() as connection:
        _ready(app, connection, name=name, actor=actor, on=legal_date(at), source=source, title=title, parent=parent)
        add_entry(connection, dictionary=name, code=code, title=title.strip(), parent=parent, detail={**detail, "source": source.strip()}, valid_from=valid_from)
        audit.note(connection, actor=actor, at=at, action="dictionary.add", object=f"{name}/{code}", detail={"title": title, "from": valid_from.isoformat(), "source": source})


def change_in_dictionary(
    app: Application, *, actor: Actor, name: str, code: str, title: str, parent: str | None, detail: Mapping[str, Any], valid_from: date, source: str, at: datetime
) -> None:
    """Other words and detail for cases opened from ``valid_from`` on. Raises Forbidden, Invalid, NotFound."""
    with app.db.begin() as connection:
        found = _ready(app, connection, name=name, actor=actor, on=legal_date(at), source=source, title=title, parent=parent)
        if code not in found.entries:
            raise NotFound("字典里没有这一项。")
        if valid_from <= legal_date(at):
            raise Invalid("生效日要在明天以后：今天和以前立的案件按立案那天的内容办，不能改。", fields={"valid_from": "请填明天或以后。"})
        add_version(connection, dictionary=name, code=code, title=title.strip(), parent=parent, detail=detail, valid_from=valid_from, source=source.strip(),
                    by_id=actor.person_id, at=at)
        audit.note(connection, actor=actor, at=at, action="dictionary.version", object=f"{name}/{code}", detail={"title": title, "from": valid_from.isoformat(), "source": source, "detail": dict(detail)})


def end_in_dictionary(app: Application, *, actor: Actor, name: str, code: str, last_day: date | None, source: str, at: datetime) -> None:
    """Offer an entry until ``last_day``, or on and on; cases opened by then go on with it. Raises Forbidden, Invalid, NotFound."""
    with app.db.begin() as connection:
        found = _ready(app, connection, name=name, actor=actor, on=legal_date(at), source=source, title=code, parent=None)
        if code not in found.entries:
            raise NotFound("字典里没有这一项。")
        if last_day is not None and last_day < legal_date(at):
            raise Invalid("停用日不能早于今天。", fields={"last_day": "请填今天或以后。"})
        end_entry(connection, dictionary=name, code=code, last_day=last_day)
        audit.note(connection, actor=actor, at=at, action="dictionary.end", object=f"{name}/{code}", detail={"until": last_day and last_day.isoformat(), "source": source})
