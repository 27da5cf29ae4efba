import copy
from typing import Any

import pytest

from engine.form_filling.widgets import all_widgets
from engine.kernel.errors import DeployRefused
from tests.engine.form_filling.samples import REPORT, load, one_field


def findings(schema: dict[str, Any]) -> list[dict[str, Any]]:
    with pytest.raises(DeployRefused) as refused:
        one_field(schema)
    return refused.value.findings


def test_every_module_of_widgets_registers_by_being_there() -> None:
    assert set(all_widgets()) >= set(
        "text textarea number money date datetime choice choices person unit party address files photos rows opinion signature".split()
    )


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        ({"type": "string"}, "text"),
        ({"type": "string", "maxLength": 500}, "textarea"),
        ({"type": "integer"}, "number"),
        ({"type": "boolean"}, "boolean"),
        ({"type": "string", "format": "date"}, "date"),
        ({"type": "string", "format": "date-time"}, "datetime"),
        ({"type": "string", "enum": ["a"]}, "choice"),
        ({"type": "array", "x-gc": {"dictionary": "domain"}}, "choices"),
        ({"type": "array"}, "files"),
        ({"type": "array", "items": {"properties": {"a": {"type": "string"}}}}, "rows"),
    ],
)
def test_the_kind_follows_from_type_and_format(schema: dict[str, Any], kind: str) -> None:
    assert one_field(schema).fields["x"].kind == kind


def test_a_bare_dictionary_is_the_packs_own_also_in_columns() -> None:
    form = load()
    assert form.fields["domain"].dictionary == "demo.domain"
    assert form.fields["evidence"].columns["kind"].dictionary == "demo.evidence_kind"


def test_a_shared_piece_comes_by_reference_and_keys_beside_it_win() -> None:
    form = one_field({"$ref": "common.opinion", "title": "科室意见", "x-gc": {"fact": "words"}})
    assert (form.fields["x"].title, form.fields["x"].kind, form.fields["x"].gc["fact"]) == ("科室意见", "opinion", "words")


def test_fields_settle_after_what_they_read() -> None:
    order = load().order
    assert order.index("fine") < order.index("less")
    assert order.index("evidence") < order.index("pages")


def test_fields_that_no_group_names_come_last() -> None:
    assert load().groups[-1].title == "其他"
    assert "opinion" in load().groups[-1].fields


@pytest.mark.parametrize(
    ("schema", "rule"),
    [
        ({"type": "string", "x-gc": {"widget": "slider"}}, "form.widget"),
        ({"type": "string", "x-gc": {"colour": "red"}}, "form.key"),
        ({"type": "object"}, "form.widget"),
        ({"type": "string", "x-gc": {"when": "a = = 1"}}, "form.feel"),
        ({"type": "string", "x-gc": {"parent": "nowhere"}}, "form.parent"),
        ({"$ref": "common.nothing"}, "form.ref"),
        ({"type": "string", "x-gc": {"check": [{"test": "x = 1"}]}}, "form.check"),
        ({"type": "string", "pattern": "("}, "form.schema"),
        ({"$ref": "#/properties/x"}, "form.ref"),
        ({"type": "string", "x-gc": {"dictionary": "a.b.c"}}, "form.dictionary"),
    ],
)
def test_a_fault_is_a_finding_that_names_its_rule(schema: dict[str, Any], rule: str) -> None:
    assert rule in {finding["rule"] for finding in findings(schema)}


def test_conditions_that_wait_for_each_other_are_refused() -> None:
    circle = {"a": {"type": "string", "x-gc": {"when": 'b = "1"'}}, "b": {"type": "string", "x-gc": {"when": 'a = "1"'}}}
    with pytest.raises(DeployRefused) as refused:
        load({"title": "表", "properties": circle})
    assert refused.value.findings[0]["rule"] == "form.circle"


def test_a_group_that_names_a_missing_or_a_used_field_is_refused() -> None:
    wrong = copy.deepcopy(REPORT)
    wrong["x-gc"]["groups"][0]["fields"] = ["cause", "party", "ghost"]
    with pytest.raises(DeployRefused) as refused:
        load(wrong)
    assert {finding["element"] for finding in refused.value.findings} == {"party", "ghost"}


def test_a_form_without_fields_is_refused() -> None:
    with pytest.raises(DeployRefused):
        load({"title": "空表", "properties": {}})
