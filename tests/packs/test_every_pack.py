"""What holds for every pack that stands in the tree. A newcomer is checked by being there; nothing is listed here."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, inspect

from engine.documents.compose import Snapshot, compose
from engine.documents.pieces import pieces_for
from engine.documents.template import parse_template
from engine.form_filling.model import Mode
from engine.form_filling.render import render_form
from engine.form_filling.validate import validate
from engine.inspection.check import check
from engine.kernel.errors import Invalid
from engine.kernel.names import pack_of, qualify
from engine.kernel.settings import ROOT
from engine.packs.folder import common_forms, content_files, pack_names
from engine.registers.declaration import parse_register
from engine.registers.tables import build_table
from tests.packs.examples import AT, answers, context, form, tree, wrong

PACKS = pack_names(ROOT)
HUMAN = {"userTask", "manualTask"}


def found(kind: str) -> Callable[[Any], Any]:
    """Run once for every file of ``kind`` in the tree; shared pieces of forms are no forms."""
    names = sorted(file.name for pack in PACKS for file in content_files(ROOT, pack) if file.kind == kind)
    shared = {file.name for file in common_forms(ROOT)}
    return pytest.mark.parametrize("name", [name for name in names if name not in shared])


@pytest.fixture(scope="module")
def findings() -> list[Any]:
    """What the inspection of the whole tree says, once."""
    return check(tree())


@pytest.mark.parametrize("pack", PACKS)
def test_the_inspection_finds_nothing(pack: str, findings: list[Any]) -> None:
    assert [str(one) for one in findings if f"/{pack}/" in one.place] == []


@pytest.mark.parametrize("pack", PACKS)
def test_the_manifest_is_read_and_says_what_no_path_says(pack: str) -> None:
    manifest = tree().packs[pack]
    assert manifest.title
    assert set(manifest.uses) <= set(PACKS)
    assert all(reason for reason in manifest.exempt.values())


@pytest.mark.parametrize("pack", PACKS)
def test_the_readme_tells_what_the_pack_is(pack: str) -> None:
    text = (ROOT / "processes" / pack / "README.md").read_text(encoding="utf-8")
    assert text.startswith("# ")
    assert len(text) > 100


@found("process")
def test_the_diagram_deploys(name: str) -> None:
    meta = tree().versions["process", name].meta or {}
    assert meta["name"] == name
    assert meta["title"]
    assert [one for one in meta["findings"] if one["level"] != "warning"] == []


@found("process")
def test_every_user_task_has_a_role_and_a_form_or_buttons_of_its_own(name: str) -> None:
    meta = tree().versions["process", name].meta or {}
    for node in meta["nodes"].values():
        if node["kind"] in HUMAN:
            given = node["attributes"]
            assert given.get("role"), f"{node['id']}: nobody to do it"
            assert given.get("form") or node["outcomes"], f"{node['id']}: neither a form nor a button"
            assert node["title"], node["id"]


@found("process")
def test_every_service_task_has_a_handler_that_takes_what_it_is_given(name: str) -> None:
    meta = tree().versions["process", name].meta or {}
    for node in meta["nodes"].values():
        handler = node["attributes"].get("handler", "") if node["kind"] == "serviceTask" else ""
        if handler and not handler.startswith("="):
            known = tree().handlers[qualify(handler, pack_of(name))]
            given = {item["name"] for item in node["inputs"]}
            assert (known.missing(given), known.unknown(given)) == ([], []), node["id"]
            assert known.title, handler


@found("form")
def test_the_form_takes_an_example_and_shows_it_in_every_mode(name: str) -> None:
    one = form(name)
    valid = validate(one, data=answers(one), rights={}, context=context())
    for mode in ("edit", "read", "print"):
        chosen: Mode = mode  # type: ignore[assignment]
        html = str(render_form(one, data=valid.stored, rights={}, errors={}, context=context(known=valid.stored), mode=chosen))
        assert html.strip(), mode
        assert "None" not in html, mode
    blank = str(render_form(one, data={}, rights={}, errors={}, context=context(), mode="edit"))
    assert all(field.title in blank for field in one.fields.values() if field.when is None)


@found("form")
def test_the_form_refuses_a_field_that_it_has_not(name: str) -> None:
    one = form(name)
    with pytest.raises(Invalid) as refused:
        validate(one, data={**answers(one), "no_such_field": "x"}, rights={}, context=context())
    assert set(refused.value.fields) == {"no_such_field"}


@found("form")
def test_the_form_refuses_each_missing_field(name: str) -> None:
    one = form(name)
    whole = answers(one)
    for field in one.fields.values():
        if field.required and field.compute is None and field.when is None:
            with pytest.raises(Invalid) as refused:
                validate(one, data={key: value for key, value in whole.items() if key != field.name}, rights={}, context=context())
            assert field.name in {path.split(".")[0] for path in refused.value.fields}, field.name


@found("form")
def test_the_form_refuses_each_wrong_value_in_chinese(name: str) -> None:
    one = form(name)
    whole = answers(one)
    for field in one.fields.values():
        if field.compute is None and field.when is None:
            with pytest.raises(Invalid) as refused:
                validate(one, data={**whole, field.name: wrong(field)}, rights={}, context=context())
            told = [text for path, text in refused.value.fields.items() if path.split(".")[0] == field.name]
            assert told, field.name
            assert all(any("\u4e00" <= letter <= "\u9fff" for letter in text) for text in told), told


@found("form")
def test_a_field_that_may_not_be_written_keeps_its_known_value(name: str) -> None:
    one = form(name)
    valid = validate(one, data=answers(one), rights={}, context=context())
    kept = validate(one, data={}, rights={"*": "read"}, context=context(known=valid.data))
    assert kept.data == valid.data


@found("register")
def test_the_register_gives_a_table_and_giving_it_again_changes_nothing(name: str, connection: Connection) -> None:
    register = parse_register(tree().files["register", name].content, name=name)
    build_table(connection, register)
    columns = {column["name"] for column in inspect(connection).get_columns(register.table, schema="reg")}
    assert set(register.fields) <= columns
    build_table(connection, register)
    assert {column["name"] for column in inspect(connection).get_columns(register.table, schema="reg")} == columns


@found("document")
def test_the_document_is_made_from_an_example(name: str) -> None:
    content = tree().files["document", name].content
    template = parse_template(content, name=name, pieces=pieces_for(content, pack=pack_of(name), find=lambda piece: tree().files["piece", piece].content))
    data = validate(form(template.form), data=answers(form(template.form)), rights={}, context=context()).stored if template.form else {}
    nodes = [spec.node for spec in template.signatures] or ["office_review"]
    opinions = tuple(
        {"node": node, "title": "审核", "person": "周启衡", "post": "所长", "words": "同意。", "date": "2026-11-20", "signed": True} for node in nodes
    )
    unit = {"name": "上海市云浦区市场监督管理局", "short_name": "云浦局", "number_word": "沪市监云", "bureau": "market_regulation", "id": "u"}
    case = {"id": "c", "kind": "x.y", "number": "沪市监云线〔2026〕0001号", "title": "经营超过保质期的食品", "subject": "上海云浦麦浪食品有限公司", "address": "汀兰路"}
    snapshot = Snapshot(data=data, case=case, unit=unit, handling_unit=unit, opinions=opinions, number="沪市监云立〔2026〕0001号", today=AT.date())
    made = compose(template, snapshot, check_code="7Q4K-2M9X-D3", verify_url="https://example.invalid/v/7Q4K-2M9X-D3")
    assert template.title in made.html
    assert "None" not in made.html
    assert {spec.anchor for spec in template.signatures} <= set(made.anchors)
    assert template.seal is None or "seal" in made.anchors


@found("dictionary")
def test_the_dictionary_has_entries_with_codes_of_their_own(name: str) -> None:
    from tests.packs.examples import entries

    codes = [str(entry["code"]) for entry in entries(name)]
    assert codes
    assert len(set(codes)) == len(codes)
    assert all(entry["title"] for entry in entries(name))
