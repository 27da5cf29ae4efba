"""``try``: a diagram from anywhere goes to its first wait, or says in words why not; always in time, never a traceback."""
from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import Any

import pytest
from click.testing import CliRunner

from engine.cli import commands
from engine.kernel.settings import ROOT
from engine.runtime.bpmn import run_trial as module
from engine.runtime.bpmn.run_trial import run_trial
from engine.runtime.bpmn.trial import try_each
from tests.engine.runtime.bpmn.drafts import NAMESPACES, draft, flow, line
from tests.engine.runtime.bpmn.driver import NOW

START, END = '<startEvent id="s"/>', '<endEvent id="e"/>'


def tried(xml: bytes, **facts: Any) -> list[dict[str, Any]]:
    return list(try_each(xml, facts=facts, now=NOW))[1:]


def one(body: str, *, outside: str = "", **facts: Any) -> dict[str, Any]:
    return tried(draft(body, outside=outside), **facts)[0]


def rules(result: dict[str, Any]) -> set[tuple[str, str]]:
    return {(found["element"], found["rule"]) for found in result["findings"]}


def test_the_command_prints_one_result_per_process(tmp_path) -> None:
    file = tmp_path / "any name.bpmn"
    file.write_bytes(draft(START + '<userTask id="a"/>' + END + line("s", "a", "e")))
    done = CliRunner().invoke(commands, ["try", str(file), "--json"])
    assert done.exit_code == 0, done.output
    results = json.loads(done.output)
    assert [(item["process"], item["outcome"], item["at"]) for item in results] == [("p", "waiting", ["a"])]
    assert all(set(found) == {"element", "rule", "message"} for found in results[0]["findings"])
    assert ("a", "role") in rules(results[0])
    spoken = CliRunner().invoke(commands, ["try", str(file)])
    assert spoken.output.startswith("p 停在等待处：a")


def test_facts_can_be_given(tmp_path) -> None:
    file = tmp_path / "p.bpmn"
    body = START + '<exclusiveGateway id="g" default="g_e"/><userTask id="a"/>' + END + line("s", "g", "e") + flow("g", "a", "amount > 5")
    file.write_bytes(draft(body))
    results = json.loads(CliRunner().invoke(commands, ["try", str(file), "--json", "--facts", '{"amount": 9}']).output)
    assert results[0]["at"] == ["a"]
    assert one(body)["outcome"] == "incident"
    assert CliRunner().invoke(commands, ["try", str(file), "--facts", "[1"]).exit_code == 2


def test_a_process_that_needs_nobody_completes() -> None:
    assert one(START + END + line("s", "e"))["outcome"] == "completed"


GAPS = [
    ("conditions", '<exclusiveGateway id="x"/><userTask id="a"/><userTask id="b"/>' + line("s", "x", "a") + line("x", "b"), ["x"]),
    ("conditions", '<inclusiveGateway id="x"/><userTask id="a"/><userTask id="b"/>' + line("s", "x", "a") + line("x", "b"), ["x"]),
    ("feel", '<exclusiveGateway id="g" default="g_b"/><userTask id="a"/><userTask id="b"/>' + line("s", "g", "b") + flow("g", "a", "a ==== 1", "x"), ["g"]),
    ("events", '<intermediateCatchEvent id="x"><timerEventDefinition/></intermediateCatchEvent>' + line("s", "x", "e"), ["x"]),
    ("timer", '<intermediateCatchEvent id="x"><timerEventDefinition><timeDuration>P1X</timeDuration></timerEventDefinition></intermediateCatchEvent>'
     + line("s", "x", "e"), ["x"]),
    ("events", '<intermediateCatchEvent id="x"/>' + line("s", "x", "e"), ["x"]),
    ("events", '<intermediateCatchEvent id="x"><messageEventDefinition/></intermediateCatchEvent>' + line("s", "x", "e"), ["x"]),
    ("events", '<receiveTask id="x" name="收到回执"/>' + line("s", "x", "e"), ["x"]),
    ("events", '<userTask id="a"/><boundaryEvent id="x" attachedToRef="a"><timerEventDefinition/></boundaryEvent>' + line("s", "a", "e") + line("x", "e"), ["a"]),
    ("handler", '<serviceTask id="x"/>' + line("s", "x", "e"), ["x"]),
    ("decision", '<businessRuleTask id="x"/>' + line("s", "x", "e"), ["x"]),
    ("script", '<scriptTask id="x"><script>print(1)</script></scriptTask>' + line("s", "x", "e"), ["x"]),
    ("call_unknown", '<callActivity id="x" calledElement="elsewhere"/>' + line("s", "x", "e"), ["x"]),
    ("call", '<callActivity id="x"/>' + line("s", "x", "e"), ["x"]),
    ("loop", '<userTask id="x"><multiInstanceLoopCharacteristics/></userTask>' + line("s", "x", "e"), ["x"]),
    ("loop", '<userTask id="x"><standardLoopCharacteristics/></userTask>' + line("s", "x", "e"), ["x"]),
    ("connections", '<userTask id="a"/>' + line("s", "a", "e") + flow("a", "gone", identifier="x"), ["a"]),
    ("unreachable", '<userTask id="a"/><userTask id="x"/>' + line("s", "a", "e") + line("x", "e"), ["a"]),
    ("compensation", '<intermediateThrowEvent id="x"><compensateEventDefinition/></intermediateThrowEvent><userTask id="a"/>' + line("s", "x", "a", "e"), ["a"]),
    ("event_sub_process", '<userTask id="a"/>' + line("s", "a", "e") + '<subProcess id="x" triggeredByEvent="true"><startEvent id="i"/></subProcess>', ["a"]),
]


@pytest.mark.parametrize(("rule", "body", "at"), GAPS, ids=[f"{gap[0]}-{number}" for number, gap in enumerate(GAPS)])
def test_a_gap_is_a_finding_and_a_wait(rule, body, at) -> None:
    result = one(START + END + body)
    assert (result["outcome"], result["at"]) == ("waiting", at), result
    assert ("x", rule) in rules(result)


def test_a_single_branch_without_a_condition_becomes_the_default() -> None:
    body = START + '<exclusiveGateway id="g"/><userTask id="a"/><userTask id="b"/>' + line("s", "g", "b") + flow("g", "a", "1 = 2")
    assert one(body)["at"] == ["b"]


@pytest.mark.parametrize("body", [
    '<adHocSubProcess id="x"><task id="a"/></adHocSubProcess>' + line("s", "x"), '<complexGateway id="x"/>' + line("s", "x"),
    '<callActivity id="x" calledElement="p"/>' + line("s", "x"),
])
def test_what_cannot_run_is_refused_with_a_remedy(body) -> None:
    result = one(START + body)
    assert result["outcome"] == "refused"
    assert [found for found in result["findings"] if found["element"] == "x" and "请" in found["message"]]


def test_an_incident_names_the_element() -> None:
    result = one(START + '<endEvent id="x"><errorEventDefinition errorRef="er"/></endEvent>' + line("s", "x"), outside='<error id="er" errorCode="E1"/>')
    assert (result["outcome"], result["at"]) == ("incident", ["x"])
    assert ("x", "incident") in rules(result)


def test_a_join_that_waits_for_ever_is_an_incident() -> None:
    body = START + '<exclusiveGateway id="g" default="g_j"/><parallelGateway id="j"/>' + END + line("s", "g", "j", "e") + flow("g", "j", "1 = 2", "second")
    assert (one(body)["outcome"], one(body)["at"]) == ("incident", ["j"])


def two(first: str, second: str, extra: str = "") -> list[dict[str, Any]]:
    xml = f'<definitions {NAMESPACES}><process id="One.A">{first}</process><process id="two">{second}</process>{extra}</definitions>'
    return tried(xml.encode())


def test_processes_of_a_file_call_each_other() -> None:
    caller = START + '<callActivity id="c" calledElement="two"/>' + line("s", "c")
    callee = '<startEvent id="i"/><userTask id="work"/>' + line("i", "work")
    first, second = two(caller, callee)
    assert (first["at"], second["at"]) == (["c/work"], ["work"])
    first, second = two('<startEvent id="i"/><userTask id="work"/>' + line("i", "work"), caller.replace('"two"', '"One.A"'))
    assert second["at"] == ["c/work"]


def test_calls_in_a_circle_are_refused() -> None:
    caller = START + '<callActivity id="c" calledElement="{}"/>' + line("s", "c")
    results = two(caller.format("two"), caller.format("One.A").replace('"s"', '"s2"').replace('"c"', '"c2"').replace('"s_c"', '"s2_c2"'))
    assert [result["outcome"] for result in results] == ["refused", "refused"]
    assert all("call_recursion" in {found["rule"] for found in result["findings"]} for result in results)


def test_a_chain_of_calls_without_end_is_refused_not_followed() -> None:
    body = '<process id="q{0}"><startEvent id="s{0}"/><callActivity id="c{0}" calledElement="q{1}"/><sequenceFlow id="f{0}" sourceRef="s{0}" targetRef="c{0}"/></process>'
    results = tried(f"<definitions {NAMESPACES}>{''.join(body.format(n, n + 1) for n in range(80))}</definitions>".encode())
    assert (results[0]["outcome"], results[-1]["outcome"]) == ("refused", "waiting")


def test_a_loop_that_multiplies_tokens_is_stopped() -> None:
    body = START + '<exclusiveGateway id="x"/><parallelGateway id="g"/>' + line("s", "x", "g", "x") + flow("g", "x", identifier="again")
    assert one(body)["outcome"] == "incident"


def test_one_bad_process_does_not_hold_the_others() -> None:
    results = two(START + '<complexGateway id="x"/>' + line("s", "x"), '<startEvent id="i"/><userTask id="work"/>' + line("i", "work"))
    assert [result["outcome"] for result in results] == ["refused", "waiting"]


def test_a_row_of_six_hundred_elements_runs() -> None:
    names = [f"t{number}" for number in range(600)]
    assert one(START + "".join(f'<task id="{name}"/>' for name in names) + line("s", *names))["at"] == ["t0"]


BYTES = [
    b"", b"\x00\xff\xfe", b"hello", b"<a", b"PK\x03\x04" + b"\x00" * 100, b'{"a": 1}\n{"b": 2}\n', b"<definitions/>", draft("")[:200], b"\n\n" + draft(""),
    b'<!DOCTYPE d [<!ENTITY a "b"><!ENTITY c "&a;&a;&a;">]><definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL">&c;</definitions>',
    b'<!DOCTYPE d SYSTEM "file:///etc/passwd"><definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"/>',
    b"<x>" * 100_000, b" " * 2_100_000,
]


@pytest.mark.parametrize("data", BYTES, ids=range(len(BYTES)))
def test_any_bytes_get_an_answer_in_words(data) -> None:
    if len(data) > 2_000_000:
        results = run_trial(data, facts={})
    else:
        results = tried(data)
    assert [result["outcome"] for result in results] == ["refused"]
    assert results[0]["findings"][0]["message"]


def test_the_answer_comes_in_time_whatever_the_file_does() -> None:
    began = time.monotonic()
    results = run_trial(draft(START + END + line("s", "e")), facts={}, seconds=0.05)
    assert time.monotonic() - began < 2
    assert [(result["outcome"], result["findings"][0]["rule"]) for result in results] == [("refused", results[0]["findings"][0]["rule"])]
    assert results[0]["findings"][0]["rule"] in ("too_slow", "too_busy")


def test_starting_the_command_counts_as_part_of_its_ten_seconds(monkeypatch) -> None:
    assert module.seconds_left() == module.SECONDS
    monkeypatch.setattr(sys, "argv", [str(ROOT / "engine" / "__main__.py"), "try"])
    monkeypatch.setattr(module, "_age", lambda: 6.2)
    assert module.seconds_left() == pytest.approx(2.2)
    monkeypatch.setattr(module, "_age", lambda: 30.0)
    assert module.seconds_left() == 0.5


def test_a_command_that_needs_no_database_loads_none() -> None:
    asked = "import sys, engine.__main__, engine.cli.host; sys.modules['engine.cli'].commands.get_command(None, 'try'); print([name for name in ('sqlalchemy', 'alembic', 'lxml') if name in sys.modules])"
    told = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert told.strip() == "[]"


def test_a_child_that_dies_leaves_an_answer_for_every_process() -> None:
    output = b'["a", "b"]\n{"process": "a", "outcome": "waiting", "at": [], "findings": []}\n{"process": "b", "outc'
    assert [(item["process"], item["outcome"]) for item in module._collect(output, "failure", "故障")] == [("a", "waiting"), ("b", "refused")]
