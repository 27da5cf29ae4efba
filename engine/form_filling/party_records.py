"""Between a form's party value and the party table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.access.parties import PartyInput, PartyView
from engine.form_filling.party_parts import LABELS

_IN_COLUMNS = ("name", "identifier_kind", "identifier", "phone", "address")
_BESIDE = ("kind", "party_id", "operator_identifier", *_IN_COLUMNS)  # the operator's number is secret and stays in the submission


def party_input(value: Mapping[str, Any]) -> PartyInput:
    """A clean party value as the table takes it; an individual business is an organisation there, its kind stays in the detail."""
    return PartyInput(
        kind="person" if value.get("kind") == "person" else "organisation",
        detail={"kind": value.get("kind", "organisation")} | {part: text for part, text in value.items() if part not in _BESIDE},
        **{part: str(value.get(part) or "") for part in _IN_COLUMNS if part != "identifier_kind"},
        identifier_kind=str(value.get("identifier_kind") or "none"),
    )


def party_value(view: PartyView) -> dict[str, str]:
    """A known party as a form holds it; numbers as the view has them, masked or revealed."""
    kind = str(view.detail.get("kind") or view.kind)
    parts = {**view.detail, **{part: getattr(view, part) for part in _IN_COLUMNS}}
    kind = kind if kind in LABELS else "organisation"
    return {"kind": kind, "party_id": str(view.id)} | {
        part: str(parts[part]) for part in LABELS[kind] if parts.get(part) and parts[part] != "none"
    }
