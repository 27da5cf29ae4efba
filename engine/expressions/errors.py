"""The one error of expressions, and the signal by which an operation says that its result is null.

FeelError   the text is not FEEL, or a bound was passed, or (strict evaluation only) a name or a type is wrong
Problem     internal: an operation has no result; lenient evaluation makes it null, strict evaluation a FeelError
"""
from __future__ import annotations

from engine.kernel.errors import Invalid


class FeelError(Invalid):
    """An expression can't be compiled or evaluated; ``message`` is Chinese, ``line`` and ``column`` count from 1."""

    code = "feel"

    def __init__(self, message: str, line: int = 1, column: int = 1) -> None:
        super().__init__(f"第 {line} 行第 {column} 列：{message}", line=line, column=column)
        self.reason = message
        self.line = line
        self.column = column


class LimitReached(FeelError):
    """An expression wants more time, depth or memory than is allowed."""

    code = "feel_limit"


class Problem(Exception):
    """An operation has no result. Never leaves this package."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def place(text: str, position: int) -> tuple[int, int]:
    """Line and column (from 1) of a character position."""
    line = text.count("\n", 0, position) + 1
    return line, position - (text.rfind("\n", 0, position) + 1) + 1
