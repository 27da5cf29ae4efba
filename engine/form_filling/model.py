"""What a form is once it is loaded: fields, groups, the order in which conditions and computed values settle."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import jsonschema_rs

from engine.expressions import Expression
from engine.kernel.names import pack_of

if TYPE_CHECKING:
    from werkzeug.datastructures import MultiDict

Right = Literal["write", "read", "hide"]
Mode = Literal["edit", "read", "print"]


@dataclass(frozen=True, kw_only=True)
class Check:
    """A FEEL test over the form; ``message`` tells in Chinese how to put it right when the test is false."""

    test: Expression
    message: str


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field, or one column of a table of rows. ``gc`` is the x-gc block, ``schema`` the rest."""

    name: str
    title: str
    kind: str
    schema: Mapping[str, Any]
    gc: Mapping[str, Any]
    required: bool
    validator: jsonschema_rs.Draft202012Validator
    columns: Mapping[str, Field] = field(default_factory=dict)
    order: tuple[str, ...] = ()
    compute: Expression | None = None
    when: Expression | None = None
    require: Expression | None = None
    suggest: Expression | None = None
    default: Expression | None = None
    checks: tuple[Check, ...] = ()
    drives: bool = False
    """True when another field's condition, sum or dictionary depends on this one: a change is sent to the server at once."""

    @property
    def dictionary(self) -> str | None:
        return self.gc.get("dictionary")

    @property
    def dynamic(self) -> bool:
        """True when this field may look different after another field changed."""
        return any((self.compute, self.when, self.require, self.suggest, self.gc.get("parent"))) or any(
            c.dynamic for c in self.columns.values()
        )


@dataclass(frozen=True, kw_only=True)
class Group:
    """Fields under one heading, in order."""

    key: str
    title: str
    fields: tuple[str, ...]
    help: str = ""


@dataclass(frozen=True, kw_only=True)
class Form:
    """A loaded form. ``order`` is the order in which fields are settled: what is depended on comes first."""

    name: str
    hash: str
    title: str
    help: str
    fields: Mapping[str, Field]
    groups: tuple[Group, ...]
    order: tuple[str, ...]
    printed_as: str | None = None

    @property
    def pack(self) -> str:
        """The pack whose form this is; bare names of dictionaries and parameters are its own."""
        return pack_of(self.name)

    @classmethod
    def load(
        cls,
        definition: Mapping[str, Any],
        *,
        name: str,
        hash: str = "",
        common: Callable[[str], Mapping[str, Any]],
        layout: Mapping[str, Any] | None = None,
    ) -> Form:
        """The form that ``definition`` (the parsed JSON file) describes.

        ``common`` gives the parsed JSON of a piece named in ``$ref`` (``common.party``); ``layout`` is the parsed .ui.json.
        Raises DeployRefused with one finding per fault.
        """
        from engine.form_filling.load import load_form

        return load_form(definition, name=name, hash=hash, common=common, layout=layout)

    def read_html(self, posted: MultiDict[str, str]) -> dict[str, Any]:
        """See ``from_html.from_html``."""
        from engine.form_filling.from_html import from_html

        return from_html(self, posted)


def right_of(rights: Mapping[str, Right], name: str) -> Right:
    """The right on a field: its own entry, else the entry ``*``, else ``write``."""
    return rights.get(name) or rights.get("*") or "write"
