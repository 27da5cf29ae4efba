from typing import Any

import pytest
from werkzeug.datastructures import MultiDict

from engine.form_filling.live import live_html
from engine.form_filling.prefill import initial_data
from engine.form_filling.render import render_form
from engine.form_filling.validate import validate
from tests.engine.form_filling.html import Page, controls, posted_back
from tests.engine.form_filling.samples import GOOD, context, load, one_field

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


def page(data: dict[str, Any], mode: Any = "edit", *, form: Any = None, rights: Any = None, errors: Any = None, **more: Any) -> Page:
    return Page(render_form(form or load(), data=data, rights=rights or {}, errors=errors or {}, context=context(**more), mode=mode))


def test_what_is_shown_and_sent_back_is_the_same_form() -> None:
    form = load()
    sent = form.read_html(posted_back(page(GOOD)))
    assert validate(form, data=sent, rights={}, context=context()).data == validate(form, data=GOOD, rights={}, context=context()).data


@pytest.mark.parametrize("mode", ["edit", "read", "print"])
def test_nothing_typed_becomes_markup(mode: str) -> None:
    evil = dict.fromkeys(load().fields, EVIL) | {
        "evidence": [dict.fromkeys(("name", "kind", "pages", "price"), EVIL)],
        "party": {"kind": "person", "name": EVIL, "identifier": EVIL, "phone": EVIL, "note": EVIL},
        "place": {"district": EVIL, "street": EVIL, "detail": EVIL},
        "papers": [{"id": EVIL, "name": EVIL}],
        "photos": [{"id": EVIL, "caption": EVIL}],
        "penalties": [EVIL],
    }
    shown = page(evil, mode, known=evil, errors={"cause": EVIL, f"{EVIL}": EVIL}, phrases=lambda: [EVIL])
    assert "<script" not in shown.text
    assert not shown.all("img[@onerror]")
    assert not shown.all("*[starts-with(name(@*), 'on')]")


def test_a_page_carries_no_inline_script_and_no_handler() -> None:
    shown = page(GOOD)
    assert not shown.all("script")
    assert not [name for element in shown.all("*") for name in element.attrib if name.startswith("on")]


def test_a_hidden_field_leaves_no_trace() -> None:
    shown = page(GOOD, rights={"cause": "hide"}, known={"cause": "绝密案由"})
    assert "绝密案由" not in shown.text
    assert "案由" not in shown.text
    assert "经营过期食品" not in shown.text


def test_a_read_field_is_text_and_not_a_control() -> None:
    shown = page({}, rights={"cause": "read"}, known={"cause": "原来的"})
    assert "data.cause" not in controls(shown)
    assert "原来的" in shown.one("*[@id='f-cause']").text_content()


def test_every_control_has_a_name_that_a_reader_can_hear() -> None:
    shown = page(GOOD)
    for control in shown.all("input[not(@type='hidden')]|//select|//textarea"):
        labelled = control.get("aria-label") or shown.all(f"label[@for='{control.get('id')}']") or control.xpath("ancestor::label")
        assert labelled, control.get("name")


def test_ids_are_unique() -> None:
    ids = [element.get("id") for element in page(GOOD).all("*[@id]") if not element.xpath("ancestor::template")]
    assert len(ids) == len(set(ids))


def test_earlier_answers_carry_no_ids_so_that_they_can_stand_beside_the_open_form() -> None:
    shown = page(GOOD, "read", rights={"*": "read"}, known=GOOD)
    assert not shown.all("*[@id]")
    assert not shown.all("input|//select|//textarea")


def test_an_error_stands_beside_its_field_and_in_the_summary() -> None:
    shown = page({**GOOD, "fine": "一万"}, errors={"fine": "金额只写数字，如 1234.50。", "evidence.1.kind": "请选择种类。"})
    control = shown.one("input[@id='f-fine']")
    assert (control.get("aria-invalid"), control.get("value")) == ("true", "一万")
    assert shown.one(f"*[@id='{control.get('aria-describedby').split()[0]}']").text_content() == "金额只写数字，如 1234.50。"
    lines = {link.get("href"): link.text_content() for link in shown.all("div[@class='errsum']//a")}
    assert lines == {"#f-fine": "罚款：金额只写数字，如 1234.50。", "#f-evidence-1-kind": "证据第 2 行，种类：请选择种类。"}
    assert all(shown.all(f"*[@id='{target[1:]}']") for target in lines)
    assert "1 处要改" in shown.text


def test_a_condition_decides_what_shows() -> None:
    assert page({"fine": "100"}).all("*[@data-field='less']")
    assert not page({"fine": "60000"}).all("*[@data-field='less']")


def test_amounts_show_thousands_and_capital_words() -> None:
    shown = page(GOOD)
    assert shown.one("input[@id='f-fine']").get("value") == "10,000.00"
    assert "人民币壹万元整" in shown.text
    assert "10,063.00 元" in shown.one("*[@id='f-total']").text_content()


def test_a_cascading_dictionary_follows_its_parent() -> None:
    def codes(domain: str | None) -> set[str]:
        return {option.get("value") for option in page({"domain": domain}).all("*[@name='data.matter']//option")} - {""}

    assert codes("food") == {"expired", "label"}
    assert codes("price") == {"mark"}
    assert codes(None) == set()


def test_the_server_answers_a_change_with_all_groups() -> None:
    answer = live_html(load(), posted=MultiDict({"data.fine": "60000", "data.gain": "1", "changed": "fine"}), rights={}, context=context())
    shown = Page(answer)
    assert "60,001.00 元" in shown.one("*[@id='f-total']").text_content()
    assert {section.get("hx-swap-oob") for section in shown.all("section")} == {"true"}
    assert not shown.all("*[@data-field='less']")


def test_a_pasted_licence_is_split_by_the_server() -> None:
    posted = MultiDict(
        {"data.party.paste": "名称：麦浪面包房 经营者：白晓棠 统一社会信用代码：92310199MA00042069", "changed": "party.paste"}
    )
    shown = Page(live_html(load(), posted=posted, rights={}, context=context()))
    assert shown.one("input[@name='data.party.operator']").get("value") == "白晓棠"
    assert "校验通过" in shown.text


def test_a_suggestion_is_offered_when_what_it_reads_changes_and_may_be_overwritten() -> None:
    form = load(
        {
            "title": "表",
            "properties": {
                "a": {"type": "string", "title": "甲"},
                "b": {"type": "string", "title": "乙", "x-gc": {"suggest": 'if a = "1" then "建议" else null'}},
            },
        }
    )

    def b(**posted: str) -> str | None:
        return Page(live_html(form, posted=MultiDict(posted), rights={}, context=context())).one("input[@name='data.b']").get("value")

    assert b(**{"data.a": "1", "changed": "a"}) == "建议"
    assert b(**{"data.a": "1", "data.b": "自己写的", "changed": "b"}) == "自己写的"
    assert initial_data(form, context=context(known={"a": "1"})) == {"a": "1", "b": "建议"}


def test_prefilled_values_are_marked_until_they_are_changed() -> None:
    form = one_field({"type": "string", "x-gc": {"prefill": "task.register.cause"}})
    data = initial_data(form, context=context())
    assert data == {"x": "来自登记的案由"}
    assert "来自线索登记" in page(data, form=form).text
    assert "来自线索登记" not in page({"x": "改过"}, form=form).text


def test_defaults_are_feel() -> None:
    assert initial_data(one_field({"type": "string", "format": "date", "x-gc": {"default": "today"}}), context=context()) == {
        "x": "2026-11-20"
    }
    assert initial_data(one_field({"type": "boolean", "x-gc": {"default": False}}), context=context()) == {"x": False}


def test_an_old_code_is_read_with_the_title_of_its_time() -> None:
    assert "当年的名称" in page({}, "read", rights={"*": "read"}, known={"domain": "gone", "$titles": {"domain": "当年的名称"}}).text


def test_the_print_is_plain_and_becomes_a_pdf() -> None:
    from weasyprint import HTML

    shown = page(GOOD, "print", rights={"*": "read"}, known=GOOD, url=lambda name, **_: "data:,")
    assert not shown.all("input|//select|//textarea|//button")
    pdf = HTML(string=shown.text).write_pdf()
    assert pdf.startswith(b"%PDF")


@pytest.mark.parametrize("value", ["甲", 5, [], {}, [{}], [5], {"kind": 5}, {"district": []}, None, True])
@pytest.mark.parametrize("mode", ["edit", "read", "print"])
def test_a_draft_of_any_shape_can_be_shown(value: Any, mode: str) -> None:
    data = dict.fromkeys(load().fields, value)
    assert page(data, mode, known=data).text
