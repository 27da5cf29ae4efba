"""Named SQL: a module's statements stand in the .sql file of its name, each under ``-- name: …`` and a line that describes it."""
from __future__ import annotations

from pathlib import Path

from sqlalchemy import TextClause, text


def statements(module: str) -> dict[str, TextClause]:
    """The statements of ``sql/<module>.sql`` beside the file ``module`` by name; ``{part}`` is replaced by the statement named ``part``."""
    path = Path(module)
    raw: dict[str, list[str]] = {}
    name = ""
    for line in (path.parent / "sql" / f"{path.stem}.sql").read_text(encoding="utf-8").splitlines():
        if line.startswith("-- name:"):
            name = line.removeprefix("-- name:").strip()
            raw[name] = []
        elif name:
            raw[name].append(line)
    plain = {name: "\n".join(lines).strip() for name, lines in raw.items()}
    return {name: text(_with_parts(body, plain)) for name, body in plain.items()}


def _with_parts(body: str, plain: dict[str, str]) -> str:
    """Parts may name parts; none names itself."""
    before = ""
    while body != before:
        before = body
        for name, part in plain.items():
            body = body.replace("{" + name + "}", part)
    return body
