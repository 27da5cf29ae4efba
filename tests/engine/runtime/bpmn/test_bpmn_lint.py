"""Whatever would run wrong, stop or hang is refused with the element's name and what to do."""
from __future__ import annotations

import importlib
import re

import pytest

from engine.kernel.errors import DeployRefused
from engine.runtime.bpmn import lint_rules
from engine.runtime.bpmn.lint import rules
from tests.engine.runtime.bpmn.drafts import compiled, draft, findings, flow, line

START, END = '<startEvent id="s"/>', '<endEvent id="e"/>'
USER = '<userTask id="{0}" name="审查" gc:role="r"/>'
MESSAGE = '<message id="m" name="reply"/>'


def user(name: str) -> str:
    return USER.format(name)


CASES = [
    ("ids", START + '<userTask id="a" gc:role="r"/><userTask id="a" gc:role="r"/>' + line("s", "a"), "a"),
    ("unsupported", START + '<complexGateway id="x" name="复杂"/>' + line("s", "x"), "x"),
    ("unsupported", START + '<adHocSubProcess id="x"/>' + END + line("s", "e"), "x"),
    ("connections", START + user("a") + line("s", "a") + flow("a", "nowhere"), "a_nowhere"),
    ("connections", START + '<subProcess id="b">' + user("a") + "</subProcess>" + user("c") + line("s", "b") + flow("c", "a"), "c_a"),
    ("connections", START + END + user("a") + line("s", "e", "a"), "e_a"),
    ("connections", START + '<boundaryEvent id="t" attachedToRef="x"><timerEventDefinition><timeDuration>P1D</timeDuration></timerEventDefinition></boundaryEvent>'
     + user("a") + line("s", "a") + line("t", "a"), "t"),
    ("conditions", START + '<exclusiveGateway id="g" name="选择"/>' + user("a") + user("b") + line("s", "g", "a") + flow("g", "b", "1 = 1"), "g"),
    ("conditions", START + '<exclusiveGateway id="g" default="g_a"/>' + user("a") + user("b") + line("s", "g") + flow("g", "a", "1 = 1") + flow("g", "b", "1 = 2"), "g"),
    ("conditions", START + '<parallelGateway id="g"/>' + user("a") + user("b") + line("s", "g", "a") + flow("g", "b", "1 = 1"), "g"),
    ("event_gateway", START + '<eventBasedGateway id="g"/>' + user("a") + user("b") + line("s", "g", "a") + line("g", "b"), "g"),
    ("unreachable", START + user("a") + user("b") + line("s", "a") + line("b", "a"), "b"),
    ("endless", START + user("a") + user("b") + line("s", "a", "b", "a"), "a"),
    ("busy_loop", START + '<exclusiveGateway id="g" default="g_h"/><exclusiveGateway id="h" default="h_e"/>' + END + line("s", "g", "h", "e")
     + flow("h", "g", "1 = 1"), "g"),
    ("join_loop", START + '<parallelGateway id="j"/><exclusiveGateway id="g" default="g_e"/>' + user("a") + END + line("s", "j", "a", "g", "e")
     + flow("g", "j", "1 = 1"), "j"),
    ("join_deadlock", START + '<exclusiveGateway id="g" default="g_a"/>' + user("a") + user("b") + '<parallelGateway id="j"/>' + END
     + line("s", "g", "a", "j", "e") + flow("g", "b", "1 = 1") + line("b", "j"), "j"),
    ("events", START + '<intermediateCatchEvent id="c"><timerEventDefinition/></intermediateCatchEvent>' + END + line("s", "c", "e"), "c"),
    ("events", START + '<intermediateCatchEvent id="c"><messageEventDefinition/></intermediateCatchEvent>' + END + line("s", "c", "e"), "c"),
    ("events", START + '<intermediateThrowEvent id="c"><linkEventDefinition name="x"/></intermediateThrowEvent>' + line("s", "c"), "c"),
    ("events", START + '<intermediateCatchEvent id="c"/>' + END + line("s", "c", "e"), "c"),
    ("events", START + '<endEvent id="c"><errorEventDefinition/></endEvent>' + line("s", "c"), "c"),
    ("events", START + '<endEvent id="c"><cancelEventDefinition/></endEvent>' + line("s", "c"), "c"),
    ("events", START + '<endEvent id="c"><terminateEventDefinition/><terminateEventDefinition/></endEvent>' + line("s", "c"), "c"),
    ("starts", START + '<startEvent id="s2"/>' + END + line("s", "e") + line("s2", "e"), "s2"),
    ("starts", START + '<subProcess id="b"><startEvent id="i"><messageEventDefinition messageRef="m"/></startEvent></subProcess>' + END + line("s", "b", "e"), "i"),
    ("event_sub_process", START + END + line("s", "e") + '<subProcess id="b" triggeredByEvent="true"><startEvent id="i"/></subProcess>', "b"),
    ("due", START + '<userTask id="a" gc:role="r" gc:due="三天"/>' + line("s", "a"), "a"),
    ("outcomes", START + '<userTask id="a" gc:role="r"><extensionElements><gc:outcome value="同意" title="同意"/></extensionElements></userTask>' + line("s", "a"), "a"),
    ("fields", START + '<userTask id="a" gc:role="r"><extensionElements><gc:field name="x" right="edit"/></extensionElements></userTask>' + line("s", "a"), "a"),
    ("returns", START + '<userTask id="a" gc:role="r"><extensionElements><gc:returns to="b"/></extensionElements></userTask>' + line("s", "a"), "a"),
    ("policy", START + '<userTask id="a" gc:role="r" gc:policy="later"/>' + line("s", "a"), "a"),
    ("handler", START + '<serviceTask id="a" name="发送"/>' + line("s", "a"), "a"),
    ("decision", START + '<businessRuleTask id="a"/>' + line("s", "a"), "a"),
    ("script", START + '<scriptTask id="a"><script>import os</script></scriptTask>' + line("s", "a"), "a"),
    ("call", START + '<callActivity id="a"/>' + line("s", "a"), "a"),
    ("call_unknown", START + '<callActivity id="a" calledElement="missing"/>' + line("s", "a"), "a"),
    ("call_recursion", START + '<callActivity id="a" calledElement="p"/>' + line("s", "a"), "a"),
    ("loop", START + '<userTask id="a" gc:role="r"><multiInstanceLoopCharacteristics/></userTask>' + line("s", "a"), "a"),
    ("loop", START + '<userTask id="a" gc:role="r"><standardLoopCharacteristics/></userTask>' + line("s", "a"), "a"),
    ("loop", START + '<userTask id="a" gc:role="r"><multiInstanceLoopCharacteristics gc:fanout="never"><loopCardinality>51</loopCardinality></multiInstanceLoopCharacteristics></userTask>'
     + line("s", "a"), "a"),
    ("misplaced", START + '<laneSet><task id="x"/></laneSet>' + user("a") + line("s", "a"), "x"),
    ("feel", START + '<exclusiveGateway id="g" default="g_a"/>' + user("a") + user("b") + line("s", "g", "a") + flow("g", "b", "x ==== 1"), "g_b"),
    ("timer", START + '<intermediateCatchEvent id="c"><timerEventDefinition><timeDuration>P1X</timeDuration></timerEventDefinition></intermediateCatchEvent>' + END
     + line("s", "c", "e"), "c"),
    ("unknown_attribute", START + '<userTask id="a" gc:role="r" gc:rolle="x"/>' + line("s", "a"), "a"),
    ("unknown_attribute", START + '<serviceTask id="a" gc:handler="h" gc:form="x"/>' + line("s", "a"), "a"),
    ("unknown_element", START + '<userTask id="a" gc:role="r"><extensionElements><gc:button value="x"/></extensionElements></userTask>' + line("s", "a"), "a"),
    ("compensation", START + '<intermediateThrowEvent id="c"><compensateEventDefinition/></intermediateThrowEvent>' + END + line("s", "c", "e"), "c"),
    ("empty", "", "p"),
]


@pytest.mark.parametrize(("rule", "body", "element"), CASES, ids=[f"{case[0]}-{number}" for number, case in enumerate(CASES)])
def test_a_diagram_that_would_run_wrong_is_refused(rule, body, element) -> None:
    with pytest.raises(DeployRefused) as refused:
        compiled(body, outside=MESSAGE, strict=True)
    found = [item for item in refused.value.findings if (item["rule"], item["element"]) == (rule, element)]
    assert found, refused.value.findings
    for item in found:
        assert item["level"] in ("error", "policy")
        assert re.search(r"请", item["message"]), "a finding says what to do"


POLICY = [
    ("role", START + '<userTask id="a"/>' + line("s", "a"), "a"),
    ("form", START + user("a") + line("s", "a"), "a"),
    ("outcomes", START + user("a") + line("s", "a"), "a"),
    ("undeclared_fact", START + '<exclusiveGateway id="g" default="g_a"/>' + user("a") + user("b") + line("s", "g", "a") + flow("g", "b", "amout > 1"), "g_b"),
    ("parallel_leak", START + '<parallelGateway id="g"/>' + user("a") + user("b") + user("c") + line("s", "g", "a", "c") + line("g", "b", "c"), "g"),
]


@pytest.mark.parametrize(("rule", "body", "element"), POLICY)
def test_content_is_held_to_more_than_a_borrowed_diagram(rule, body, element) -> None:
    assert compiled(body).name == "demo.p"
    with pytest.raises(DeployRefused) as refused:
        compiled(body, strict=True)
    assert (rule, element) in [(item["rule"], item["element"]) for item in refused.value.findings]


def test_a_call_gives_declared_parameters_and_takes_declared_results() -> None:
    from tests.engine.runtime.bpmn.driver import load

    body = START + (
        '<callActivity id="a" calledElement="callee"><extensionElements><gc:input name="colour" value="red"/>'
        '<gc:output name="verdict" fact="v"/></extensionElements></callActivity>'
    ) + line("s", "a")
    found = findings(body, resolve=lambda name: load("callee"))
    assert [item["rule"] for item in found] == ["call_parameter", "call_parameter", "call_result"]
    assert "colour" in found[0]["message"]
    assert "form" in found[1]["message"]


def test_a_gateway_without_a_default_is_mentioned_not_refused() -> None:
    body = START + '<exclusiveGateway id="g"/>' + user("a") + user("b") + line("s", "g") + flow("g", "a", "1 = 1") + flow("g", "b", "1 = 2")
    assert ("default", "warning") in [(item["rule"], item["level"]) for item in compiled(body).findings]


@pytest.mark.parametrize("data", [b"", b"not xml", b"<html/>", b"\xff\xfe\x00", draft("")[:60]])
def test_what_is_no_bpmn_file_is_refused_in_words(data) -> None:
    from engine.runtime.bpmn.read import read_bpmn

    with pytest.raises(DeployRefused, match="流程设计器"):
        read_bpmn(data)


def test_entities_are_refused() -> None:
    from engine.runtime.bpmn.read import read_bpmn

    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL">&b;</definitions>'
    with pytest.raises(DeployRefused):
        read_bpmn(bomb)


def test_a_file_above_two_megabytes_is_refused() -> None:
    from engine.kernel.errors import TooLarge
    from engine.runtime.bpmn.read import read_bpmn

    with pytest.raises(TooLarge, match="2 MB"):
        read_bpmn(b" " * (2 * 1024 * 1024 + 1))


def test_every_rule_has_a_check_and_says_what_it_is_for() -> None:
    for rule in rules():
        assert hasattr(rule, "check") or hasattr(rule, "check_source"), rule.__name__
        assert rule.__doc__, rule.__name__
    assert importlib.import_module(lint_rules.__name__ + ".ids") in rules()


def test_a_row_of_a_thousand_tasks_compiles() -> None:
    names = [f"t{number}" for number in range(1000)]
    process = compiled(START + "".join(user(name) for name in names) + line("s", *names))
    assert len(process.targets["t999"]) == 999
