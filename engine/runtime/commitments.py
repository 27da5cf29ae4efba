"""Digests by which the audit trail holds acts and answers: whoever changes a row contradicts the record written with it.

A secret text (证件号) stands in a digest as a commitment SM3(opening ‖ text). Its opening comes from a key of the
deployment, one for each place, so one text can be shown and proved without showing any other, and sealing it again under
a new key changes nothing.
"""
from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from engine.access.audit import canonical
from engine.kernel.gm import KeyRing, sm3_hex
from engine.runtime.secrets import AAD, MARK

ACT = (
    "id", "kind", "case_id", "instance_id", "task_id", "node", "process", "title", "actor_id", "actor_name", "actor_post", "on_behalf_of", "at", "outcome",
    "outcome_title", "opinion", "flows", "nodes", "rev_before", "automatic", "moves",
)
SUBMISSION = ("id", "case_id", "instance_id", "task_id", "act_id", "node", "form", "form_hash", "by_id", "by_name", "at")
COMMIT = "$commit"


def act_digest(row: Mapping[str, Any]) -> str:
    """SM3 in hex of what an act says; equal for the row as written and as read back or exported."""
    return sm3_hex(canonical({name: _plain(row[name]) for name in ACT}))


def submission_digest(keys: KeyRing, row: Mapping[str, Any]) -> str:
    """SM3 in hex of a submission whose secrets are replaced by their commitments."""
    return public_digest({**row, "data": with_commitments(keys, str(row["id"]), row["data"])})


def public_digest(row: Mapping[str, Any]) -> str:
    """The same for a submission that holds commitments already, as a bundle has it."""
    return sm3_hex(canonical({**{name: _plain(row[name]) for name in SUBMISSION}, "data": row["data"]}))


def with_commitments(keys: KeyRing, id: str, data: Any, *, openings: dict[str, dict[str, str]] | None = None, path: str = "") -> Any:
    """``data`` with a commitment in the place of each sealed text; ``openings`` takes ``{path: {opening, text}}``."""
    if isinstance(data, Mapping):
        if set(data) == {MARK}:
            text, opening = keys.decrypt(bytes.fromhex(data[MARK]), AAD).decode(), keys.opening(f"submission:{id}:{path}")
            if openings is not None:
                openings[path] = {"opening": opening.hex(), "text": text}
            return {COMMIT: commitment(opening, text)}
        return {name: with_commitments(keys, id, value, openings=openings, path=f"{path}.{name}" if path else name) for name, value in data.items()}
    if isinstance(data, list):
        return [with_commitments(keys, id, value, openings=openings, path=f"{path}.{number}") for number, value in enumerate(data)]
    return data


def commitment(opening: bytes, text: str) -> str:
    """SM3 in hex over an opening (32 bytes) and a text."""
    return sm3_hex(opening + text.encode())


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return str(value) if isinstance(value, UUID) else value
