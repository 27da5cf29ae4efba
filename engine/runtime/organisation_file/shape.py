"""The four sheets of the file, declared like registers, so that templates, readers of cells and files of wrong rows are the registers' own."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from engine.access.organisation import BUREAUS, UNIT_KINDS
from engine.reference.dictionaries import Dictionary, Entry
from engine.registers.declaration import Field, Register
from engine.runtime.organising.certificates import KINDS
from engine.runtime.organising.people import posts_offered

NAME = "organisation"
KIND, BUREAU, POST, CERTIFICATE = (f"{NAME}.{one}" for one in ("kind", "bureau", "post", "certificate"))
PERSON: Mapping[str, Any] = {"title": "人员编号", "required": True}


def _sheet(sheet: str, words: str, told: str, /, **fields: Mapping[str, Any]) -> Register:
    return Register(name=f"{NAME}.{sheet}", title=words, case="none", help=told, fields={key: Field(name=key, **value) for key, value in fields.items()})


UNITS = _sheet(
    "units", "单位", "一行一个单位。代码已有的是修改名称、简称、机关代字；没有的是新设。移动、改类型、撤销在单位页上办。",
    code={"title": "代码", "required": True, "help": "整个平台不重复，以后不改；不能含“/”"}, name={"title": "名称", "required": True},
    short_name={"title": "简称", "help": "空着就用名称"}, kind={"title": "类型", "type": "choice", "dictionary": KIND, "required": True},
    parent={"title": "上级代码", "help": "最上层的单位空着；可以是本表里的单位"}, bureau={"title": "条线", "type": "choice", "dictionary": BUREAU, "help": "只有最上层的单位要填"},
    number_word={"title": "机关代字", "help": "文号里的代字"}, area_code={"title": "区划代码", "help": "六位数字，空着随上级"},
)
PEOPLE = _sheet(
    "people", "人员", "一行一个人。编号已有的是更正姓名、补电话；没有的是新登记，新登记的人在“任职”表里至少要有一行。账号在人员页上开。",
    number={**PERSON, "help": "工号等不重复的编号；导出文件里没有工号的人显示系统编号，原样留着"}, name={"title": "姓名", "required": True},
    phone={"title": "电话", "help": "加密保存；导出文件里不写，空着就是不改"},
)
POSTS = _sheet(
    "posts", "任职", "一行一个岗位，一个人可以有几行。人、单位、岗位、开始日期都相同的是修改主岗、名称、结束日期，其余是新任。调动、离职要交接手上的工作，在人员页上办。",
    number=PERSON, name={"title": "姓名", "help": "可以空着；填了就核对是不是这个编号的人"}, unit={"title": "单位代码", "required": True},
    code={"title": "岗位", "type": "choice", "dictionary": POST, "required": True}, title={"title": "岗位名称", "help": "空着就用岗位的名称"},
    main={"title": "主岗", "type": "boolean", "help": "登录后默认的岗位；一个人只能有一个"}, from_on={"title": "从", "type": "date", "required": True}, until_on={"title": "到", "type": "date", "help": "空着就是一直"},
)
CERTIFICATES = _sheet(
    "certificates", "证件", "一行一个证件。人、证件、证号都相同的是改有效期，其余是新登记。暂扣、吊销在人员页上办。",
    number=PERSON, name={"title": "姓名", "help": "可以空着；填了就核对是不是这个编号的人"}, kind={"title": "证件", "type": "choice", "dictionary": CERTIFICATE, "required": True},
    serial={"title": "证号", "required": True}, from_on={"title": "有效期起", "type": "date", "required": True}, until_on={"title": "有效期止", "type": "date", "help": "空着就是长期"},
)
SHEETS = (UNITS, PEOPLE, POSTS, CERTIFICATES)
NOTES = ("四张表可以只留要导入的；表的名称不要改。", "空着的格子就是不改，已有的内容不会被空格子清掉；“到”“有效期止”对已有的岗位、证件也是这样。")


def choices(connection: Connection) -> dict[str | None, Dictionary]:
    """What the columns with choices offer."""
    posts = posts_offered(connection)
    return {name: _dictionary(name, words) for name, words in ((KIND, UNIT_KINDS), (BUREAU, BUREAUS), (POST, posts), (CERTIFICATE, KINDS))}


def _dictionary(name: str, words: Mapping[str, str]) -> Dictionary:
    taken: set[str] = set()
    entries = {}
    for code, title in words.items():
        entries[code] = Entry(code=code, title=code if title in taken else title)
        taken.add(title)
    return Dictionary(name, entries)
