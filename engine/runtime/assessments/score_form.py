"""The form of one manual score: how much, on what ground, with which material."""
from __future__ import annotations

from typing import Any

from engine.form_filling.model import Form
from engine.reporting.assessments.declaration import Assessment
from engine.reporting.assessments.sheet import Item
from engine.runtime.application import Application


def score_form(app: Application, assessment: Assessment, item: Item) -> Form:
    """Fields ``score``, ``words`` and ``evidence``; what they must hold is checked where scores are given."""
    key = ("score_form", assessment.score, str(item.points), item.standard)
    if key not in app.cache:
        app.cache[key] = Form.load(_definition(item), name=assessment.score, hash="score", common=lambda name: {})
    made: Form = app.cache[key]
    return made


def _definition(item: Item) -> dict[str, Any]:
    return {
        "type": "object", "title": "打分", "properties": {
            "score": {"type": "number", "title": "得分", "x-gc": {"unit": "分", "width": 8, "help": item.standard or f"0 到 {item.points:f} 分。"}},
            "words": {"type": "string", "title": "依据", "maxLength": 500, "x-gc": {"widget": "textarea", "rows": 3}},
            "evidence": {"type": "array", "title": "依据材料", "items": {"type": "object"}, "x-gc": {"widget": "files", "max_count": 20}},
        },
    }
