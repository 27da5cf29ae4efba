"""What can go wrong in a diagram or a running instance.

FlowError            an element can't go on; the caller opens an incident on it
└── FactRefused      a value is no routing fact (too big, not JSON); also raised to whoever submitted it
NotWaiting           409: the engine task isn't waiting for this act (any more)
IllegalTarget        409: a jump to this node would break the state
BrokenState          a state that violates the invariants; never stored
"""
from __future__ import annotations

from typing import Any

from engine.kernel.errors import AlreadyDone, Conflict, GuichengError


class FlowError(GuichengError):
    """An element can't go on. ``element`` is its id as drawn, ``kind`` one of the kinds of an incident."""

    status = 409
    code = "flow_error"

    def __init__(
        self, message: str, *, element: str = "", title: str = "", process: str = "", engine_id: str = "", kind: str = "expression", **details: Any
    ) -> None:
        super().__init__(message, **details)
        self.element = element
        self.title = title
        self.process = process
        self.engine_id = engine_id
        self.kind = kind


class FactRefused(FlowError):
    code = "fact_refused"


class NotWaiting(AlreadyDone):
    code = "not_waiting"


class IllegalTarget(Conflict):
    code = "illegal_target"


class BrokenState(RuntimeError):
    """The state violates an invariant; the message lists every violation."""


Finding = dict[str, str]


def finding(element: str, rule: str, message: str, level: str = "error") -> Finding:
    """One finding; ``level`` is ``error`` (refuses the deploy), ``policy`` (refuses it in strict mode) or ``warning``."""
    return {"element": element, "rule": rule, "message": message, "level": level}
