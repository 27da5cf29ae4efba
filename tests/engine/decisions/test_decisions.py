from __future__ import annotations

import datetime as dt
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from engine.cli.decisions import command
from engine.decisions import DecisionError, DecisionModel, compile_dmn

NAMESPACE = "https://www.omg.org/spec/DMN/20230324/MODEL/"


def model(body: str, namespace: str = NAMESPACE, **attributes: str) -> DecisionModel:
    extra = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return compile_dmn(f'<definitions xmlns="{namespace}" id="m" name="m" namespace="urn:m"{extra}>{body}</definitions>'.encode())


def inputs(*names: str) -> str:
    return "".join(f'<inputData id="{name}" name="{name}"><variable name="{name}"/></inputData>' for name in names)


def needs(*names: str, kind: str = "Input") -> str:
    return "".join(f'<informationRequirement><required{kind} href="#{name}"/></informationRequirement>' for name in names)


def knows(*names: str) -> str:
    return "".join(f'<knowledgeRequirement><requiredKnowledge href="#{name}"/></knowledgeRequirement>' for name in names)


def literal(text: str) -> str:
    return f"<literalExpression><text>{text.replace('&', '&amp;').replace('<', '&lt;')}</text></literalExpression>"


def decision(name: str, logic: str, requires: str = "", kind: str = "") -> str:
    reference = f' typeRef="{kind}"' if kind else ""
    return f'<decision id="{name}" name="{name}"><variable name="{name}"{reference}/>{requires}{logic}</decision>'


def table(policy: str, rows: list[tuple[str, ...]], *, aggregation: str = "", outputs: str = '<output name="o"/>', columns: str = "ab") -> str:
    """A table of the inputs a and b; a row is its input cells, then its output cells."""
    heads = "".join(f"<input label='列{name}'><inputExpression><text>{name}</text></inputExpression></input>" for name in columns)
    rules = "".join(
        "<rule>" + "".join(f"<inputEntry><text><![CDATA[{cell}]]></text></inputEntry>" for cell in row[:len(columns)])
        + "".join(f"<outputEntry><text><![CDATA[{cell}]]></text></outputEntry>" for cell in row[len(columns):]) + "</rule>" for row in rows)
    aggregated = f' aggregation="{aggregation}"' if aggregation else ""
    return f'<decisionTable hitPolicy="{policy}"{aggregated}>{heads}{outputs}{rules}</decisionTable>'


def with_table(policy: str, rows: list[tuple[str, ...]], **options: Any) -> DecisionModel:
    return model(inputs("a", "b") + decision("d", table(policy, rows, **options), needs("a", "b")))


ROWS = [("< 10", "-", '"low"'), ("[5..20]", '"x", "y"', '"middle"'), ("> 15", 'not("x")', '"high"')]
ORDERED = '<output name="o"><outputValues><text>"high", "middle", "low"</text></outputValues></output>'


@pytest.mark.parametrize(("policy", "options", "context", "expected"), [
    ("UNIQUE", {}, {"a": 3, "b": "x"}, "low"), ("UNIQUE", {}, {"a": 12, "b": "z"}, None), ("FIRST", {}, {"a": 7, "b": "x"}, "low"),
    ("PRIORITY", {"outputs": ORDERED}, {"a": 7, "b": "x"}, "middle"), ("RULE ORDER", {}, {"a": 18, "b": "y"}, ["middle", "high"]),
    ("OUTPUT ORDER", {"outputs": ORDERED}, {"a": 18, "b": "y"}, ["high", "middle"]), ("COLLECT", {}, {"a": 7, "b": "y"}, ["low", "middle"]),
    ("COLLECT", {}, {"a": 12, "b": "z"}, []), ("COLLECT", {"aggregation": "COUNT"}, {"a": 7, "b": "y"}, 2),
    ("COLLECT", {"aggregation": "COUNT"}, {"a": 12, "b": "z"}, 0), ("ANY", {}, {"a": 3, "b": "x"}, "low"), ("UNIQUE", {}, {"a": None, "b": None}, None),
])
def test_every_hit_policy_answers_as_dmn_says(policy: str, options: dict[str, Any], context: dict[str, Any], expected: Any) -> None:
    assert with_table(policy, ROWS, **options).evaluate("d", context) == expected


@pytest.mark.parametrize(("aggregation", "expected"), [("SUM", 60), ("MIN", 10), ("MAX", 30), ("COUNT", 3)])
def test_a_collecting_table_aggregates(aggregation: str, expected: int) -> None:
    rows = [("-", "-", "10"), ("> 0", "-", "20"), ("-", "-", "30"), ("< 0", "-", "99")]

    assert with_table("COLLECT", rows, aggregation=aggregation).evaluate("d", {"a": 1, "b": 1}) == expected


def test_several_outputs_make_a_context_and_defaults_fill_in() -> None:
    outputs = '<output name="o"/><output name="p"><defaultOutputEntry><text>"none"</text></defaultOutputEntry></output>'
    made = with_table("UNIQUE", [("1", "-", '"one"', "a + 1")], outputs=outputs)

    assert made.evaluate("d", {"a": 1, "b": 0}) == {"o": "one", "p": 2}
    assert made.evaluate("d", {"a": 2, "b": 0}) == {"o": None, "p": "none"}


def test_overlapping_unique_rules_are_an_error_that_names_them() -> None:
    with pytest.raises(DecisionError, match="决策“d”：命中策略是“唯一”，但第 1、2 条规则同时命中"):
        with_table("UNIQUE", ROWS).evaluate("d", {"a": 7, "b": "x"})


def test_rules_of_an_any_table_must_agree() -> None:
    with pytest.raises(DecisionError, match="第 1、2 条规则的输出不同"):
        with_table("ANY", ROWS).evaluate("d", {"a": 7, "b": "x"})


def test_a_missing_input_is_an_error_but_null_is_not() -> None:
    made = with_table("UNIQUE", ROWS)

    assert made.evaluate("d", {"a": 3, "b": None}) == "low"
    with pytest.raises(DecisionError, match="缺少输入“b”"):
        made.evaluate("d", {"a": 3})


@pytest.mark.parametrize(("rows", "context", "words"), [
    ([("< 10", "-", "1")], {"a": "x", "b": 1}, "决策“d”，第 1 条规则，输入“列a”：第 1 行第 1 列：文本与数字不能比较大小"),
    ([("-", "-", "1"), ("-", "limt", "2")], {"a": 1, "b": 1}, "第 2 条规则，输入“列b”：第 1 行第 1 列：没有名为“limt”的数据"),
    ([("-", "-", "a * true")], {"a": 1, "b": 1}, "第 1 条规则，输出“o”：第 1 行第 3 列：数字与是/否不能相乘"),
])
def test_strict_evaluation_names_the_cell(rows: list[tuple[str, ...]], context: dict[str, Any], words: str) -> None:
    made = with_table("COLLECT", rows)
    made.evaluate("d", context)

    with pytest.raises(DecisionError) as caught:
        made.evaluate("d", context, strict=True)

    assert words in caught.value.message


def test_a_cell_that_is_not_feel_is_a_finding_and_fails_when_asked() -> None:
    made = with_table("FIRST", [("1", "-", "1"), ("== 3", "-", "2")])

    assert [finding["rule"] for finding in made.findings] == ["dmn_expression"]
    assert "决策“d”，第 2 条规则，输入“列a”" in made.findings[0]["message"]
    assert made.evaluate("d", {"a": 1, "b": 1}) == 1
    with pytest.raises(DecisionError, match="第 2 条规则"):
        made.evaluate("d", {"a": 2, "b": 1})


def test_decisions_build_on_decisions_knowledge_and_services() -> None:
    made = model(
        inputs("amount")
        + '<businessKnowledgeModel id="fine" name="fine"><variable name="fine"/><encapsulatedLogic><formalParameter name="base" typeRef="number"/>'
        + literal("base * rate(base)") + "</encapsulatedLogic>" + knows("rate") + "</businessKnowledgeModel>"
        + '<businessKnowledgeModel id="rate" name="rate"><encapsulatedLogic><formalParameter name="n"/>' + literal("if n > 100 then 2 else 1")
        + "</encapsulatedLogic></businessKnowledgeModel>"
        + decision("basis", literal("amount + 1"), needs("amount"))
        + decision("total", literal("fine(basis)"), needs("basis", kind="Decision") + knows("fine"))
        + '<decisionService id="service" name="service"><outputDecision href="#total"/><encapsulatedDecision href="#basis"/>'
        + '<inputData href="#amount"/></decisionService>'
        + decision("both", literal("service(200) + service(amount: 1)"), knows("service")))

    assert made.findings == []
    assert (made.decisions, made.invocables, made.inputs) == (["basis", "total", "both"], ["fine", "rate", "service"], ["amount"])
    assert made.required_inputs("total") == ["amount"]
    assert made.evaluate("total", {"amount": 100}) == 202
    assert made.evaluate("both", {}) == 404
    assert made.invoke("fine", {"base": 10}) == 10
    assert made.invoke("service", {"amount": 9}) == 10
    assert made.invoke("fine", {"base": "ten"}) is None


BOXED = {
    "context": ("<context><contextEntry><variable name='x'/>" + literal("a + 1") + "</contextEntry><contextEntry>" + literal("x * 2")
                + "</contextEntry></context>", 4),
    "list": ("<list>" + literal("a") + literal('"z"') + "</list>", [1, "z"]),
    "relation": ("<relation><column name='n'/><column name='v'/><row>" + literal('"k"') + literal("a") + "</row></relation>", [{"n": "k", "v": 1}]),
    "conditional": ("<conditional><if>" + literal("a = 1") + "</if><then>" + literal('"yes"') + "</then><else>" + literal('"no"') + "</else></conditional>", "yes"),
    "filter": ("<filter><in>" + literal("[{n: 1}, {n: 2}]") + "</in><match>" + literal("n > a") + "</match></filter>", [{"n": 2}]),
    "for": ("<for iteratorVariable='i'><in>" + literal("[1..3]") + "</in><return>" + literal("i + count(partial)") + "</return></for>", [1, 3, 5]),
    "some": ("<some iteratorVariable='i'><in>" + literal("[1, 2]") + "</in><satisfies>" + literal("i > a") + "</satisfies></some>", True),
    "every": ("<every iteratorVariable='i'><in>" + literal("[1, 2]") + "</in><satisfies>" + literal("i > a") + "</satisfies></every>", False),
    "invocation": ("<context><contextEntry><variable name='f'/><functionDefinition><formalParameter name='p'/>" + literal("p + a")
                   + "</functionDefinition></contextEntry><contextEntry><invocation>" + literal("f") + "<binding><parameter name='p'/>" + literal("41")
                   + "</binding></invocation></contextEntry></context>", 42),
}


@pytest.mark.parametrize("kind", BOXED)
def test_boxed_expressions_have_their_values(kind: str) -> None:
    logic, expected = BOXED[kind]
    made = model(inputs("a") + decision("d", logic, needs("a")))

    assert made.findings == []
    assert made.evaluate("d", {"a": 1}) == expected


TYPES = (
    '<itemDefinition name="tLevel"><typeRef>string</typeRef><allowedValues><text>"轻", "重"</text></allowedValues></itemDefinition>'
    '<itemDefinition name="tCase"><itemComponent name="level"><typeRef>tLevel</typeRef></itemComponent><itemComponent name="fines" isCollection="true">'
    "<typeRef>number</typeRef></itemComponent></itemDefinition>"
    '<inputData id="c" name="c"><variable name="c" typeRef="tCase"/></inputData>')


def test_item_definitions_check_and_coerce_values() -> None:
    made = model(TYPES + decision("d", literal("c.level"), needs("c")) + decision("n", literal('"text"'), "", "number")
                 + decision("l", literal("[5]"), "", "number"))

    assert made.evaluate("d", {"c": {"level": "轻", "fines": [1, 2]}}) == "轻"
    assert made.evaluate("d", {"c": {"level": "中", "fines": []}}) is None
    assert made.evaluate("n", {}) is None
    assert made.evaluate("l", {}) == 5
    with pytest.raises(DecisionError, match="输入“c”：类型不符"):
        made.evaluate("d", {"c": {"level": "中", "fines": []}}, strict=True)
    with pytest.raises(DecisionError, match="决策“n”：类型不符，需要 number"):
        made.evaluate("n", {}, strict=True)


@pytest.mark.parametrize("version", ["20151101/dmn.xsd", "20180521/MODEL/", "20191111/MODEL/", "20211108/MODEL/", "20230324/MODEL/"])
def test_files_of_dmn_1_1_to_1_5_are_read(version: str) -> None:
    scheme = "http" if version.startswith(("2015", "2018")) else "https"

    assert model(decision("d", literal("1 + 1")), f"{scheme}://www.omg.org/spec/DMN/{version}").evaluate("d", {}) == 2


def test_now_is_the_instant_that_the_caller_gives() -> None:
    at = dt.datetime(2026, 1, 1, 0, 0, tzinfo=dt.UTC)

    assert model(decision("d", literal("now().year"))).evaluate("d", {}, at=at) == 2026


def test_circles_between_decisions_are_an_error() -> None:
    made = model(decision("x", literal("y"), needs("y", kind="Decision")) + decision("y", literal("x"), needs("x", kind="Decision")))

    with pytest.raises(DecisionError, match="循环依赖"):
        made.evaluate("x", {})


def test_knowledge_that_calls_itself_ends() -> None:
    body = '<businessKnowledgeModel id="f" name="f"><encapsulatedLogic><formalParameter name="n"/>' + literal("if n &lt; 2 then 1 else n * f(n - 1)".replace("&lt;", "<"))
    made = model(body + "</encapsulatedLogic>" + knows("f") + "</businessKnowledgeModel>")

    assert made.invoke("f", {"n": 5}) == 120
    with pytest.raises(DecisionError, match="已停止"):
        made.invoke("f", {"n": 100_000})


@pytest.mark.parametrize("xml", [
    b"", b"nonsense", b"<a/>", b"<definitions/>", b"<?xml version='1.0'?><!DOCTYPE d [<!ENTITY e 'x'>]><definitions xmlns='" + NAMESPACE.encode() + b"'/>",
    b"<?xml version='1.0'?><!DOCTYPE d SYSTEM 'file:///etc/passwd'><definitions xmlns='" + NAMESPACE.encode() + b"'>&d;</definitions>",
    b"<definitions xmlns='" + NAMESPACE.encode() + b"'>" + b"<x>" * 5000, b"\xff\xfe\x00", b"<definitions xmlns='" + NAMESPACE.encode() + b"'>" + b"<x>" * 200
    + b"</x>" * 200 + b"</definitions>", b"x" * 6_000_000,
])
def test_a_file_that_is_no_dmn_is_refused(xml: bytes) -> None:
    with pytest.raises(DecisionError):
        compile_dmn(xml)


@pytest.mark.parametrize(("body", "words"), [
    (decision("d", "<decisionTable/>"), "没有输出列"), (decision("d", table("SOMETIMES", [("1", "1", "1")])), "命中策略"),
    (decision("d", table("UNIQUE", [("1", "1")])), "列数与表头不一致"), (decision("d", literal("1"), needs("gone")), "#gone"),
    (decision("d", table("COLLECT", [], aggregation="SUM", outputs='<output name="o"/><output name="p"/>')), "不能汇总"),
    (decision("d", "<literalExpression expressionLanguage='http://www.java.com'><text>x</text></literalExpression>"), "只支持 FEEL"),
    (decision("d", table("PRIORITY", [("1", "1", "1")])), "优先顺序"), (decision("d", literal("1"), "", "tNothing"), "没有名为“tNothing”的类型"),
])
def test_what_makes_no_sense_is_a_finding(body: str, words: str) -> None:
    assert any(words in finding["message"] for finding in model(body).findings)


def test_unknown_names_are_errors() -> None:
    made = model(decision("d", literal("1")))

    for ask in (made.evaluate, made.invoke):
        with pytest.raises(DecisionError, match="没有名为“x”"):
            ask("x", {})


def test_an_imported_file_gives_types_decisions_and_knowledge() -> None:
    library = (f'<definitions xmlns="{NAMESPACE}" name="lib" namespace="urn:lib"><businessKnowledgeModel id="twice" name="twice"><encapsulatedLogic>'
               f'<formalParameter name="n"/>{literal("n * 2")}</encapsulatedLogic></businessKnowledgeModel></definitions>').encode()
    main = (f'<definitions xmlns="{NAMESPACE}" name="main" namespace="urn:main"><import namespace="urn:lib" name="lib" importType="{NAMESPACE}"/>'
            + decision("d", literal("lib.twice(21)"), '<knowledgeRequirement><requiredKnowledge href="urn:lib#twice"/></knowledgeRequirement>')
            + "</definitions>").encode()

    assert compile_dmn(main, imports={"urn:lib": library}).evaluate("d", {}) == 42
    with pytest.raises(DecisionError, match="找不到要导入的决策文件“lib”"):
        compile_dmn(main)


def test_the_command_answers_json_lines(tmp_path: Path) -> None:
    file = tmp_path / "d.dmn"
    file.write_bytes((
        f'<definitions xmlns="{NAMESPACE}" name="m" namespace="urn:m">' + inputs("a", "when")
        + decision("d", literal("{n: a / 3, later: when + @&quot;P1D&quot;, r: @&quot;PT1H&quot;, z: null}".replace("&quot;", '"')), needs("a", "when"))
        + "</definitions>").encode())
    lines = "\n".join([
        '{"decision": "d", "context": {"a": 1, "when": {"date and time": "2026-01-01T08:00:00+08:00"}}}', '{"decision": "d", "context": {}}',
        '{"decision": "d", "context": 5}', "{", '"d"', '{"invocable": "d"}', '{"decision": "d", "context": {"a": {"date": "soon"}, "when": 1}}', "",
        '{"decision": "d", "context": {"a": 1e999999, "when": 1}}', "[" * 100_000, '{"decision": "d", "context": {"a": NaN}}',
        '{"decision": "\\ud800"}',
    ])

    result = CliRunner().invoke(command, [str(file)], input=lines)

    answers = result.output.splitlines()
    assert answers[0] == ('{"value": {"n": 0.3333333333333333333333333333333333, "later": {"date and time": "2026-01-02T08:00:00+08:00"}, '
                          '"r": {"duration": "PT1H"}, "z": null}}')
    assert len(answers) == 11
    assert [answer for answer in answers[1:] if not answer.startswith('{"error": ')] == []
    assert "Traceback" not in result.output


def test_the_command_runs_as_a_program(tmp_path: Path) -> None:
    file = tmp_path / "d.dmn"
    file.write_bytes(f'<definitions xmlns="{NAMESPACE}" name="m" namespace="urn:m">{decision("d", literal("1.10"))}</definitions>'.encode())

    done = subprocess.run([sys.executable, "-m", "engine", "decisions", str(file)], input=b'{"decision": "d"}\n', capture_output=True, check=True)

    assert done.stdout == b'{"value": 1.10}\n'


def test_a_thousand_rules_are_quick() -> None:
    import time
    rows = [(f'"k{n}"', f"[{n}..{n + 3}]", str(n)) for n in range(1000)]
    made = with_table("UNIQUE", rows)
    best = 1.0
    for _ in range(5):
        started = time.perf_counter()
        assert made.evaluate("d", {"a": "k900", "b": 901}) == Decimal(900)
        best = min(best, time.perf_counter() - started)

    assert best < 0.005


def test_facts_that_no_decision_reads_may_be_of_any_type() -> None:
    made = model(inputs("a") + decision("d", literal("a"), needs("a")))

    assert made.evaluate("d", {"a": 1, "other": object()}) == 1
    with pytest.raises(DecisionError, match="FEEL 没有的类型"):
        made.evaluate("d", {"a": object()})


def test_a_table_in_a_file_that_declares_no_input_reads_the_names_of_its_columns() -> None:
    column = '<input id="i" label="金额"><inputExpression typeRef="integer"><text>amount</text></inputExpression></input>'
    rules = "".join(f"<rule><inputEntry><text>{entry}</text></inputEntry><outputEntry><text>{value}</text></outputEntry></rule>" for entry, value in (("&lt; 10", "1"), ("&gt;= 5", "2")))
    made = model(decision("level", f'<decisionTable hitPolicy="UNIQUE">{column}<output id="o"/>{rules}</decisionTable>'), namespace="http://www.omg.org/spec/DMN/20151101/dmn.xsd")
    assert made.inputs == ["amount"] and made.evaluate("level", {"amount": Decimal(20)}) == 2
    with pytest.raises(DecisionError, match="缺少输入“amount”"):
        made.evaluate("level", {})
    with pytest.raises(DecisionError, match="UNIQUE|唯一|规则"):
        made.evaluate("level", {"amount": Decimal(7)})
