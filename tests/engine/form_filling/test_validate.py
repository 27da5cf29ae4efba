from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from engine.form_filling.model import Form
from engine.form_filling.validate import Validated, validate
from engine.kernel.errors import Invalid
from tests.engine.form_filling.samples import GOOD, context, load, one_field


def check(data: dict[str, Any], *, form: Form | None = None, rights: dict[str, Any] | None = None, **more: Any) -> Validated:
    return validate(form or load(), data=data, rights=rights or {}, context=context(**more))


def problems(data: dict[str, Any], **more: Any) -> dict[str, str]:
    with pytest.raises(Invalid) as refused:
        check(data, **more)
    return refused.value.fields


def test_a_good_form_comes_back_clean() -> None:
    data = check(GOOD).data
    assert data["fine"] == "10000.00"
    assert data["total"] == "10063.00"
    assert data["at"] == "2026-11-01T09:30:00+08:00"
    assert data["party"]["identifier"] == "92310199MA00042069"
    assert data["place"]["text"] == "上海市黄浦区外滩街道中山东一路 1 号"
    assert data["papers"] == [{"id": "d1", "name": "执照.pdf", "caption": ""}]
    assert data["evidence"] == [
        {"name": "笔录", "kind": "doc", "pages": 4, "price": "2.50", "sum": "10.00"},
        {"name": "实物", "kind": "thing", "pages": 2},
    ]
    assert data["pages"] == 6


def test_facts_and_record_fields_are_typed() -> None:
    valid = check(GOOD)
    assert valid.facts == {"cause": "经营过期食品", "domain": "food", "on": date(2026, 11, 1), "fine": Decimal("10000.00")}
    assert valid.record_fields == {"demo.report.cause": "经营过期食品", "demo.report.fine": Decimal("10000.00")}


def test_the_case_the_search_the_files_and_the_parties_are_told() -> None:
    valid = check(GOOD)
    assert valid.case_fields == {"title": "经营过期食品", "subject": "云浦区麦浪面包房", "address": "上海市黄浦区外滩街道中山东一路 1 号"}
    assert valid.search_text == "经营过期食品 云浦区麦浪面包房"
    assert valid.attachments == ["d1", "p1", "s1"]
    assert valid.parties["party"]["operator"] == "白晓棠"
    assert set(valid.secrets) == {"party.identifier", "party.phone"}


def test_codes_keep_the_title_of_their_time() -> None:
    valid = check(GOOD)
    assert valid.titles["domain"] == "食品安全案件"
    assert valid.titles["evidence.1.kind"] == "物证"
    assert valid.stored["$titles"]["helper"] == "顾明川"


def test_what_was_stored_is_valid_again() -> None:
    stored = check(GOOD).stored
    assert check(stored).stored == stored


def test_missing_fields_each_give_one_message() -> None:
    assert problems({}) == {"cause": "请填写案由。", "domain": "请选择业务领域。"}


def test_an_extra_field_is_refused() -> None:
    assert problems({**GOOD, "ghost": "1"}) == {"ghost": "这张表没有“ghost”这一栏，请去掉后再提交。"}


def test_a_hidden_field_is_refused_as_if_it_were_not_there() -> None:
    fields = problems({**GOOD, "opinion": "混进来"}, rights={"opinion": "hide"})
    assert fields == {"opinion": "这张表没有“opinion”这一栏，请去掉后再提交。"}


def test_a_hidden_field_is_neither_asked_for_nor_given_back() -> None:
    valid = check({"domain": "food"}, rights={"cause": "hide"}, known={"cause": "秘密"})
    assert "cause" not in valid.data
    assert "cause" not in valid.facts


def test_a_read_field_comes_from_the_server_only() -> None:
    assert "不能改" in problems({"domain": "food", "cause": "改掉"}, rights={"cause": "read"}, known={"cause": "原来的"})["cause"]
    valid = check({"domain": "food", "cause": "原来的"}, rights={"cause": "read"}, known={"cause": "原来的"})
    assert valid.data["cause"] == "原来的"
    assert "cause" not in valid.facts


def test_a_computed_value_that_was_sent_is_ignored() -> None:
    assert check({**GOOD, "total": "1.00"}).data["total"] == "10063.00"


def test_a_condition_hides_and_drops_what_was_typed() -> None:
    data = check({**GOOD, "fine": "60000"}).data
    assert "less" not in data


def test_a_condition_asks() -> None:
    assert problems({**GOOD, "less": ""}) == {"less": "请填写减轻理由。"}


def test_the_authors_check_speaks() -> None:
    assert problems({**GOOD, "on": "2026-11-21"}) == {"on": "检查日期不能晚于今天。"}


def test_a_withdrawn_answer_gives_a_null_fact() -> None:
    assert check({"cause": "甲", "domain": "food"}).facts["fine"] is None


@pytest.mark.parametrize(
    ("change", "path", "part"),
    [
        ({"cause": "长" * 21}, "cause", "最多 20 个字，现在 21 个"),
        ({"cause": 5}, "cause", "应是文字"),
        ({"domain": "nothing"}, "domain", "选一个"),
        ({"domain": "old"}, "domain", "选一个"),
        ({"matter": "mark"}, "matter", "不在所选的上一级之下"),
        ({"domain": "price", "matter": "label"}, "matter", "不在所选的上一级之下"),
        ({"on": "2026-02-30"}, "on", "没有 2026-02-30 这一天"),
        ({"on": "昨天"}, "on", "日期写成"),
        ({"at": "9点"}, "at", "时间写成"),
        ({"urgent": "也许"}, "urgent", "“是”或“否”"),
        ({"fine": "一万"}, "fine", "金额只写数字"),
        ({"fine": "-1"}, "fine", "负数"),
        ({"fine": "1000000.01"}, "fine", "不能超过 1,000,000"),
        ({"penalties": ["warn", "x"]}, "penalties", "不在列出"),
        ({"penalties": "warn"}, "penalties", "选"),
        ({"helper": "nobody"}, "helper", "没有这个人"),
        ({"papers": ["p1"]}, "papers.0", "只收PDF"),
        ({"papers": ["gone"]}, "papers.0", "已不在"),
        ({"photos": ["p1", "p1", "p1"]}, "photos", "最多 2 个"),
        ({"sign": "d1"}, "sign", "重新签名"),
        ({"evidence": [{"name": "甲", "kind": "doc"}] * 4}, "evidence", "最多 3 行"),
        ({"evidence": [{"name": "甲"}]}, "evidence.0.kind", "请选择种类"),
        ({"evidence": [{"name": "甲", "kind": "doc", "pages": "0"}]}, "evidence.0.pages", "不能小于 1 页"),
        ({"evidence": [{"name": "甲", "kind": "doc", "pages": "1.5"}]}, "evidence.0.pages", "整数"),
        ({"evidence": [{"name": "甲", "kind": "doc", "ghost": "1"}]}, "evidence.0.ghost", "没有“ghost”"),
        ({"evidence": "甲"}, "evidence", "一行一行"),
        ({"place": {"district": "310101", "street": "longhua", "detail": "1 号"}}, "place.street", "不在这个区"),
        ({"place": {"district": "310101"}}, "place.detail", "门牌号"),
        ({"party": "张某"}, "party", "分栏"),
        ({"party": {"name": "甲", "ghost": "1"}}, "party", "没有“ghost”"),
        ({"party": {"kind": "ghost", "name": "甲"}}, "party.kind", "类别只能是"),
    ],
)
def test_a_wrong_field_gives_one_message_that_says_what_to_do(change: dict[str, Any], path: str, part: str) -> None:
    fields = problems({**GOOD, **change})
    assert part in fields[path]


def test_messages_come_in_the_order_of_the_form() -> None:
    assert list(problems({"opinion": "长" * 2001, "on": "x"})) == ["cause", "domain", "on", "opinion"]


@pytest.mark.parametrize(
    ("schema", "value", "part"),
    [
        ({"type": "string", "pattern": "^[A-Z]+$"}, "abc", "写法不对"),
        ({"type": "string", "minLength": 3}, "甲", "至少写 3 个字"),
        ({"type": "number", "exclusiveMinimum": 0}, "0", "要大于 0"),
        ({"type": "number", "multipleOf": 5}, "7", "5 的倍数"),
        ({"type": "string", "x-gc": {"format": "phone"}}, "不详", "写成"),
        ({"type": "string", "x-gc": {"format": "credit_code"}}, "123", "18 位"),
        ({"type": "string", "format": "date", "x-gc": {"range": "past"}}, "2030-01-01", "不能晚于今天"),
        ({"type": "array", "minItems": 2, "x-gc": {"dictionary": "penalty"}}, ["warn"], "至少 2 项"),
    ],
)
def test_standard_keywords_speak_chinese(schema: dict[str, Any], value: Any, part: str) -> None:
    assert part in problems({"x": value}, form=one_field(schema))["x"]


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({"$ref": "common.signature"}, "请签名。"),
        ({"type": "array", "x-gc": {"widget": "photos"}}, "请上传某栏。"),
        ({"type": "string", "x-gc": {"widget": "person"}}, "请选择某栏。"),
    ],
)
def test_a_missing_value_is_asked_for_in_its_own_words(schema: dict[str, Any], message: str) -> None:
    title = {} if "$ref" not in schema else {"title": "签名"}
    assert problems({}, form=one_field({**schema, **title}, required=True)) == {"x": message}


def test_functions_and_facts_that_the_page_gives_can_be_read() -> None:
    def parameter(name: str) -> Decimal:
        return Decimal(15) if name == "demo.limit" else Decimal(0)

    form = one_field(
        {"type": "integer", "x-gc": {"check": [{"test": 'x <= parameter("demo.limit") and level = 2', "message": "超过了上限。"}]}}
    )
    assert check({"x": 15}, form=form, names={"parameter": parameter, "level": Decimal(2)}).data == {"x": 15}
    assert problems({"x": 16}, form=form, names={"parameter": parameter, "level": Decimal(2)}) == {"x": "超过了上限。"}
