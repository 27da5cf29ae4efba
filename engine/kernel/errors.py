"""Errors that people or programs can act on.

GuichengError            everything below; ``code`` is stable, ``message`` is Chinese and says what to do
├── NotFound             404: no such thing, or the reader may not see it (the two look the same)
├── Forbidden            403: seen, but this act is not allowed
├── Conflict             409: somebody else acted first; nothing was changed
│   ├── StaleRevision    the form or record changed since it was read
│   └── AlreadyDone      the task is no longer open
├── Invalid              422: the input is wrong; ``fields`` maps a field path to its message
├── TooLarge             413: file, text or list above its limit
├── DeployRefused        422: a diagram, form or manifest can't be deployed; ``findings`` lists why
└── Unavailable          503: an outside part does not answer; try again later

BusinessError            raised by a handler: becomes a BPMN error for a boundary event
TryAgain                 raised by a handler: the job queue calls again later
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any


class GuichengError(Exception):
    """An error with a stable code and a Chinese message that tells the reader what to do."""

    status = 400
    code = "error"

    def __init__(self, message: str, *, code: str | None = None, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code
        self.details: dict[str, Any] = details


class NotFound(GuichengError):
    status = 404
    code = "not_found"


class Forbidden(GuichengError):
    status = 403
    code = "forbidden"


class Conflict(GuichengError):
    status = 409
    code = "conflict"


class StaleRevision(Conflict):
    code = "stale_revision"


class AlreadyDone(Conflict):
    code = "already_done"


class Invalid(GuichengError):
    """The input is wrong. ``fields`` maps a field path such as ``party.id_number`` to a Chinese message."""

    status = 422
    code = "invalid"

    def __init__(self, message: str, *, fields: Mapping[str, str] | None = None, code: str | None = None, **details: Any) -> None:
        super().__init__(message, code=code, **details)
        self.fields: dict[str, str] = dict(fields or {})


class TooLarge(GuichengError):
    status = 413
    code = "too_large"


class DeployRefused(GuichengError):
    """A file can't be deployed. ``findings`` are dicts ``{"element", "rule", "message"}``."""

    status = 422
    code = "deploy_refused"

    def __init__(self, message: str, *, findings: Sequence[Mapping[str, Any]] = ()) -> None:
        super().__init__(message)
        self.findings = [dict(f) for f in findings]


class Unavailable(GuichengError):
    status = 503
    code = "unavailable"


class BusinessError(Exception):
    """Raised by a handler; a boundary error event with this code catches it, else it becomes an incident."""

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(message or code)
        self.code = code
        self.message = message or code


class TryAgain(Exception):
    """Raised by a handler when an outside part is away for now; the job queue calls again after ``after``."""

    def __init__(self, message: str = "", *, after: timedelta = timedelta(seconds=30)) -> None:
        super().__init__(message)
        self.after = after
