"""Data objects, properties and data associations carry data as facts."""
from __future__ import annotations

from tests.engine.runtime.bpmn.drafts import compiled, findings, line
from tests.engine.runtime.bpmn.driver import Driver

START, END = '<startEvent id="s"/>', '<endEvent id="e"/>'
INVOICE = '<dataObject id="d1" name="Invoice total"/><dataObjectReference id="r1" name="Invoice [checked]" dataObjectRef="d1"/>'


def given(source: str, target: str, more: str = "") -> str:
    return f"<dataInputAssociation><sourceRef>{source}</sourceRef><targetRef>{target}</targetRef>{more}</dataInputAssociation>"


def result(source: str, target: str) -> str:
    origin = f"<sourceRef>{source}</sourceRef>" if source else ""
    return f"<dataOutputAssociation>{origin}<targetRef>{target}</targetRef></dataOutputAssociation>"


def service(name: str, inside: str) -> str:
    return f'<serviceTask id="{name}" gc:handler="h">{inside}</serviceTask>'


def test_a_data_object_hands_a_result_to_the_next_activity() -> None:
    write = '<ioSpecification><dataOutput id="o" name="amount"/></ioSpecification>' + result("o", "r1")
    read = '<ioSpecification><dataInput id="i" name="sum"/></ioSpecification>' + given("r1", "i")
    run = Driver(compiled(START + INVOICE + service("a", write) + service("b", read) + line("s", "a", "b")))
    run.do("a", amount=7, noise=1)
    assert run.machine.facts()["Invoice_total"] == 7
    assert "noise" not in run.machine.facts()
    assert run.waits.services[0].inputs == {"sum": 7}


def test_a_person_fills_a_data_object() -> None:
    user = '<userTask id="a" gc:role="r"><ioSpecification><dataOutput id="o" name="amount"/></ioSpecification>' + result("o", "r1") + "</userTask>"
    gate = '<exclusiveGateway id="g" default="g_e"/><userTask id="b" gc:role="r"/>'
    condition = '<sequenceFlow id="g_b" sourceRef="g" targetRef="b"><conditionExpression>Invoice_total &gt; 5</conditionExpression></sequenceFlow>'
    run = Driver(compiled(START + INVOICE + user + gate + END + line("s", "a", "g", "e") + condition))
    run.do("a", amount=6)
    assert run.open == ["b"]


def test_an_association_without_inner_names_uses_the_data_object_itself() -> None:
    placeholder = '<property id="pp" name="__targetRef_placeholder"/>'
    body = START + INVOICE + service("a", result("", "r1")) + service("b", placeholder + given("r1", "pp")) + line("s", "a", "b")
    run = Driver(compiled(body))
    run.do("a", Invoice_total=3)
    assert run.waits.services[0].inputs == {"Invoice_total": 3}


def test_a_transformation_is_feel() -> None:
    read = '<ioSpecification><dataInput id="i" name="twice"/></ioSpecification>' + given("r1", "i", "<transformation>Invoice_total * 2</transformation>")
    run = Driver(compiled(START + INVOICE + service("b", read) + line("s", "b")), {"Invoice_total": 4})
    assert run.waits.services[0].inputs == {"twice": 8}


def test_a_data_object_of_a_sub_process_lives_in_it_only() -> None:
    inner = (
        '<subProcess id="p1" name="body"><startEvent id="i"/><dataObject id="d2" name="note"/>'
        + service("a", result("", "d2")) + '<userTask id="u" gc:role="r"/>' + line("i", "a", "u") + '</subProcess><userTask id="after" gc:role="r"/>'
    )
    run = Driver(compiled(START + inner + line("s", "p1", "after")))
    run.do("a", note="inside")
    assert run.waits.user_tasks[0].facts["note"] == "inside"
    assert "note" not in run.machine.facts()
    run.do("u", seen=True)
    assert run.open == ["after"]
    assert "note" not in run.waits.user_tasks[0].facts
    assert run.machine.facts()["seen"] is True


def test_each_round_of_a_body_starts_with_its_own_data_object_empty() -> None:
    body = (
        '<subProcess id="b"><startEvent id="i"/><property id="x" name="seen"/><userTask id="u" gc:role="r"/>' + line("i", "u")
        + '<standardLoopCharacteristics loopMaximum="2"/></subProcess>'
    )
    run = Driver(compiled(START + body + line("s", "b")))
    run.do("u", seen="first")
    assert run.waits.user_tasks[0].facts["seen"] is None


def test_data_flows_into_and_out_of_a_sub_process() -> None:
    body = (
        '<subProcess id="b"><ioSpecification><dataInput id="bi" name="sum"/><dataOutput id="bo" name="checked"/></ioSpecification>'
        + given("r1", "bi") + result("bo", "d3") + '<startEvent id="i"/><userTask id="u" gc:role="r"/>' + line("i", "u") + "</subProcess>"
    )
    run = Driver(compiled(START + INVOICE + '<dataObject id="d3" name="verdict"/>' + body + END + line("s", "b", "e")), {"Invoice_total": 9})
    assert run.waits.user_tasks[0].facts["sum"] == 9
    run.do("u", checked="yes")
    assert run.machine.completed
    assert run.machine.facts()["verdict"] == "yes"
    assert "sum" not in run.machine.facts()


def test_a_collection_object_is_worked_off_item_by_item() -> None:
    many = (
        '<ioSpecification><dataInput id="all" name="people"/><dataOutput id="answers" name="answers"/></ioSpecification>' + given("dp", "all") + result("answers", "da")
        + '<multiInstanceLoopCharacteristics><loopDataInputRef>all</loopDataInputRef><loopDataOutputRef>answers</loopDataOutputRef>'
        '<inputDataItem id="one" name="person"/><outputDataItem id="out" name="answer"/></multiInstanceLoopCharacteristics>'
    )
    objects = '<dataObject id="dp" name="people" isCollection="true"/><dataObject id="da" name="answers" isCollection="true"/>'
    run = Driver(compiled(START + objects + f'<userTask id="a" gc:role="r">{many}</userTask>' + END + line("s", "a", "e")), {"people": ["p1", "p2"]})
    assert [wait.facts["person"] for wait in run.waits.user_tasks] == ["p1", "p2"]
    run.do("a", 1, answer="no")
    run.do("a", 0, answer="yes")
    assert run.machine.facts()["answers"] == ["yes", "no"]


def test_inputs_and_outputs_of_a_process_are_its_parameters_and_results() -> None:
    io = '<ioSpecification><dataInput id="pi" name="Days asked"/><dataOutput id="po" name="Verdict"/></ioSpecification>'
    process = compiled(io + START + '<userTask id="a" gc:role="r"/>' + line("s", "a"))
    assert list(process.model.parameters) == ["Days_asked"]
    assert list(process.model.results) == ["Verdict"]


def test_a_message_fills_a_data_object() -> None:
    catch = '<intermediateCatchEvent id="c"><dataOutput id="o" name="body"/>' + result("o", "r1") + '<messageEventDefinition messageRef="m"/></intermediateCatchEvent>'
    run = Driver(compiled(START + INVOICE + catch + END + line("s", "c", "e"), outside='<message id="m" name="bill"/>'))
    run.hear("bill", body=12)
    assert run.machine.facts()["Invoice_total"] == 12


def test_a_data_store_is_documentation_and_says_so() -> None:
    body = START + '<dataStoreReference id="store" name="台账"/><userTask id="a" gc:role="r">' + result("", "store") + "</userTask>" + line("s", "a")
    assert ("store", "data_store") in [(item["element"], item["rule"]) for item in findings(body)]
