from typing import Any

import pytest

from engine.form_filling.split_party import split_party
from engine.form_filling.validate import validate
from engine.kernel.errors import Invalid
from tests.engine.form_filling.samples import context, one_field

KINDS = ["organisation", "individual", "person"]


def clean(typed: dict[str, Any], gc: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    form = one_field({"type": "object", "x-gc": {"widget": "party", **(gc or {})}})
    found: dict[str, Any] = validate(form, data={"x": typed}, rights={}, context=context(**more)).data["x"]
    return found


def problems(party: dict[str, Any], gc: dict[str, Any] | None = None) -> dict[str, str]:
    with pytest.raises(Invalid) as refused:
        clean(party, gc)
    return refused.value.fields


def test_sex_and_birth_date_follow_from_the_identity_number() -> None:
    party = clean({"kind": "person", "name": "王一二", "identifier_kind": "id_card", "identifier": "11010519491231002x", "sex": "男"})
    assert (party["sex"], party["birth_date"], party["identifier"]) == ("女", "1949-12-31", "11010519491231002X")


def test_other_documents_are_taken_as_they_are() -> None:
    assert (
        clean({"kind": "person", "name": "JANE ROE", "identifier_kind": "passport", "identifier": "e12345678"})["identifier"] == "E12345678"
    )


def test_a_company_with_the_code_of_an_individual_business_is_told() -> None:
    assert "个体工商户" in problems({"kind": "organisation", "name": "麦浪", "identifier": "92310199MA00042069"})["x.identifier"]


def test_name_number_and_operator_are_asked_for_unless_the_form_asks_less() -> None:
    assert set(problems({"kind": "individual", "phone": "13800138000"})) == {"x.name", "x.identifier", "x.operator"}
    assert clean({"kind": "organisation", "name": "某店"}, {"needs": ["name"]}) == {
        "kind": "organisation",
        "name": "某店",
        "identifier_kind": "credit_code",
    }


def test_a_number_compared_by_hand_is_taken_with_its_note() -> None:
    wrong = {"kind": "person", "name": "甲乙", "identifier": "310199197902114024"}
    assert "第 18 位应是 6" in problems(wrong)["x.identifier"]
    assert clean({**wrong, "note": "与户籍证明核对一致"})["note"] == "与户籍证明核对一致"


def test_the_link_to_a_known_party_stays_only_with_its_number() -> None:
    known = {"identifier": "92310199MA00042069"}
    typed = {"kind": "individual", "name": "麦浪", "identifier": "92310199MA00042069", "operator": "甲乙", "party_id": "k1"}
    assert clean(typed, party={"k1": known}.get)["party_id"] == "k1"
    assert "party_id" not in clean(typed, party={"k1": {"identifier": "other"}}.get)
    assert "party_id" not in clean(typed)


def test_an_identity_card_is_taken_apart() -> None:
    parts = split_party(
        "姓名 王一二\n性别 女 民族 汉\n出生 1949年12月31日\n住址 北京市朝阳区某路\n 1 号楼 2 室\n公民身份号码 11010519491231002X",
        kinds=KINDS,
    )
    assert parts == {
        "kind": "person",
        "name": "王一二",
        "sex": "女",
        "birth_date": "1949年12月31日",
        "address": "北京市朝阳区某路1 号楼 2 室",
        "identifier_kind": "id_card",
        "identifier": "11010519491231002X",
    }


def test_a_licence_is_taken_apart() -> None:
    parts = split_party(
        "统一社会信用代码：92310199MA00042069 名称：云浦区麦浪面包房 类型：个体工商户 经营者：白晓棠 经营场所：云浦区汀兰街道梧桐里 45 号 注册日期：2020年1月1日",
        kinds=KINDS,
    )
    assert parts == {
        "kind": "individual",
        "name": "云浦区麦浪面包房",
        "address": "云浦区汀兰街道梧桐里 45 号",
        "identifier_kind": "credit_code",
        "identifier": "92310199MA00042069",
        "operator": "白晓棠",
    }


def test_a_bare_line_is_taken_apart() -> None:
    assert split_party("王一二 11010519491231002X 13800138000", kinds=KINDS) == {
        "kind": "person",
        "name": "王一二",
        "phone": "13800138000",
        "identifier_kind": "id_card",
        "identifier": "11010519491231002X",
    }
    assert split_party("云浦麦浪食品有限公司", kinds=["organisation"])["name"] == "云浦麦浪食品有限公司"


@pytest.mark.parametrize("text", ["", "，。", "0" * 5000, "名称名称名称：", "姓名：\n"])
def test_any_text_can_be_pasted(text: str) -> None:
    assert split_party(text, kinds=KINDS)["kind"] in KINDS
