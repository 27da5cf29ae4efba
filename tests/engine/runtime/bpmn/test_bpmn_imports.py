"""Diagrams of Camunda 7 and 8 and Flowable come in with what has a meaning here."""
from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime

import pytest

from engine.expressions import compile_expression
from engine.kernel.errors import DeployRefused
from engine.kernel.settings import ROOT
from engine.runtime.bpmn.importers.juel import to_feel
from engine.runtime.bpmn.importers.writing import word
from engine.runtime.bpmn.machine import Machine
from engine.runtime.bpmn.trial import try_each
from engine.runtime.bpmn.watchdog import guard, look
from tests.engine.runtime.bpmn.drafts import compiled, draft, flow, line

START, END = '<startEvent id="s"/>', '<endEvent id="e"/>'
NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


@pytest.mark.parametrize(("juel", "feel"), [
    ("${approved}", "approved"), ("${!approved}", "not(approved)"), ("#{a == 'x' && b != null}", 'a = "x" and b != null'),
    ("${amount gt 3 || !(b and c)}", "amount > 3 or not((b and c))"), ("plain", "plain"), ("${a ? b : 'x'}", '(if a then b else "x")'),
    ("${not empty a and a[0].n == 1}", 'not((a = null or string(a) in ("", "[]"))) and a[1].n = 1'), ("${a % 2 == 0}", "modulo(a, 2) = 0"),
    ("${list.size() >= 2}", "count(list) >= 2"), ("${a.equals('b')}", '(a = "b")'), ("${execution.getVariable('x') > 1}", "x > 1"), ("${m['k'] - -1}", 'get value(m, "k") - -1'),
])
def test_conditions_become_feel(juel, feel) -> None:
    assert to_feel(juel) == feel
    compile_expression(feel)


@pytest.mark.parametrize("juel", ["${bean.check(x)}", "${dateTime().plusDays(1)}", "${a &}", "${" + "(" * 300 + "a" + ")" * 300 + "}"])
def test_code_of_the_other_system_stays_as_it_is_and_is_reported(juel) -> None:
    assert to_feel(juel) == juel
    body = START + '<exclusiveGateway id="g" default="g_e"/><userTask id="t"/>' + END + line("s", "g", "e") + flow("g", "t", juel.replace("&", "&amp;")) + line("t", "e")
    result = list(try_each(draft(body), facts={}, now=NOW))[1]
    assert (result["outcome"], result["at"]) == ("waiting", ["g"])
    assert any(found["rule"] == "feel" and "原系统的代码" in found["message"] for found in result["findings"])


@pytest.mark.parametrize(("timer", "said"), [
    ("0 0/5 * * * ?", "cron"), ("@daily", "cron"), ("P", "ISO 8601"), ("-P1D", "ISO 8601"), ("R/P0D", "ISO 8601"), ("R3/PT0S", "ISO 8601"), ("R-1/PT1H", ""), ("${due}", "没有值"),
])
def test_times_of_elsewhere_come_in_or_are_told_how_to_be_written(timer, said) -> None:
    beside = f'<boundaryEvent id="b" attachedToRef="a" cancelActivity="false"><timerEventDefinition><timeCycle>{timer}</timeCycle></timerEventDefinition></boundaryEvent>'
    result = list(try_each(draft(START + '<userTask id="a"/>' + beside + END + line("s", "a", "e") + line("b", "e")), facts={}, now=NOW))[1]
    told = [found["message"] for found in result["findings"] if found["element"] == "b" and found["rule"] in ("timer", "feel", "incident")]
    assert len(told) == bool(said) and all(said in message for message in told)


@pytest.mark.parametrize("rest", [
    '<inclusiveGateway id="m"/><inclusiveGateway id="a"/>' + line("s", "m", "a") + flow("a", "m", "true") + '<sequenceFlow id="again" sourceRef="a" targetRef="m"/>',
    '<exclusiveGateway id="m"/><parallelGateway id="a"/>' + line("s", "m", "a", "m") + '<sequenceFlow id="again" sourceRef="a" targetRef="m"/>',
    '<intermediateThrowEvent id="t"><signalEventDefinition signalRef="sg"/></intermediateThrowEvent><userTask id="u"/>' + line("s", "t", "u")
    + '<subProcess id="es" triggeredByEvent="true"><startEvent id="s3" isInterrupting="false"><signalEventDefinition signalRef="sg"/></startEvent>'
    + '<intermediateThrowEvent id="t3"><signalEventDefinition signalRef="sg"/></intermediateThrowEvent>' + line("s3", "t3") + "</subProcess>",
])
def test_a_loop_without_a_wait_stands_still_where_it_is_and_says_so(rest) -> None:
    result = list(try_each(draft(START + rest, outside='<signal id="sg" name="again"/>'), facts={}, now=NOW))[1]
    told = [found["message"] for found in result["findings"] if found["rule"] == "incident"]
    assert result["outcome"] == "incident" and told and all("没有等待环节的循环" in message for message in told)


@pytest.mark.parametrize(("file", "said"), [
    (b"", "空的"), (b"\0" * 99, "空的"), ("你好".encode(), "不像 XML"), (b'<?xml version="1.0" encoding="klingon"?><a/>', "编码"), (b"<a><b></a>", "对不上"),
    (b"<a>" * 400, "嵌套太深"), (b"<definitions/>", "BPMN 2.0"), (b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "DOCTYPE"),
])
def test_what_is_wrong_with_a_file_is_said_in_words(file, said) -> None:
    names, refused = try_each(file, facts={}, now=NOW)
    assert names == [""] and refused["outcome"] == "refused" and said in refused["findings"][0]["message"]


@pytest.mark.parametrize(("foreign", "name"), [("Sales-Team", "sales_team"), ("reviewOrder", "review_order"), ("1st", "x_1st"), ("部门", "")])
def test_names_become_words(foreign, name) -> None:
    assert word(foreign) == name


@pytest.mark.parametrize("prefix", ["camunda", "flowable"])
def test_a_camunda_7_or_flowable_diagram_runs(prefix) -> None:
    body = START + (
        f'<userTask id="a" {prefix}:candidateGroups="clerks,heads" {prefix}:formKey="embedded:app:forms/order.html" {prefix}:assignee="${{owner}}"/>'
        '<exclusiveGateway id="g" default="g_e"/><serviceTask id="t" camunda:type="external" camunda:topic="send-mail"/>'
    ) + END + line("s", "a", "g", "e") + flow("g", "t", "${outcome == 'send'}") + line("t", "e")
    process = compiled(body)
    node = process.nodes["a"]
    assert (node.attributes["role"], node.attributes["form"], node.attributes["assignee"]) == ("clerks", "order", "=owner")
    assert process.nodes["t"].attributes["handler"] == "send_mail"
    assert any("只取了第一个" in item["message"] for item in process.findings)
    machine = Machine.start(process, {}, now=NOW)
    machine.advance()
    machine.complete(machine.waits().user_tasks[0].engine_id, {"outcome": "send"})
    machine.advance()
    assert machine.waits().services[0].handler == "demo.send_mail"


def test_a_camunda_8_diagram_runs() -> None:
    body = START + (
        '<userTask id="a"><extensionElements><zeebe:assignmentDefinition candidateGroups="clerks" assignee="=owner"/><zeebe:formDefinition formId="order"/>'
        '</extensionElements><multiInstanceLoopCharacteristics><extensionElements><zeebe:loopCharacteristics inputCollection="=people" inputElement="person" '
        'outputCollection="answers" outputElement="=outcome"/></extensionElements></multiInstanceLoopCharacteristics></userTask>'
        '<scriptTask id="c"><extensionElements><zeebe:script expression="=count(answers)" resultVariable="n"/></extensionElements></scriptTask>'
        '<serviceTask id="t"><extensionElements><zeebe:taskDefinition type="send-mail"/><zeebe:ioMapping><zeebe:input source="=n" target="number"/>'
        '<zeebe:output source="=id" target="mail"/></zeebe:ioMapping></extensionElements></serviceTask>'
        '<intermediateCatchEvent id="w"><messageEventDefinition messageRef="m"/></intermediateCatchEvent>'
    ) + line("s", "a", "c", "t", "w")
    message = '<message id="m" name="reply"><extensionElements><zeebe:subscription correlationKey="=mail"/></extensionElements></message>'
    process = compiled(body, outside=message)
    machine = Machine.start(process, {"people": ["p1", "p2"]}, now=NOW)
    machine.advance()
    for wait in machine.waits().user_tasks:
        machine.complete(wait.engine_id, {"outcome": "yes"})
    machine.advance()
    service = machine.waits().services[0]
    assert service.inputs == {"number": 2}
    machine.complete(service.engine_id, {"id": "mail-7"})
    machine.advance()
    assert machine.waits().subscriptions[0].correlation == "mail-7"


def test_foreign_code_is_named_and_never_run() -> None:
    body = START + '<serviceTask id="t" gc:handler="h" camunda:class="org.example.Do"/>' + line("s", "t")
    assert any("不能在这里运行" in item["message"] for item in compiled(body).findings)


def test_an_upload_is_looked_at_in_bounded_time() -> None:
    xml = draft(START + '<userTask id="a" gc:role="r"/>' + line("s", "a"))
    assert look(xml, name="demo.p") is None
    guard(xml, name="demo.p")
    with pytest.raises(DeployRefused, match="仍未结束"):
        guard(xml, name="demo.p", seconds=0.01)


def test_potential_owners_become_roles_and_xpath_becomes_feel() -> None:
    owner = '<potentialOwner><resourceRef>res</resourceRef></potentialOwner>'
    group = '<potentialOwner><resourceAssignmentExpression><formalExpression>group(Managers)</formalExpression></resourceAssignmentExpression></potentialOwner>'
    body = START + f'<userTask id="a">{owner}</userTask><userTask id="b">{group}</userTask><exclusiveGateway id="g" default="g_e"/>' + END
    process = compiled(body + line("s", "a", "b", "g", "e") + flow("g", "a", "getDataObject('clarified') = 'yes'"), outside='<resource id="res" name="Team Assistant"/>')
    assert [process.nodes[node].attributes["role"] for node in ("a", "b")] == ["team_assistant", "managers"]
    assert process.flows["g_a"].condition == 'clarified = "yes"'


def test_who_started_a_camunda_process_is_the_initiator() -> None:
    body = '<startEvent id="s" camunda:initiator="starter"/><userTask id="a" camunda:assignee="${starter}"/>' + line("s", "a")
    assert compiled(body).nodes["a"].attributes["assignee"] == "=initiator_id"


def test_a_send_task_with_a_worker_is_a_service() -> None:
    zeebe = '<extensionElements><zeebe:taskDefinition type="notify"/></extensionElements>'
    body = START + f'<sendTask id="a">{zeebe}</sendTask><sendTask id="b" camunda:type="external" camunda:topic="mail"/><businessRuleTask id="c">{zeebe}</businessRuleTask>'
    nodes = compiled(body + line("s", "a", "b", "c")).nodes
    assert [(nodes[node].kind, nodes[node].attributes["handler"]) for node in "abc"] == [("serviceTask", "notify"), ("serviceTask", "mail"), ("serviceTask", "notify")]


def test_a_script_that_only_computes_becomes_an_assignment() -> None:
    body = START + '<scriptTask id="a" scriptFormat="juel" camunda:resultVariable="total"><script>${price * 2}</script></scriptTask>' + END + line("s", "a", "e")
    assert compiled(body).nodes["a"].sets == [{"fact": "total", "value": "price * 2"}]


def test_what_has_no_meaning_here_is_a_finding() -> None:
    body = START + (
        '<userTask id="a" camunda:assignee="demo" camunda:dueDate="x"><extensionElements><camunda:taskListener event="create" class="x"/>'
        '<camunda:formData><camunda:formField id="f"/></camunda:formData></extensionElements></userTask>'
        '<callActivity id="c" calledElement="x"><extensionElements><camunda:in variables="all"/></extensionElements></callActivity>'
    ) + line("s", "a", "c")
    said = "".join(item["message"] for item in compiled(body).findings if item["rule"] == "imported")
    for word_ in ("账号", "dueDate", "监听器", "内嵌表单", "全部变量"):
        assert word_ in said


def test_trying_a_diagram_loads_no_database() -> None:
    """Half the time of `engine try` would go into it."""
    told = subprocess.run(
        [sys.executable, "-c", "import sys, engine.runtime.bpmn.lint as lint, engine.runtime.bpmn.trial; lint.rules(); print('sqlalchemy' in sys.modules)"],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=60,
    )
    assert told.stdout.strip() == "False"
