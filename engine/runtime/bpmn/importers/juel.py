"""Expressions of Camunda 7 and Flowable (``${a == 'x' && b}``) as FEEL."""
from __future__ import annotations

import re

_WORDS = {"==": "=", "eq": "=", "!=": "!=", "ne": "!=", "&&": "and", "||": "or", "gt": ">", "lt": "<", "ge": ">=", "le": "<="}
_TOKEN = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|&&|\|\||==|!=|>=|<=|!|[A-Za-z_]\w*|\s+|.""", re.DOTALL)


def to_feel(text: str) -> str:
    """FEEL for a JUEL text; text that isn't ``${…}`` or ``#{…}`` comes back as it is."""
    stripped = text.strip()
    if not re.fullmatch(r"[$#]\{[^{}]*\}", stripped, re.DOTALL):
        return text
    return _convert(stripped[2:-1].strip())


def is_juel(text: str) -> bool:
    """True for ``${…}`` or ``#{…}``."""
    return text.strip()[:2] in ("${", "#{")


def value(text: str) -> str:
    """An attribute value of ours: ``=FEEL`` for an expression, else the literal."""
    return "=" + to_feel(text) if is_juel(text) else text


def _convert(body: str) -> str:
    out: list[str] = []
    pieces = _TOKEN.findall(body)
    position = 0
    while position < len(pieces):
        piece = pieces[position]
        if piece == "!":
            operand, position = _operand(pieces, position + 1)
            out.append(f"not({_convert(operand)})")
            continue
        if piece[0] == "'":
            piece = '"' + piece[1:-1].replace('"', '\\"') + '"'
        out.append(_WORDS.get(piece, piece) if piece in _WORDS else piece)
        position += 1
    return re.sub(r"\s+", " ", re.sub(r"(and|or|=|!=)(?=\w|\")", r"\1 ", "".join(f" {t} " if t in _WORDS.values() else t for t in out))).strip()


def _operand(pieces: list[str], position: int) -> tuple[str, int]:
    """What ``!`` stands before: a name with its path and call, or a bracket."""
    while position < len(pieces) and pieces[position].isspace():
        position += 1
    start, depth = position, 0
    while position < len(pieces):
        piece = pieces[position]
        if piece == "(":
            depth += 1
        elif piece == ")":
            if depth == 0:
                break
            depth -= 1
        elif depth == 0 and (piece.isspace() or piece in _WORDS or piece in "<>,"):
            break
        position += 1
    return "".join(pieces[start:position]), position
