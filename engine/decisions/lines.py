"""Questions to a decision model as JSON lines, for the command line."""
from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from engine.decisions.errors import DecisionError
from engine.decisions.model import DecisionModel, compile_dmn
from engine.decisions.normal_values import from_json, to_json
from engine.decisions.xml import read
from engine.kernel.errors import GuichengError

MAX_LINE = 5_000_000


def load_file(path: Path) -> DecisionModel:
    """The model of a DMN file; what it imports is looked for among the DMN files beside it. Raises DecisionError."""
    def beside(namespace: str) -> bytes | None:
        for other in sorted(path.parent.glob("*.dmn"))[:200]:
            xml = other.read_bytes()
            if namespace.encode() in xml and read(xml).get("namespace") == namespace:
                return xml
        return None
    return compile_dmn(path.read_bytes(), imports=beside)


def answer(model: DecisionModel, line: bytes, *, strict: bool = False) -> str:
    """The answer to one line: ``{"value": …}`` or ``{"error": …}``, as JSON text. Never raises."""
    try:
        return json_text({"value": to_json(_ask(model, line, strict))})
    except GuichengError as error:
        return json_text({"error": error.message})
    except RecursionError:
        return json_text({"error": "数据嵌套太深"})
    except Exception as error:
        return json_text({"error": f"内部错误：{type(error).__name__}"})


def _ask(model: DecisionModel, line: bytes, strict: bool) -> Any:
    question = _parsed(line)
    context = question.get("context", {})
    if not isinstance(context, dict):
        raise DecisionError("context 应是 JSON 对象")
    values = {key: from_json(value) for key, value in context.items()}
    decision, invocable = question.get("decision"), question.get("invocable")
    if isinstance(decision, str):
        return model.evaluate(decision, values, strict=strict)
    if isinstance(invocable, str):
        return model.invoke(invocable, values, strict=strict)
    raise DecisionError('每行应有 "decision" 或 "invocable"')


def _parsed(line: bytes) -> dict[str, Any]:
    if len(line) > MAX_LINE:
        raise DecisionError("一行太长")
    try:
        question = json.loads(line, parse_float=Decimal, parse_int=Decimal, parse_constant=_no_constant)
    except (ValueError, ArithmeticError):
        raise DecisionError("不是合法的 JSON") from None
    if not isinstance(question, dict):
        raise DecisionError("每行应是一个 JSON 对象")
    return question


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def json_text(value: Any) -> str:
    """JSON with numbers in full: no digit of a Decimal is lost."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_quoted(str(key))}: {json_text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(json_text(item) for item in value) + "]"
    if isinstance(value, Decimal):
        return format(value, "f") if -40 < value.adjusted() < 40 else str(value)
    return _quoted(value) if isinstance(value, str) else json.dumps(value)


def _quoted(text: str) -> str:
    """A JSON string; a lone surrogate, which UTF-8 can't hold, is written as its escape."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(text)
    return json.dumps(text, ensure_ascii=False)
