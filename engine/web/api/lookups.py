"""What forms ask for by code or id: entries of dictionaries, people, units."""
from __future__ import annotations

from uuid import UUID

from flask import Response
from pydantic import BaseModel, Field

from engine.access import organisation
from engine.reference.dictionaries import load_dictionary
from engine.web.api.starts import known_name
from engine.web.api.topic import Sent, Told, make_topic, tell
from engine.web.context import reading, today

topic = make_topic("lookups", "对照", "填表用的字典、人员、单位")


class DictionaryPath(BaseModel):
    name: str = Field(max_length=200, description="字典名，见表单各栏的 x-gc.dictionary")


class DictionaryQuery(Sent):
    parent: str | None = Field(default=None, max_length=100, description="只要这个上级代码下面的")


class EntryTold(Told):
    """字典的一条"""

    code: str = Field(description="填表写代码")
    title: str
    parent: str | None = Field(description="上级代码")


class DictionaryTold(Told):
    """今天在用的条目"""

    items: list[EntryTold]


class PeopleQuery(Sent):
    q: str = Field(min_length=1, max_length=60, description="姓名里的字，或者拼音、首字母")


class PersonTold(Told):
    """一个人的一个岗位"""

    person_id: UUID = Field(description="填表、转办写这个编号")
    name: str
    unit_id: UUID
    unit_name: str
    post: str = Field(description="岗位代码")
    post_title: str


class PeopleTold(Told):
    """找到的人，最多 60 条"""

    items: list[PersonTold]


class UnitTold(Told):
    """一个单位"""

    id: UUID
    parent_id: UUID | None
    code: str
    name: str
    short_name: str
    kind: str
    bureau: str


class UnitsTold(Told):
    """全部在用的单位，上级在前"""

    items: list[UnitTold]


@topic.get("/dictionaries/<name>", responses={200: DictionaryTold})
def dictionary(path: DictionaryPath, query: DictionaryQuery) -> Response:
    """一个字典"""
    with reading() as connection:
        entries = load_dictionary(connection, dictionary=known_name(path.name)).options(on=today(), parent=query.parent)
    return tell(DictionaryTold(items=[EntryTold.model_validate(entry) for entry in entries]))


@topic.get("/people", responses={200: PeopleTold})
def people(query: PeopleQuery) -> Response:
    """找人"""
    with reading() as connection:
        found = organisation.find_people(connection, text=query.q, on=today(), limit=60)
    return tell(PeopleTold(items=[PersonTold.model_validate(holder) for holder in found]))


@topic.get("/units", responses={200: UnitsTold})
def units() -> Response:
    """全部单位"""
    with reading() as connection:
        rows = organisation.units_below(connection)
    return tell(UnitsTold(items=[UnitTold.model_validate(row) for row in rows]))
