"""A few processes of the umbrella pack that tests draw and deploy."""
from __future__ import annotations

from typing import Any

from engine.kernel.settings import ROOT
from engine.runtime.deploy_file import deploy_file
from tests.town import Town

PACK = "borrow_umbrella"
HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?><bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:gc="urn:guicheng:bpmn:1" id="d" targetNamespace="urn:test">'
)


def drawn(name: str, body: str, *, outside: str = "") -> bytes:
    """A diagram with one process."""
    return f'{HEAD}{outside}<bpmn:process id="{name}" name="{name}" isExecutable="true">{body}</bpmn:process></bpmn:definitions>'.encode()


def flow(source: str, target: str) -> str:
    return f'<bpmn:sequenceFlow id="{source}_to_{target}" sourceRef="{source}" targetRef="{target}"/>'


def check_task(*, role: str = "keeper", inside: str = "", id: str = "check") -> str:
    """A task with one button and the loan form."""
    return (
        f'<bpmn:userTask id="{id}" name="清点雨伞" gc:role="{role}" gc:form="loan"><bpmn:extensionElements><gc:fields default="read"/>'
        f'<gc:outcome value="done" title="完成" kind="submit" opinion="none"/></bpmn:extensionElements>{inside}</bpmn:userTask>'
    )


def deploy(town: Town, filename: str, content: bytes) -> Any:
    return deploy_file(town.app, actor=town.actor("keeper"), pack=PACK, filename=filename, content=content, note="试", at=town.app.clock.now())


def declare(town: Town, *processes: str) -> None:
    """Let ``processes`` open cases: put them under ``starts:``."""
    text = (ROOT / "processes" / PACK / "pack.yaml").read_text(encoding="utf-8")
    lines = "".join(f"  {name}: {{title: 清点雨伞, role: keeper, kind: loan}}\n" for name in processes)
    deploy(town, "pack.yaml", text.replace("starts:\n", f"starts:\n{lines}").encode())
