"""How a widget says that a value is wrong."""

from __future__ import annotations

from collections.abc import Mapping


class Problems(ValueError):
    """A value can't be taken. ``fields`` maps a path below the field ("" is the field itself) to a Chinese message."""

    def __init__(self, fields: Mapping[str, str] | str) -> None:
        self.fields = {"": fields} if isinstance(fields, str) else dict(fields)
        super().__init__("；".join(self.fields.values()))

    def below(self, path: str) -> dict[str, str]:
        """The same messages, with paths that start at ``path``."""
        return {f"{path}.{rest}" if rest else path: message for rest, message in self.fields.items()}
