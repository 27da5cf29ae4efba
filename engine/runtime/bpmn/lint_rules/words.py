"""Ids are words: the process is called as its file, elements in snake_case, so that history and conditions can be read."""
from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.kernel.names import is_name, name_of
from engine.runtime.bpmn.errors import Finding, finding
from engine.runtime.bpmn.model import Model


def check(model: Model, called: Mapping[str, Model], calls: Mapping[str, str]) -> Iterator[Finding]:
    if model.id != name_of(model.process):
        message = f"流程的编号“{model.id}”与文件名“{name_of(model.process)}”不同。请把两者改成一样的英文小写单词。"
        yield finding(model.id, "words", message, "policy")
    odd = [node for node in model.nodes.values() if not node.generated and not is_name(node.id)]
    if odd:
        more = f"等 {len(odd)} 个元素" if len(odd) > 1 else ""
        message = f"元素{odd[0].label}{more}的编号不是英文小写单词（如 office_review）。历史记录和退回目标都用编号，请改成看得懂的名称。"
        yield finding(odd[0].id, "words", message, "warning")
