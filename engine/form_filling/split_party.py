"""Takes a pasted 身份证 or 营业执照 text apart into the parts of a party."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from engine.form_filling.checks import credit_code

_LABELS = {
    "name": "名称|字号名称|企业名称|单位名称|姓名|当事人|字号",
    "credit_code": "统一社会信用代码(?:/注册号)?|信用代码|社会信用代码",
    "id_card": "公民身份号码|公民身份证号码|身份证号码|身份证号|身份证|证件号码|证件号",
    "representative": "法定代表人(?:（负责人）|\\(负责人\\))?|法人代表|法人|负责人|投资人|执行事务合伙人",
    "operator": "经营者姓名|经营者",
    "address": "住所地|住所|经营场所|营业场所|住址|地址",
    "phone": "联系电话|联系方式|手机号码|手机号|手机|电话",
    "sex": "性别",
    "birth_date": "出生日期|出生",
    "_": "民族|类型|主体类型|组成形式|注册资本|成立日期|注册日期|营业期限|经营范围|登记机关|核准日期|签发机关|有效期限",
}
_SPLIT = re.compile("|".join(f"(?P<{part if part != '_' else 'rest'}>{words})" for part, words in _LABELS.items()))
_IDENTITY = re.compile(r"(?<![0-9A-Z])[1-9][0-9]{16}[0-9X](?![0-9A-Z])")
_CREDIT = re.compile(r"(?<![0-9A-Z])[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}(?![0-9A-Z])")
_PHONE = re.compile(r"(?<![0-9])1[3-9][0-9]{9}(?![0-9])")
_FIRM = re.compile(r"[^\s,，;；]{2,60}?(?:公司|合作社|事务所|商行|店|厂|部|中心|馆|坊|铺|社|吧|园|场)(?=[\s,，;；]|$)")
_PERSON = re.compile(r"(?<![\u4e00-\u9fff])[\u4e00-\u9fff·]{2,10}(?![\u4e00-\u9fff·])")
_EDGE = " \t:：,，;；。\n"


def split_party(text: str, *, kinds: Sequence[str]) -> dict[str, str]:
    """The parts that ``text`` names, with ``kind`` guessed among ``kinds``; empty parts are left out.

    >>> split_party("姓名 王一二 性别 女 公民身份号码 11010119900307002X", kinds=["person"])["name"]
    '王一二'
    """
    folded = re.sub(r"(?<=[0-9])[ \t](?=[0-9X]{4})", "", unicodedata.normalize("NFKC", text).replace("\r", "\n"))
    labelled = _labelled(folded)
    upper = folded.upper()
    identity, credit = _IDENTITY.search(upper), _credit(upper)
    kind = _kind(credit, labelled, kinds)
    parts = {part: labelled[part] for part in ("name", "address", "phone", "sex") if labelled.get(part)}
    if "phone" not in parts and (found := _PHONE.search(folded)):
        parts["phone"] = found.group()
    if labelled.get("birth_date"):
        parts["birth_date"] = re.sub(r"\s", "", labelled["birth_date"])
    parts |= _numbers(kind, identity.group() if identity else "", credit)
    parts |= _people(kind, labelled)
    if "name" not in parts:
        parts |= _bare_name(kind, folded)
    return {"kind": kind} | parts


def _labelled(text: str) -> dict[str, str]:
    """Label → the text up to the next label; the first mention wins."""
    marks = list(_SPLIT.finditer(text))
    found: dict[str, str] = {}
    for place, mark in enumerate(marks):
        end = marks[place + 1].start() if place + 1 < len(marks) else len(text)
        value = (
            re.sub(r"\s*\n\s*", "", text[mark.end() : end].strip(_EDGE))
            if mark.lastgroup == "address"
            else text[mark.end() : end].strip(_EDGE).split("\n")[0]
        )
        if value and mark.lastgroup:
            found.setdefault(mark.lastgroup, value.strip(_EDGE))
    return found


def _credit(text: str) -> str:
    """The first run of 18 characters that holds as 信用代码; one that looks like it but fails comes only if none holds."""
    runs = [run for run in _CREDIT.findall(text) if not _IDENTITY.fullmatch(run) or run[0] in "9"]
    for run in runs:
        if credit_code.check_character(run[:17]) == run[17]:
            return str(run)
    return str(runs[0]) if runs else ""


def _kind(credit: str, labelled: dict[str, str], kinds: Sequence[str]) -> str:
    if credit.startswith("92") or "operator" in labelled:
        guess = "individual"
    elif credit or "representative" in labelled:
        guess = "organisation"
    else:
        guess = "person"
    return guess if guess in kinds else kinds[0]


def _numbers(kind: str, identity: str, credit: str) -> dict[str, str]:
    if kind == "person":
        return {"identifier_kind": "id_card", "identifier": identity} if identity else {}
    numbers = {"identifier_kind": "credit_code", "identifier": credit} if credit else {}
    if kind == "individual" and identity and identity != credit:
        numbers["operator_identifier"] = identity
    return numbers


def _people(kind: str, labelled: dict[str, str]) -> dict[str, str]:
    if kind == "individual":
        operator = labelled.get("operator") or labelled.get("representative")
        return {"operator": operator} if operator else {}
    if kind == "organisation" and labelled.get("representative"):
        return {"representative": labelled["representative"]}
    return {}


def _bare_name(kind: str, text: str) -> dict[str, str]:
    """A name that no label announces: for firms what ends like one, for people the first short word of Chinese characters."""
    found = _PERSON.search(text) if kind == "person" else _FIRM.search(text)
    return {"name": found.group()} if found and not _SPLIT.fullmatch(found.group()) else {}
